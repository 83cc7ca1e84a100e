//! What is said of a checked file in the end: a line for people, an entry for programs, a sum over all files.

use crate::check::{Checked, Finding};
use crate::text::{cut, plural};
use console::style;
use fleetwright_runbook::{Diagnostic, Severity, Validation};
use serde::Serialize;
use std::fmt;

/// The code of a file that cannot be read, beside the language's own codes.
pub(crate) const UNREADABLE: &str = "unreadable";

/// `ok  path  (8 steps: aws:runCommand, aws:branch)`.
pub(crate) fn line(checked: &Checked) -> String {
    let file = cut(&checked.file, usize::MAX);
    match &checked.finding {
        Finding::Read { validation, .. } if validation.is_valid() => {
            format!("{}  {file}  ({})", style("ok").green().bold(), steps(validation))
        }
        Finding::Read { validation, .. } => {
            format!("{}  {file}  ({})", style("invalid").red().bold(), mistakes(&validation.diagnostics))
        }
        Finding::Unreadable(_) => format!("{}  {file}", style(UNREADABLE).red().bold()),
    }
}

fn steps(validation: &Validation) -> String {
    let mut text = plural(validation.steps as u64, "step");
    if !validation.actions.is_empty() {
        text = format!("{text}: {}", validation.actions.join(", "));
    }
    if !validation.unsupported.is_empty() {
        text = format!("{text}; cannot be run here yet: {}", validation.unsupported.join(", "));
    }
    text
}

/// `2 errors, 1 warning`.
fn mistakes(diagnostics: &[Diagnostic]) -> String {
    let of = |severity| diagnostics.iter().filter(|d| d.severity == severity).count() as u64;
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let errors = plural(errors, "error");
    if warnings == 0 { errors } else { format!("{errors}, {}", plural(warnings, "warning")) }
}

/// How many files came out how.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    valid: u64,
    runnable: u64,
    invalid: u64,
    unreadable: u64,
}

impl Tally {
    /// Counts one more.
    pub(crate) fn add(&mut self, checked: &Checked) {
        match &checked.finding {
            Finding::Read { validation, .. } if validation.is_valid() => self.valid += 1,
            Finding::Read { .. } => self.invalid += 1,
            Finding::Unreadable(_) => self.unreadable += 1,
        }
        self.runnable += u64::from(checked.is_runnable());
    }

    /// Whether there is nothing to mend.
    pub(crate) const fn all_valid(&self) -> bool {
        self.invalid == 0 && self.unreadable == 0
    }
}

impl fmt::Display for Tally {
    /// `3 files: 2 valid (1 runnable), 1 invalid`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { valid, runnable, invalid, unreadable } = self;
        let files = plural(valid + invalid + unreadable, "file");
        write!(formatter, "{files}: {valid} valid ({runnable} runnable), {invalid} invalid")?;
        if *unreadable > 0 {
            write!(formatter, ", {unreadable} unreadable")?;
        }
        Ok(())
    }
}

/// A file as programs read of it.
#[derive(Debug, Serialize)]
pub(crate) struct Entry<'a> {
    file: &'a str,
    valid: bool,
    runnable: bool,
    steps: usize,
    actions: &'a [String],
    unsupported: &'a [String],
    diagnostics: Vec<Remark<'a>>,
}

/// A diagnostic as programs read it.
#[derive(Debug, Serialize)]
struct Remark<'a> {
    severity: &'static str,
    code: &'static str,
    message: &'a str,
    line: u32,
    column: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

impl<'a> Entry<'a> {
    /// What is said of a checked file.
    pub(crate) fn of(checked: &'a Checked) -> Self {
        let mut entry = Self {
            file: &checked.file,
            valid: checked.is_valid(),
            runnable: checked.is_runnable(),
            steps: 0,
            actions: &[],
            unsupported: &[],
            diagnostics: Vec::new(),
        };
        match &checked.finding {
            Finding::Read { validation, .. } => {
                entry.steps = validation.steps;
                entry.actions = &validation.actions;
                entry.unsupported = &validation.unsupported;
                entry.diagnostics = validation.diagnostics.iter().map(Remark::of).collect();
            }
            Finding::Unreadable(reason) => entry.diagnostics.push(Remark::unreadable(reason)),
        }
        entry
    }
}

impl<'a> Remark<'a> {
    fn of(diagnostic: &'a Diagnostic) -> Self {
        let Diagnostic { severity, code, message, hint, position } = diagnostic;
        Self {
            severity: severity.as_str(),
            code: code.as_str(),
            message,
            line: position.line,
            column: position.column,
            hint: hint.as_deref(),
        }
    }

    const fn unreadable(reason: &'a str) -> Self {
        let severity = Severity::Error.as_str();
        Self { severity, code: UNREADABLE, message: reason, line: 1, column: 1, hint: None }
    }
}
