//! One decision in the making: the execution as it changes, and what has been collected for the commit.

use crate::scope::Scope;
use crate::{
    Decision, EXECUTION_AGE_MAX, Effect, Ended, Ending, Execution, HaltCause, Need, NodeList, Observations,
    Pending, PendingKind, Phase, Rejection, Report, Send, Status, StepExecution, StopType, Work,
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
/// A wake that came early is sent again if no more than this remains.
const WAKE_AGAIN_WITHIN: SignedDuration = SignedDuration::from_secs(15);
/// Commands settled late that are asked for at once: each takes a few calls of SSM.
const LATE_SETTLES_MAX: usize = 4;

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

    /// Commits a stop at once: no further intent, and what is live is halted.
    pub(crate) fn begin_stop(mut self) -> Result<Decision, Rejection> {
        self.changed();
        if let Phase::In(step) = self.execution.phase.clone()
            && let Some(Work::Fleet(work)) = step.work.clone()
        {
            let mut work = *work;
            self.start_halting(&mut work, HaltCause::Stopped);
            self.keep(*step, work);
        }
        Ok(self.decision(true))
    }

    fn decision(mut self, again: bool) -> Decision {
        let ended = matches!(self.execution.phase, Phase::Ended { .. });
        // The last steps are over: what remains is settled at once.
        let again = again || (self.changed && matches!(self.execution.phase, Phase::Ending(_)));
        for pending in self.execution.pending.values() {
            self.waits.push(pending.since + PENDING_RECHECK);
            self.effects.push(Effect::Pending(pending.kind.clone()));
        }
        if !self.execution.unsettled.is_empty() {
            self.waits.push(self.now + PENDING_RECHECK);
        }
        let due = match (ended && self.execution.pending.is_empty(), again) {
            (true, _) => None,
            (false, true) => Some(self.now),
            (false, false) => self.waits.iter().chain(&self.precise_waits).copied().min(),
        };
        let wake = if ended { None } else { self.wake() };
        Decision {
            changed: self.changed,
            closed: self.closed,
            planned: self.planned,
            ended: self.ended,
            lists: self.lists,
            effects: self.effects,
            due,
            wake,
            again,
            execution: self.execution,
        }
    }

    /// One wake for each moment, remembered with the commit. One that came early is sent again if little remains. A
    /// settle that SSM was not ready for has a short rhythm of its own, not worth a commit.
    fn wake(&mut self) -> Option<Timestamp> {
        let at = self.precise_waits.iter().copied().min().filter(|at| *at <= self.now + WAKE_AHEAD_MAX)?;
        if self.seen.settle_again.values().any(|again| again.precisely && again.at == at) {
            return Some(at);
        }
        let new = self.execution.wake_at != Some(at);
        if new {
            self.execution.wake_at = Some(at);
            self.changed = true;
        }
        let early = self.seen.woken && at <= self.now + WAKE_AGAIN_WITHIN;
        (new || early).then_some(at)
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

    /// Commands whose step has gone on are settled when nothing else waits for it: at the end, or by reconcile.
    fn check_off_settled(&mut self) -> Result<(), Rejection> {
        let last = matches!(self.execution.phase, Phase::Ending(_));
        if !last && self.seen.scheduled.is_none() {
            return Ok(());
        }
        let mut needs = Vec::new();
        for (token, command_id) in self.execution.unsettled.clone() {
            match self.seen.reports.get(&command_id) {
                None => needs.push(Need::Report(command_id)),
                Some(report) if report.is_settled() => {
                    self.execution.unsettled.remove(&token);
                    self.changed = true;
                }
                Some(_) => match self.seen.settle_again.get(&command_id) {
                    None => needs.push(Need::Settle(command_id)),
                    Some(again) if again.precisely && last => self.wait_precisely(again.at),
                    Some(again) => self.wait(again.at),
                },
            }
        }
        if needs.iter().all(|need| matches!(need, Need::Settle(_))) {
            needs.truncate(LATE_SETTLES_MAX);
        } else {
            needs.retain(|need| matches!(need, Need::Report(_)));
        }
        if needs.is_empty() { Ok(()) } else { Err(Rejection::Needs(needs)) }
    }

    /// Told to stop, and not in the steps that the runbook has for that.
    pub(crate) fn stopping(&self) -> bool {
        self.execution.stop.is_some_and(|stop| stop.on_cancel_until.is_none())
    }

    /// When a step runs out of time: its own, the execution's, or that of the steps that follow a stop.
    pub(crate) fn deadline(&self, step: &StepExecution) -> Timestamp {
        let of_age = self.execution.started_at + EXECUTION_AGE_MAX;
        let of_stop = self.execution.stop.and_then(|stop| stop.on_cancel_until);
        [step.deadline, of_stop].into_iter().flatten().fold(of_age, Timestamp::min)
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
