//! The files a command line means: those it names, and the runbooks in the folders it names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// What the name of a runbook in a folder ends with.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// A file that cannot be checked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unreadable {
    /// The file, or the folder.
    pub(crate) path: PathBuf,
    /// Why not.
    pub(crate) reason: String,
}

/// All that is meant, in the order it is named and each file once. Folders are searched to the bottom, by name, for
/// what ends like a runbook and isn't hidden; files that are named themselves are taken whatever they are called.
pub(crate) fn find(named: &[PathBuf]) -> Vec<Result<PathBuf, Unreadable>> {
    let all = named.iter().flat_map(|path| if path.is_dir() { folder(path) } else { vec![Ok(path.clone())] });
    let mut seen = BTreeSet::new();
    all.filter(|found| seen.insert(found.as_deref().map(identity).map_err(Clone::clone))).collect()
}

/// The same for all names of one file.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn folder(root: &Path) -> Vec<Result<PathBuf, Unreadable>> {
    let shown = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry);
    let mut found = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(shown) {
        match entry {
            Ok(entry) if is_runbook(&entry) => found.push(Ok(entry.into_path())),
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                found.push(Err(Unreadable { path, reason }));
            }
        }
    }
    if found.is_empty() {
        let reason = format!("no runbook in {}: no file that ends with .yaml, .yml or .json", root.display());
        found.push(Err(Unreadable { path: root.to_owned(), reason }));
    }
    found
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

/// Links to files are taken, links to folders are not: they may lead anywhere, even back.
fn is_runbook(entry: &DirEntry) -> bool {
    let kind = entry.file_type();
    let is_file = kind.is_file() || (kind.is_symlink() && !entry.path().is_dir());
    let extension = entry.path().extension().and_then(|extension| extension.to_str());
    is_file
        && extension
            .is_some_and(|extension| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}
