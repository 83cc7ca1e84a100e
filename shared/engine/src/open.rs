//! Opening a step: its inputs are resolved when it begins, not before.

use crate::leave::StepEnd;
use crate::scope::{Scope, Unopened};
use crate::turn::{Moved, Turn};
use crate::{Ending, FleetWork, Phase, Rejection, Status, StepExecution, Work, branch, request};
use fleetwright_runbook::{Action, Sleep, Step, StepName};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// What a step does once its inputs are known.
enum Opened {
    /// It goes on for a while.
    Works(Work),
    /// It is over at once.
    Over(StepEnd),
}

impl Turn<'_> {
    /// Opens the step the execution is at.
    pub(crate) fn open(&mut self, name: &StepName) -> Result<Moved, Rejection> {
        if self.stopping() {
            return Ok(self.finish());
        }
        if self.now >= self.execution.started_at + crate::EXECUTION_AGE_MAX {
            self.execution.marked = Some(Ending {
                status: Status::TimedOut,
                failure_message: Some("It is 90 days old".to_owned()),
            });
            return Ok(self.finish());
        }
        let runbook = self.runbook;
        let Some(definition) = runbook.step(name.as_str()) else {
            return Err(Rejection::Illegal(format!("the runbook has no step {name}")));
        };
        let mut step = self.begin(definition);
        let opened = match self.resolve(definition, &mut step) {
            Ok(opened) => opened,
            Err(Unopened::Rejected(rejection)) => return Err(rejection),
            Err(Unopened::Fails(message)) => Opened::Over(StepEnd::failed(message)),
        };
        self.execution.steps_begun += 1;
        self.changed();
        match opened {
            Opened::Over(end) => Ok(self.leave(step, definition, end)),
            Opened::Works(work) => {
                step.work = Some(work);
                self.execution.phase = Phase::In(Box::new(step));
                Ok(Moved::On)
            }
        }
    }

    fn begin(&self, definition: &Step) -> StepExecution {
        StepExecution {
            ordinal: self.execution.steps_begun,
            name: definition.name.clone(),
            action: definition.action.name().to_owned(),
            attempt: 1,
            status: Status::InProgress,
            started_at: self.now,
            ended_at: None,
            deadline: None,
            work: None,
            commands: Vec::new(),
            counts: None,
            without_command: Vec::new(),
            targets: None,
            outputs: BTreeMap::new(),
            failure_message: None,
            next_step: None,
        }
    }

    fn resolve(&mut self, definition: &Step, step: &mut StepExecution) -> Result<Opened, Unopened> {
        let scope = self.scope();
        let look_up = |reference: &_| scope.look_up(reference);
        step.deadline = match &definition.timeout_seconds {
            None => None,
            Some(seconds) => {
                Some(self.now + SignedDuration::from_secs(i64::from(seconds.resolve(&look_up)?)))
            }
        };
        match &definition.action {
            Action::Branch(branch) => {
                let next = branch::choose(branch, &scope)?;
                Ok(Opened::Over(StepEnd { branch: next, ..StepEnd::success() }))
            }
            Action::Sleep(sleep) => {
                Ok(Opened::Works(Work::Sleep { until: sleep_until(sleep, &scope, self.now)? }))
            }
            Action::RunCommand(command) => {
                let (work, list) = request::resolve(command, &scope)?;
                self.lists.extend(list);
                Ok(Opened::Works(Work::Fleet(Box::new(work))))
            }
            other @ (Action::Pause
            | Action::Approve(_)
            | Action::Loop(_)
            | Action::UpdateVariable(_)
            | Action::Other(_)) => {
                Err(Unopened::Fails(format!("{} cannot be executed here yet", other.name())))
            }
        }
    }

    /// Lets an open step go on.
    pub(crate) fn drive(&mut self, step: StepExecution) -> Result<Moved, Rejection> {
        let runbook = self.runbook;
        let Some(definition) = runbook.step(step.name.as_str()) else {
            return Err(Rejection::Illegal(format!("the runbook has no step {}", step.name)));
        };
        match step.work.clone() {
            None => Err(Rejection::Illegal(format!("step {} is open and does nothing", step.ordinal))),
            Some(Work::Sleep { until }) => Ok(self.drive_sleep(step, definition, until)),
            Some(Work::Fleet(work)) => self.drive_fleet(step, definition, *work),
        }
    }

    fn drive_sleep(&mut self, step: StepExecution, definition: &Step, until: Timestamp) -> Moved {
        if self.stopping() {
            return self.leave(step, definition, StepEnd::cancelled());
        }
        if self.now >= until {
            return self.leave(step, definition, StepEnd::success());
        }
        let deadline = self.deadline(&step);
        if self.now >= deadline {
            return self.leave(step, definition, StepEnd::timed_out("its time is over"));
        }
        self.wait_precisely(deadline.min(until));
        Moved::Waits
    }

    /// Keeps an open fleet step with what it has come to.
    pub(crate) fn keep(&mut self, mut step: StepExecution, work: FleetWork) {
        step.work = Some(Work::Fleet(Box::new(work)));
        self.execution.phase = Phase::In(Box::new(step));
    }
}

/// A moment in the past means: go on at once (User Guide, automation-action-sleep).
fn sleep_until(sleep: &Sleep, scope: &Scope<'_>, now: Timestamp) -> Result<Timestamp, Unopened> {
    let look_up = |reference: &_| scope.look_up(reference);
    match sleep {
        Sleep::Duration(duration) => Ok(now + duration.resolve(&look_up)?),
        Sleep::Timestamp(timestamp) => Ok(timestamp.resolve(&look_up)?),
    }
}
