//! Everything that can be said of a runbook before it runs.

use crate::{
    Diagnostic, Runbook,
    reader::{self, Reading},
};

/// What is known of a text that is to be a runbook.
#[derive(Clone, Debug, PartialEq)]
pub struct Validation {
    /// The runbook, if it is valid. What follows is known of other texts too, as far as they can be read.
    pub runbook: Option<Runbook>,
    /// What is wrong or worth knowing, in the order it stands there.
    pub diagnostics: Vec<Diagnostic>,
    /// How many steps it has, those inside loops too, as far as it could be read.
    pub steps: usize,
    /// Its actions as written, each once, in the order they first stand there.
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

/// Checks a text and says everything there is to say of it. [`parse`](crate::parse) accepts the same texts.
pub fn validate(text: &str, portability: Portability) -> Validation {
    let Reading { runbook, diagnostics, outline } = reader::read(text, portability);
    let mut validation = Validation {
        runbook,
        diagnostics,
        steps: outline.steps.len(),
        actions: Vec::new(),
        unsupported: Vec::new(),
    };
    for step in &outline.steps {
        let Some((action, _)) = &step.action else { continue };
        if !validation.actions.contains(action) {
            validation.actions.push(action.clone());
        }
        if step.unsupported().is_some() && !validation.unsupported.contains(action) {
            validation.unsupported.push(action.clone());
        }
    }
    validation
}
