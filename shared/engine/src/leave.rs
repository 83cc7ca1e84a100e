//! Where an execution goes when a step is over (User Guide, automation-actions).

use crate::turn::{Moved, Turn};
use crate::{Ending, Phase, Status, StepExecution, StopType};
use fleetwright_runbook::{OnCancel, OnFailure, Step, StepName};
use jiff::SignedDuration;

/// How long the steps that follow a stop may run.
const ON_CANCEL_TIME: SignedDuration = SignedDuration::from_mins(2);

/// How a step ended.
pub(crate) struct StepEnd {
    pub(crate) status: Status,
    pub(crate) failure_message: Option<String>,
    /// Where a branch sends the execution.
    pub(crate) branch: Option<StepName>,
}

impl StepEnd {
    pub(crate) const fn success() -> Self {
        Self { status: Status::Success, failure_message: None, branch: None }
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self { status: Status::Failed, failure_message: Some(message.into()), branch: None }
    }

    pub(crate) fn timed_out(message: &str) -> Self {
        Self { status: Status::TimedOut, failure_message: Some(message.to_owned()), branch: None }
    }

    pub(crate) fn cancelled() -> Self {
        Self {
            status: Status::Cancelled,
            failure_message: Some("Stopped by StopAutomationExecution".to_owned()),
            branch: None,
        }
    }
}

/// What comes after a step.
enum Next {
    Step(StepName),
    End,
}

impl Turn<'_> {
    /// Closes a step and moves the execution on.
    pub(crate) fn leave(&mut self, mut step: StepExecution, definition: &Step, end: StepEnd) -> Moved {
        self.mark(definition, &end);
        let next = if self.stopping() { self.after_stop(definition) } else { self.next(definition, &end) };
        step.status = end.status;
        step.ended_at = Some(self.now);
        step.failure_message = end.failure_message;
        step.work = None;
        step.next_step = match &next {
            Next::Step(name) => Some(name.clone()),
            Next::End => None,
        };
        self.close(step);
        match next {
            Next::Step(name) => {
                self.execution.phase = Phase::At(name);
                Moved::On
            }
            Next::End => self.finish(),
        }
    }

    /// A critical step that fails makes the execution fail, whatever comes after (`isCritical`: true unless said
    /// otherwise, and false where `onFailure` is Continue).
    fn mark(&mut self, definition: &Step, end: &StepEnd) {
        let failed = matches!(end.status, Status::Failed | Status::TimedOut);
        let critical = definition.is_critical();
        if failed && critical && self.execution.marked.is_none() {
            let message = end.failure_message.as_deref().unwrap_or("it failed");
            self.execution.marked = Some(Ending {
                status: end.status,
                failure_message: Some(format!("Step {} {}: {message}", definition.name, end.status.as_str())),
            });
        }
    }

    /// The stopped step's `onCancel` may name a step to clean up with; that and what follows it have two minutes
    /// (User Guide, automation-actions).
    fn after_stop(&mut self, definition: &Step) -> Next {
        match (&definition.on_cancel, self.execution.stop.as_mut()) {
            (OnCancel::Step(name), Some(stop)) if stop.kind == StopType::Cancel => {
                stop.on_cancel_until = Some(self.now + ON_CANCEL_TIME);
                Next::Step(name.clone())
            }
            (OnCancel::Step(_) | OnCancel::Abort, _) => Next::End,
        }
    }

    fn next(&self, definition: &Step, end: &StepEnd) -> Next {
        if self.execution.stop.and_then(|stop| stop.on_cancel_until).is_some_and(|until| self.now >= until) {
            return Next::End;
        }
        if let Some(name) = &end.branch {
            return Next::Step(name.clone());
        }
        let in_order = || {
            let following = || self.runbook.following(&definition.name).map(|step| step.name.clone());
            definition.next_step.clone().or_else(following).map_or(Next::End, Next::Step)
        };
        match end.status {
            // `isEnd` stops "whether the step failed or succeeded".
            _ if definition.is_end => Next::End,
            Status::Success => in_order(),
            Status::Failed | Status::TimedOut => match definition.on_failure() {
                OnFailure::Abort => Next::End,
                OnFailure::Continue => in_order(),
                OnFailure::Step(name) => Next::Step(name.clone()),
            },
            Status::Cancelled | Status::InProgress | Status::Cancelling => Next::End,
        }
    }
}
