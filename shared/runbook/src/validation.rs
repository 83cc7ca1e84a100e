//! Everything that can be said of a runbook before it runs.

use crate::{Code, Diagnostic, Position, Runbook, Severity, reader};

/// What is known of a text that is to be a runbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// The runbook, if it is valid.
    pub runbook: Option<Runbook>,
    /// What is wrong or worth knowing, in the order it stands there.
    pub diagnostics: Vec<Diagnostic>,
    /// How many steps it has, those inside loops too, as far as it could be read.
    pub steps: usize,
    /// Its actions, each once, in the order they first stand there.
    pub actions: Vec<String>,
    /// Those of its actions that are known and cannot be run here yet.
    pub unsupported: Vec<String>,
}

/// Whom a runbook is to run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Portability {
    /// Here: what SSM itself would not know is taken as it is.
    Here,
    /// On SSM Automation too: what SSM itself would not know is named by a warning.
    Portable,
}

impl Validation {
    /// Whether it is well formed by SSM's documented rules.
    pub fn is_valid(&self) -> bool {
        self.runbook.is_some()
    }

    /// Whether it is valid and each of its actions can be executed here.
    pub fn is_runnable(&self) -> bool {
        self.is_valid() && self.unsupported.is_empty()
    }
}

/// Checks a text and says everything there is to say of it.
pub fn validate(text: &str, _portability: Portability) -> Validation {
    let (runbook, mut diagnostics) = match reader::parse(text) {
        Ok(runbook) => (Some(runbook), Vec::new()),
        Err(diagnostics) => (None, diagnostics),
    };
    let steps = runbook.as_ref().map(Runbook::all_steps).unwrap_or_default();
    let mut actions: Vec<String> = Vec::new();
    let mut unsupported: Vec<String> = Vec::new();
    for step in &steps {
        let name = step.action.name().to_owned();
        if !step.action.is_runnable() && !unsupported.contains(&name) {
            unsupported.push(name.clone());
            diagnostics.push(warning(
                Code::UnsupportedAction,
                step.position,
                format!("{name} cannot be run here yet"),
            ));
        }
        if !actions.contains(&name) {
            actions.push(name);
        }
    }
    Validation { steps: steps.len(), actions, unsupported, diagnostics, runbook }
}

fn warning(code: Code, position: Position, message: String) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..Diagnostic::new(code, position, message) }
}
