//! One decision in the making: the execution as it changes, and what has been collected for the commit.

use crate::execution::EXECUTION_AGE_MAX;
use crate::scope::{Scope, Unopened};
use crate::{
    Decision, Effect, Ended, Ending, Execution, HaltCause, Need, NodeList, Observations, Pending,
    PendingKind, Phase, Rejection, Report, Send, Status, StepExecution, StopType, Work,
};
use fleetwright_fleet::CommandId;
use fleetwright_runbook::{Runbook, Step};
use jiff::{SignedDuration, Timestamp};

/// Steps closed in one commit; more go into the next one (a transaction has room for 80 actions).
pub(crate) const STEPS_PER_COMMIT_MAX: usize = 20;
/// A pending effect is looked after again so long after its commit.
const PENDING_RECHECK: SignedDuration = SignedDuration::from_secs(60);
/// What tells somebody is its committer's for so long: whoever looks in between would tell it again. A committer that
/// failed tries again after as long.
const TOLD_BY_COMMITTER_FOR: SignedDuration = SignedDuration::from_secs(5);
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
    pub(crate) begun: Vec<StepExecution>,
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
            begun: Vec::new(),
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
                Phase::Ending(ending) => self.end(ending)?,
                Phase::Ended { .. } => Moved::Waits,
            };
            if moved == Moved::Waits {
                break;
            }
            if self.begun.len() + self.closed.len() >= STEPS_PER_COMMIT_MAX {
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

    pub(crate) fn decision(mut self, again: bool) -> Decision {
        let ended = matches!(self.execution.phase, Phase::Ended { .. });
        // The last steps are over: what remains is settled at once.
        let again = again || (self.changed && matches!(self.execution.phase, Phase::Ending(_)));
        for pending in self.execution.pending.values() {
            self.waits.push(pending.since + PENDING_RECHECK);
            let is_anothers = pending.since != self.now && self.now < pending.since + TOLD_BY_COMMITTER_FOR;
            if !(pending.kind.tells_somebody() && is_anothers) {
                self.effects.push(Effect::Pending(pending.kind.clone()));
            }
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
            begun: self.begun,
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

    /// Hands a closed step over to the commit.
    pub(crate) fn hand_over(&mut self, step: StepExecution) {
        self.begun.retain(|begun| begun.ordinal != step.ordinal);
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

    /// When a step runs out of time: its own, that of the loops around it, the execution's, or that of the steps that
    /// follow a stop.
    pub(crate) fn deadline(&self, step: &StepExecution) -> Timestamp {
        let of_stop = self.execution.stop.and_then(|stop| stop.on_cancel_until);
        [step.deadline, of_stop].into_iter().flatten().fold(self.outer_deadline(), Timestamp::min)
    }

    /// When all attempts of a step run out of time, whatever its own.
    fn outer_deadline(&self) -> Timestamp {
        let of_age = self.execution.started_at + EXECUTION_AGE_MAX;
        let loops = self.execution.loops.iter().filter(|frame| !frame.is_cancelling());
        loops.filter_map(|frame| frame.step.deadline).fold(of_age, Timestamp::min)
    }

    /// Whether a failed step may be tried once more.
    pub(crate) fn has_time(&self) -> bool {
        self.execution.stop.is_none() && self.now < self.outer_deadline()
    }

    /// When an attempt that begins now runs out of its own time: each has `timeoutSeconds`, so that a step is not timed
    /// out until its attempts are used up.
    pub(crate) fn attempt_deadline(&self, definition: &Step) -> Option<Timestamp> {
        Some(self.now + self.timeout(definition).ok()??)
    }

    /// How long an attempt may take: as the step says, else as its action does.
    pub(crate) fn timeout(&self, definition: &Step) -> Result<Option<SignedDuration>, Unopened> {
        let scope = self.scope();
        let seconds = match &definition.timeout_seconds {
            Some(seconds) => Some(seconds.resolve(&|reference: &_| scope.look_up(reference))?),
            None => definition.action.default_timeout_seconds(),
        };
        Ok(seconds.map(|seconds| SignedDuration::from_secs(seconds.into())))
    }

    /// How often a step is tried.
    pub(crate) fn attempts(&self, definition: &Step) -> u32 {
        let scope = self.scope();
        definition.max_attempts.resolve(&|reference: &_| scope.look_up(reference)).unwrap_or(1)
    }

    /// The steps are over; the execution is when its commands are settled.
    fn end(&mut self, mut ending: Ending) -> Result<Moved, Rejection> {
        if !self.execution.unsettled.is_empty() {
            return Ok(Moved::Waits);
        }
        let outputs = self.document_outputs()?;
        // Nothing reads them any more, and the item has room for them once.
        self.execution.outputs.clear();
        ending.warning = self.keep_document_outputs(outputs);
        if self.execution.announced {
            self.pend(PendingKind::Publish);
        }
        self.execution.phase = Phase::Ended { ending, at: self.now };
        self.changed = true;
        Ok(Moved::On)
    }

    /// All steps are over: with the worst end of a critical step, or as the stop wants it.
    pub(crate) fn finish(&mut self) -> Moved {
        let success = Ending { status: Status::Success, failure_message: None, warning: None };
        let ending = match self.execution.stop.map(|stop| stop.kind) {
            Some(StopType::Cancel) => {
                Ending::badly(Status::Cancelled, "Stopped by StopAutomationExecution".to_owned())
            }
            Some(StopType::Complete) => success,
            None => self.execution.marked.clone().unwrap_or(success),
        };
        self.execution.phase = Phase::Ending(ending);
        self.changed = true;
        Moved::On
    }
}
