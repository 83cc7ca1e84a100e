//! Opening a step: its inputs are resolved when it begins, not before.

use crate::execution::EXECUTION_AGE_MAX;
use crate::leave::StepEnd;
use crate::scope::{Scope, Unopened};
use crate::turn::{Moved, Turn};
use crate::{
    Ending, FleetWork, LoopFrame, PendingKind, Phase, Rejection, Rounds, Status, StepExecution, Work,
};
use crate::{approve, branch, looping, request};
use fleetwright_runbook::{Action, SLEEP_MAX, Sleep, Step, StepName};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What a step does once its inputs are known.
enum Opened {
    /// It goes on for a while.
    Works(Work),
    /// It goes through the steps inside it.
    Loops(Rounds),
    /// It is over at once.
    Over(StepEnd),
}

impl Turn<'_> {
    /// Opens the step the execution is at; at a loop it is in already, that is the loop's next round.
    pub(crate) fn open(&mut self, name: &StepName) -> Result<Moved, Rejection> {
        if self.stopping() {
            return Ok(self.end_steps(&StepEnd::cancelled()));
        }
        if self.now >= self.execution.started_at + EXECUTION_AGE_MAX {
            let message = "It is 90 days old".to_owned();
            self.execution.marked = Some(Ending::badly(Status::TimedOut, message.clone()));
            return Ok(self.end_steps(&StepEnd::timed_out(message)));
        }
        if self.execution.loops.last().is_some_and(|frame| frame.step.name == *name) {
            return self.next_round();
        }
        if let Some(depth) = self.expired_loop() {
            return self.end_expired_loop(depth);
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
            Opened::Over(end) => self.leave(step, definition, end),
            Opened::Loops(rounds) => self.begin_loop(step, definition, rounds),
            Opened::Works(work) => {
                self.work(step, work);
                Ok(Moved::On)
            }
        }
    }

    fn work(&mut self, mut step: StepExecution, work: Work) {
        match &work {
            Work::Fleet(_) | Work::Sleep { .. } | Work::Answered => {}
            Work::Pause => step.status = Status::Waiting,
            Work::Approval(approval) => {
                step.status = Status::Waiting;
                if approval.notification_arn.is_some() {
                    self.pend(PendingKind::AskApproval(step.ordinal));
                }
            }
        }
        step.work = Some(work);
        self.execution.phase = Phase::In(Box::new(step));
    }

    fn begin(&self, definition: &Step) -> StepExecution {
        StepExecution {
            ordinal: self.execution.steps_begun,
            name: definition.name.clone(),
            action: definition.action.name().to_owned(),
            parent: self.execution.loops.last().map(LoopFrame::as_parent),
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
        let timeout = self.timeout(definition)?;
        step.deadline = timeout.map(|timeout| self.now + timeout);
        if self.execution.answered.contains(&definition.name) && definition.action.can_be_answered() {
            definition.action.templates().into_iter().try_for_each(|t| t.resolve(&look_up).map(drop))?;
            return Ok(Opened::Works(Work::Answered));
        }
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
            Action::Pause => Ok(Opened::Works(Work::Pause)),
            Action::Approve(approve) => {
                step.deadline = Some(self.now + approve::time(timeout));
                Ok(Opened::Works(Work::Approval(approve::resolve(approve, &scope)?)))
            }
            Action::Loop(looping) => Ok(Opened::Loops(looping::rounds(looping, &scope)?)),
            Action::UpdateVariable(update) => Ok(Opened::Over(self.update_variable(update)?)),
            Action::Other(other) => {
                Err(Unopened::Fails(format!("{} cannot be executed here yet", other.kind.as_str())))
            }
        }
    }

    /// Lets an open step go on.
    pub(crate) fn drive(&mut self, step: StepExecution) -> Result<Moved, Rejection> {
        let definition = self.definition(&step)?;
        match step.work.clone() {
            None => Err(Rejection::Illegal(format!("step {} is open and does nothing", step.ordinal))),
            Some(Work::Sleep { until }) => self.drive_sleep(step, definition, until),
            Some(Work::Fleet(work)) => self.drive_fleet(step, definition, *work),
            Some(Work::Pause) => self.drive_pause(step, definition),
            Some(Work::Approval(approval)) => self.drive_approval(step, definition, &approval),
            Some(Work::Answered) => self.drive_answered(step, definition),
        }
    }

    fn drive_sleep(
        &mut self,
        step: StepExecution,
        definition: &Step,
        until: Timestamp,
    ) -> Result<Moved, Rejection> {
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
        Ok(Moved::Waits)
    }

    /// Keeps an open fleet step with what it has come to.
    pub(crate) fn keep(&mut self, mut step: StepExecution, work: FleetWork) {
        step.work = Some(Work::Fleet(Box::new(work)));
        self.execution.phase = Phase::In(Box::new(step));
    }
}

/// A moment in the past means: go on at once; the longest is 604,799 s (User Guide, automation-action-sleep).
fn sleep_until(sleep: &Sleep, scope: &Scope<'_>, now: Timestamp) -> Result<Timestamp, Unopened> {
    let look_up = |reference: &_| scope.look_up(reference);
    match sleep {
        Sleep::Duration(duration) => Ok(now + duration.resolve(&look_up)?),
        Sleep::Timestamp(timestamp) => {
            let until = timestamp.resolve(&look_up)?;
            if until.duration_since(now) > SLEEP_MAX {
                let longest = SLEEP_MAX.as_secs();
                return Err(Unopened::Fails(format!(
                    "Timestamp: more than {longest} s away, which is the longest sleep"
                )));
            }
            Ok(until)
        }
    }
}
