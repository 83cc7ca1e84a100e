//! What is uploaded: the zip of each function, packed as the SAM command line packs it.

use crate::programs::{FUNCTIONS, Programs};
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The bytes of each function's zip.
///
/// # Errors
/// When a program is not there.
pub fn measure(programs: &Programs) -> std::io::Result<Vec<(&'static str, usize)>> {
    FUNCTIONS
        .into_iter()
        .map(|(name, id)| Ok((name, zipped(&std::fs::read(programs.function(id))?)?)))
        .collect()
}

fn zipped(program: &[u8]) -> std::io::Result<usize> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    zip.start_file("bootstrap", options.unix_permissions(0o755))?;
    zip.write_all(program)?;
    Ok(zip.finish()?.into_inner().len())
}
