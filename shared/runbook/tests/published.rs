//! Runbooks that others have published, kept beside the workspace where there is room for them.

mod common;

#[path = "published/exceptions.rs"]
mod exceptions;
#[path = "published/traces.rs"]
mod traces;

use std::path::{Path, PathBuf};

use common::shown;
use exceptions::{EXCEPTIONS, WITHOUT_ACTION};
use fleetwright_runbook::{Code, Portability, Severity, parse, validate};

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

/// Every runbook below a folder: its path from there, and its text.
fn texts(folder: &Path) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    documents(folder, &mut paths);
    paths.sort();
    let text = |path: PathBuf| {
        let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        (name, std::fs::read_to_string(&path).expect("a text file"))
    };
    paths.into_iter().map(text).collect()
}

#[test]
fn published_runbooks_are_valid_but_for_those_that_ssm_refuses() {
    let Some(folder) = folder("runbooks") else { return };
    let mut valid = 0;
    let texts = texts(&folder);
    for (path, text) in &texts {
        let validation = validate(text, Portability::Portable);
        assert_eq!(parse(text).is_ok(), validation.is_valid(), "{path}");
        let errors: Vec<_> =
            validation.diagnostics.iter().filter(|d| d.severity == Severity::Error).cloned().collect();
        if let Some(lines) = WITHOUT_ACTION.iter().find(|(known, _)| known == path).map(|(_, lines)| *lines) {
            let without: Vec<u32> = errors
                .iter()
                .filter(|d| d.code == Code::MissingProperty && d.message.ends_with("has no action"))
                .map(|d| d.position.line)
                .collect();
            assert_eq!(without, lines, "{path}: {}", shown(&errors));
            continue;
        }
        let found: Vec<(u32, Code)> = errors.iter().map(|d| (d.position.line, d.code)).collect();
        let expected: Vec<(u32, Code)> = EXCEPTIONS
            .iter()
            .filter(|exception| exception.path == path)
            .map(|exception| (exception.line, exception.code))
            .collect();
        assert_eq!(found, expected, "{path}: {}", shown(&errors));
        assert_eq!(validation.is_valid(), expected.is_empty(), "{path}");
        valid += usize::from(validation.is_valid());
    }
    println!("{valid} of {} valid", texts.len());
    for exception in EXCEPTIONS {
        assert!(texts.iter().any(|(path, _)| path == exception.path), "no longer there: {exception:?}");
    }
}

#[test]
fn what_is_no_runbook_is_refused() {
    let Some(folder) = folder("runbooks-invalid") else { return };
    // A comma behind the document, twice, and an outputs: that is not closed.
    let lines = [
        ("automation-authoring-runbooks-parent-child-example.md__1.json", 39),
        ("automation-authoring-runbooks-parent-child-example.md__11.json", 28),
        ("automation-document-architecture-deployment-example.md__1.json", 101),
    ];
    let texts = texts(&folder);
    assert_eq!(texts.len(), lines.len());
    for ((path, text), (name, line)) in texts.iter().zip(lines) {
        assert_eq!(path, name);
        let diagnostics = parse(text).expect_err("no runbook");
        assert_eq!(diagnostics[0].code, Code::Syntax, "{path}");
        assert_eq!(diagnostics[0].position.line, line, "{path}: {}", shown(&diagnostics));
    }
}
