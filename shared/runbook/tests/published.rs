//! Runbooks that others have published, kept beside the workspace where there is room for them.

use std::path::{Path, PathBuf};

use fleetwright_runbook::{Code, Diagnostic, parse};

/// What was accepted when this was last looked at: raise it when more are, never lower it.
const ACCEPTED_MIN: usize = 274;

/// Where the published runbooks are, if they are there.
fn folder(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is not there", folder.display());
    None
}

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("a readable folder");
    for path in entries.map(|entry| entry.expect("a readable entry").path()) {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if path.is_dir() {
            documents(&path, found);
        } else if ["yaml", "yml", "json"].contains(&extension) {
            found.push(path);
        }
    }
}

fn failures(folder: &Path) -> (usize, Vec<(PathBuf, Vec<Diagnostic>)>) {
    let mut paths = Vec::new();
    documents(folder, &mut paths);
    paths.sort();
    let count = paths.len();
    let mut failures = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a text file");
        if let Err(diagnostics) = parse(&text) {
            failures.push((path, diagnostics));
        }
    }
    (count, failures)
}

#[test]
fn nearly_all_published_runbooks_are_accepted() {
    let Some(folder) = folder("runbooks") else { return };
    let (count, failures) = failures(&folder);
    for (path, diagnostics) in &failures {
        println!("{}", path.strip_prefix(&folder).unwrap_or(path).display());
        diagnostics.iter().for_each(|diagnostic| println!("    {diagnostic}"));
    }
    let accepted = count - failures.len();
    println!("{accepted} of {count} accepted");
    assert!(accepted >= ACCEPTED_MIN, "{accepted} of {count} accepted");
}

#[test]
fn what_is_no_runbook_is_refused() {
    let Some(folder) = folder("runbooks-invalid") else { return };
    let (count, failures) = failures(&folder);
    assert_eq!(failures.len(), count);
    for (path, diagnostics) in failures {
        println!("{}: {diagnostics:?}", path.display());
        assert_eq!(diagnostics[0].code, Code::Syntax, "{}", path.display());
    }
}
