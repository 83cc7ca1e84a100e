//! One decision in the making: the execution as it changes, and what has been collected for the commit.

use crate::scope::Scope;
use crate::{
    Decision, EXECUTION_AGE_MAX, Effect, Ended, Ending, Execution, Need, NodeList, Observations, Pending,
    PendingKind, Phase, Rejection, Report, Send, Status, StepExecution, StopType,
};
use fleetwright_fleet::CommandId;
use fleetwright_runbook::Runbook;
use jiff::{SignedDuration, Timestamp};

/// Steps closed in one commit; more go into the next one (a transaction has room for 80 actions).
pub const STEPS_PER_COMMIT_MAX: usize = 20;
/// A pending effect is looked after again so long after its commit.
const PENDING_RECHECK: SignedDuration = SignedDuration::from_secs(60);
/// A wake is a delayed message; SQS delays up to 15 minutes. Later moments are left to reconcile.
const WAKE_AHEAD_MAX: SignedDuration = SignedDuration::from_mins(15);

/// Whether a phase has moved on, and the turn goes on with the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// Look at the new phase.
    On,
    /// Nothing more can be done now.
    Waits,
}

pub(crate) struct Turn<'a> {
    pub(crate) execution: Execution,
    pub(crate) runbook: &'a Runbook,
    pub(crate) seen: &'a Observations,
    pub(crate) now: Timestamp,
    pub(crate) planned: Vec<Send>,
    pub(crate) ended: Vec<Ended>,
    pub(crate) lists: Vec<NodeList>,
    changed: bool,
    closed: Vec<StepExecution>,
    effects: Vec<Effect>,
    waits: Vec<Timestamp>,
    precise_waits: Vec<Timestamp>,
}

impl<'a> Turn<'a> {
    pub(crate) const fn new(
        execution: Execution,
        runbook: &'a Runbook,
        seen: &'a Observations,
        now: Timestamp,
    ) -> Self {
        Self {
            execution,
            runbook,
            seen,
            now,
            planned: Vec::new(),
            ended: Vec::new(),
            lists: Vec::new(),
            changed: false,
            closed: Vec::new(),
            effects: Vec::new(),
            waits: Vec::new(),
            precise_waits: Vec::new(),
        }
    }

    pub(crate) fn run(mut self) -> Result<Decision, Rejection> {
        self.check_off_settled()?;
        let mut again = false;
        loop {
            let moved = match self.execution.phase.clone() {
                Phase::At(name) => self.open(&name)?,
                Phase::In(step) => self.drive(*step)?,
                Phase::Ending(ending) => self.end(ending),
                Phase::Ended { .. } => Moved::Waits,
            };
            if moved == Moved::Waits {
                break;
            }
            if self.closed.len() >= STEPS_PER_COMMIT_MAX {
                again = true;
                break;
            }
        }
        Ok(self.decision(again))
    }

    fn decision(mut self, again: bool) -> Decision {
        let ended = matches!(self.execution.phase, Phase::Ended { .. });
        for pending in self.execution.pending.values() {
            self.waits.push(pending.since + PENDING_RECHECK);
            self.effects.push(Effect::Pending(pending.kind.clone()));
        }
        if !self.execution.unsettled.is_empty() {
            self.waits.push(self.now + PENDING_RECHECK);
        }
        self.waits.push(self.execution.started_at + EXECUTION_AGE_MAX);
        let ahead = self.now + WAKE_AHEAD_MAX;
        let wake = self.precise_waits.iter().copied().min().filter(|at| *at <= ahead);
        let due = self.waits.iter().chain(&self.precise_waits).copied().min();
        Decision {
            changed: self.changed,
            closed: self.closed,
            planned: self.planned,
            ended: self.ended,
            lists: self.lists,
            effects: self.effects,
            due: if ended && self.execution.pending.is_empty() {
                None
            } else if again {
                Some(self.now)
            } else {
                due
            },
            wake: if ended { None } else { wake },
            again: again || (!ended && !self.execution.unsettled.is_empty()),
            execution: self.execution,
        }
    }

    pub(crate) const fn changed(&mut self) {
        self.changed = true;
    }

    /// Something happens by itself at `at`; reconcile will see it.
    pub(crate) fn wait(&mut self, at: Timestamp) {
        self.waits.push(at);
    }

    /// Something is to happen at `at`, not at the next reconcile after it.
    pub(crate) fn wait_precisely(&mut self, at: Timestamp) {
        self.precise_waits.push(at);
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// What references stand for now.
    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope { execution: &self.execution, seen: self.seen, fresh: &self.lists, now: self.now }
    }

    pub(crate) fn report(&self, command_id: &CommandId) -> Result<&'a Report, Rejection> {
        let missing = || Rejection::Needs(vec![Need::Report(command_id.clone())]);
        self.seen.reports.get(command_id).ok_or_else(missing)
    }

    /// Decides an effect that stays in the execution until it has happened.
    pub(crate) fn pend(&mut self, kind: PendingKind) {
        self.execution.pending.insert(kind.key(), Pending { kind, since: self.now });
        self.changed = true;
    }

    /// Closes a step: keeps what later steps read of it, and hands it over to the commit.
    pub(crate) fn close(&mut self, step: StepExecution) {
        let read = self.runbook.outputs_read(&step.name);
        for (name, output) in &step.outputs {
            if read.contains(name.as_str()) || read.contains("*") {
                self.execution.outputs.insert(format!("{}.{name}", step.name), output.clone());
            }
        }
        self.closed.push(step);
        self.changed = true;
    }

    /// Commands whose step has gone on are settled as soon as SSM has said all.
    fn check_off_settled(&mut self) -> Result<(), Rejection> {
        let mut needs = Vec::new();
        for (token, command_id) in self.execution.unsettled.clone() {
            match self.seen.reports.get(&command_id) {
                None => needs.push(Need::Report(command_id)),
                Some(report) if report.is_settled() => {
                    self.execution.unsettled.remove(&token);
                }
                Some(_) => match self.seen.settle_again.get(&command_id) {
                    None => needs.push(Need::Settle(command_id)),
                    Some(at) => self.wait_precisely(*at),
                },
            }
        }
        if needs.is_empty() { Ok(()) } else { Err(Rejection::Needs(needs)) }
    }

    /// The steps are over; the execution is when its commands are settled.
    fn end(&mut self, ending: Ending) -> Moved {
        if !self.execution.unsettled.is_empty() {
            return Moved::Waits;
        }
        for wanted in &self.runbook.outputs {
            let prefix = wanted.text.strip_suffix('*');
            for (name, output) in &self.execution.outputs {
                if *name == wanted.text || prefix.is_some_and(|prefix| name.starts_with(prefix)) {
                    self.execution.document_outputs.insert(name.clone(), output.clone());
                }
            }
        }
        if self.execution.announced {
            self.pend(PendingKind::Publish);
        }
        self.execution.phase = Phase::Ended { ending, at: self.now };
        self.changed = true;
        Moved::On
    }

    /// All steps are over: with the worst end of a critical step, or as the stop wants it.
    pub(crate) fn finish(&mut self) -> Moved {
        let success = Ending { status: Status::Success, failure_message: None };
        let ending = match self.execution.stop.map(|stop| stop.kind) {
            Some(StopType::Cancel) => Ending {
                status: Status::Cancelled,
                failure_message: Some("Stopped by StopAutomationExecution".to_owned()),
            },
            Some(StopType::Complete) => success,
            None => self.execution.marked.clone().unwrap_or(success),
        };
        self.execution.phase = Phase::Ending(ending);
        self.changed = true;
        Moved::On
    }
}
