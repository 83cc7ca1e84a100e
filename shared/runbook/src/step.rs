use crate::{Action, OrReference, Position, Selector, StepName, Template, ValueType};

/// One step of a runbook (SSM User Guide, automation-actions).
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name.
    pub name: StepName,
    /// What it does.
    pub action: Action,
    /// What its action is given, as written; absent where nothing is.
    pub inputs: Option<Template>,
    /// What it is for, in Markdown.
    pub description: Option<String>,
    /// How often it is tried before it fails; 1 unless set.
    pub max_attempts: OrReference<u32>,
    /// How long it may take, in seconds; the action's own default unless set.
    pub timeout_seconds: Option<OrReference<u32>>,
    /// Where it goes on after a failure, if the document says so; see [`Step::on_failure`].
    pub on_failure: Option<OnFailure>,
    /// Where it goes on when the execution is cancelled in it.
    pub on_cancel: OnCancel,
    /// Whether the execution ends after it. On a branch: whether it ends when nothing matched.
    pub is_end: bool,
    /// Where it goes on after a success, if not at the next step of the document.
    pub next_step: Option<StepName>,
    /// Whether its failure makes the execution fail, as far as the document says; see [`Step::is_critical`].
    pub critical: Option<bool>,
    /// The outputs it declares beside those its action has.
    pub outputs: Vec<UserOutput>,
    /// Where it begins.
    pub position: Position,
}

impl Step {
    /// Whether its failure makes the execution fail. Unless set that is so, but not with `onFailure: Continue`.
    pub fn is_critical(&self) -> bool {
        self.critical.unwrap_or_else(|| *self.on_failure() != OnFailure::Continue)
    }

    /// Where it goes on after a failure; nowhere unless set.
    pub fn on_failure(&self) -> &OnFailure {
        self.on_failure.as_ref().unwrap_or(&OnFailure::Abort)
    }

    /// Every template of the step: its inputs and those of its settings that have references.
    pub fn templates(&self) -> Vec<&Template> {
        let mut templates = self.action.templates();
        templates.extend(self.max_attempts.template());
        templates.extend(self.timeout_seconds.as_ref().and_then(OrReference::template));
        templates
    }
}

/// What follows a failed step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The execution stops. The default.
    Abort,
    /// The execution goes on as if the step had succeeded.
    Continue,
    /// The execution goes on at that step.
    Step(StepName),
}

/// What follows a step in which the execution was cancelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnCancel {
    /// The execution stops. The default.
    Abort,
    /// The execution goes on at that step, for two minutes at most.
    Step(StepName),
}

/// An output a step declares.
#[derive(Clone, Debug, PartialEq)]
pub struct UserOutput {
    /// Its name.
    pub name: String,
    /// Where its value is in the action's response: a JSONPath.
    pub selector: Option<Selector>,
    /// Its type; String unless declared.
    pub value_type: ValueType,
    /// Where it is declared.
    pub position: Position,
}
