//! `fleetwright validate`: what is wrong, or worth knowing, before anything runs?

use crate::args::{Format, Validate};
use crate::check::{Checked, Finding};
use crate::excerpt::Printer;
use crate::failure::Failure;
use crate::files;
use crate::verdict::{self, Entry, Tally};
use fleetwright_runbook::Portability;
use std::io::{Write, stdout};

/// Runs it. Whether all files are valid.
pub(crate) fn run(options: &Validate) -> Result<bool, Failure> {
    let portability = if options.portable { Portability::Portable } else { Portability::Here };
    let found = files::find(&options.files);
    let checked = found.into_iter().map(|found| Checked::of(found, portability));
    match options.format {
        Format::Text => told(checked),
        Format::Json => listed(checked),
    }
}

/// File by file, as each is checked.
fn told(all: impl Iterator<Item = Checked>) -> Result<bool, Failure> {
    let printer = Printer::stdout();
    let mut tally = Tally::default();
    let mut out = stdout().lock();
    for checked in all {
        match &checked.finding {
            Finding::Read { text, validation } => {
                write!(out, "{}", printer.diagnostics(&checked.file, text, &validation.diagnostics))?;
            }
            Finding::Unreadable(reason) => {
                writeln!(out, "{}", printer.error(&checked.file, verdict::UNREADABLE, reason))?;
            }
        }
        writeln!(out, "{}", verdict::line(&checked))?;
        tally.add(&checked);
    }
    writeln!(out, "{tally}")?;
    out.flush()?;
    Ok(tally.all_valid())
}

/// As JSON, when all are checked.
fn listed(all: impl Iterator<Item = Checked>) -> Result<bool, Failure> {
    let all: Vec<Checked> = all.collect();
    let entries: Vec<Entry<'_>> = all.iter().map(Entry::of).collect();
    let json = serde_json::to_string_pretty(&entries).map_err(|error| Failure::Defect(error.to_string()))?;
    let mut out = stdout().lock();
    writeln!(out, "{json}")?;
    out.flush()?;
    Ok(all.iter().all(Checked::is_valid))
}
