//! One file, checked as a runbook.

use crate::files::Unreadable;
use fleetwright_runbook::{Portability, Validation, validate};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// More than any runbook has: so much is read of a file, that an endless one is left in peace.
const BYTES_MAX: u64 = 16 << 20;
/// How UTF-16 begins, as PowerShell writes it.
const UTF_16: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];

/// A file that was checked.
pub(crate) struct Checked {
    /// Its name as it was given or found.
    pub(crate) file: String,
    /// What came of it.
    pub(crate) finding: Finding,
}

/// What came of checking a file.
pub(crate) enum Finding {
    /// It was read.
    Read {
        /// The text.
        text: String,
        /// What is known of it.
        validation: Box<Validation>,
    },
    /// It cannot be read, for this reason.
    Unreadable(String),
}

impl Checked {
    /// Checks a file that was found.
    pub(crate) fn of(found: Result<PathBuf, Unreadable>, portability: Portability) -> Self {
        match found {
            Ok(path) => {
                let finding = match read(&path) {
                    Ok(text) => Finding::Read { validation: Box::new(validate(&text, portability)), text },
                    Err(reason) => Finding::Unreadable(reason),
                };
                Self { file: path.display().to_string(), finding }
            }
            Err(Unreadable { path, reason }) => {
                Self { file: path.display().to_string(), finding: Finding::Unreadable(reason) }
            }
        }
    }

    /// Whether it is a runbook by SSM's rules.
    pub(crate) fn is_valid(&self) -> bool {
        self.validation().is_some_and(Validation::is_valid)
    }

    /// Whether it can also be run here.
    pub(crate) fn is_runnable(&self) -> bool {
        self.validation().is_some_and(Validation::is_runnable)
    }

    fn validation(&self) -> Option<&Validation> {
        match &self.finding {
            Finding::Read { validation, .. } => Some(validation),
            Finding::Unreadable(_) => None,
        }
    }
}

/// The text of a file, or why there is none.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let bytes = bytes(path).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(format!("it is longer than {} MB", BYTES_MAX >> 20));
    }
    String::from_utf8(bytes).map_err(|error| {
        if UTF_16.iter().any(|mark| error.as_bytes().starts_with(mark)) {
            return "it is UTF-16, by how it begins: save it as UTF-8".to_owned();
        }
        let valid = error.utf8_error().valid_up_to();
        format!("it is not UTF-8: byte {valid} is no text")
    })
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
