//! Where an execution goes when a step is over (User Guide, automation-actions).

use crate::turn::{Moved, Turn};
use crate::{Ending, LoopFrame, Phase, Rejection, Status, StepExecution, StopType};
use fleetwright_runbook::{OnCancel, OnFailure, Step, StepName};
use jiff::SignedDuration;

/// How long the steps that follow a stop may run.
const ON_CANCEL_TIME: SignedDuration = SignedDuration::from_mins(2);
/// The message of a step whose own time is over.
pub(crate) const OUT_OF_TIME: &str = "timeoutSeconds passed";
/// A message that is kept in the execution is cut here, in bytes of JSON: an item has no room for more.
pub(crate) const MESSAGE_BYTES_MAX: usize = 2_000;

/// How a step ended.
#[derive(Debug)]
pub(crate) struct StepEnd {
    pub(crate) status: Status,
    pub(crate) failure_message: Option<String>,
    /// Where a branch sends the execution.
    pub(crate) branch: Option<StepName>,
    /// A loop that ends with a step inside it: whether that makes the execution fail was the step's to say.
    pub(crate) inherited: bool,
}

impl StepEnd {
    const fn of(status: Status, failure_message: Option<String>) -> Self {
        Self { status, failure_message, branch: None, inherited: false }
    }

    pub(crate) const fn success() -> Self {
        Self::of(Status::Success, None)
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::of(Status::Failed, Some(message.into()))
    }

    pub(crate) fn timed_out(message: impl Into<String>) -> Self {
        Self::of(Status::TimedOut, Some(message.into()))
    }

    pub(crate) fn cancelled() -> Self {
        Self::of(Status::Cancelled, Some("Stopped by StopAutomationExecution".to_owned()))
    }

    /// How a loop ends in which that step ended so.
    pub(crate) fn inherited(&self, from: &StepName) -> Self {
        let message = self.failure_message.as_deref().unwrap_or("it failed");
        let message = shortened(&format!("Step {from} {}: {message}", self.status.as_str()));
        Self { inherited: true, ..Self::of(self.status, Some(message)) }
    }
}

/// What comes after a step.
#[derive(Debug)]
enum Next {
    /// That step, of the same list of steps.
    Step(StepName),
    /// Nothing more in its list: a loop's round is over, or the document.
    ListOver,
    /// The loop around it ends as it did; without one the execution does.
    LoopEnds,
    /// No further step, whatever loops are around.
    NoMore,
}

impl Turn<'_> {
    /// Closes a step and moves the execution on. Where it takes the loops around it along, they close with it.
    pub(crate) fn leave(
        &mut self,
        step: StepExecution,
        definition: &Step,
        end: StepEnd,
    ) -> Result<Moved, Rejection> {
        let (mut step, mut definition, mut end) = (step, definition, end);
        loop {
            self.keep_outputs(&mut step, &mut end);
            end.failure_message = end.failure_message.map(|message| shortened(&message));
            self.mark(definition, &end);
            let next =
                if self.stopping() { self.after_stop(definition) } else { self.next(definition, &end) };
            self.close(step, &end, &next);
            match next {
                Next::Step(name) => {
                    self.execution.phase = Phase::At(name);
                    return Ok(Moved::On);
                }
                Next::ListOver => return Ok(self.end_list()),
                Next::NoMore => return Ok(self.end_steps(&end.inherited(&definition.name))),
                Next::LoopEnds => {
                    let inherited = end.inherited(&definition.name);
                    let Some((frame, its_end)) = self.take_loop(inherited) else { return Ok(self.finish()) };
                    definition = self.definition(&frame.step)?;
                    step = frame.with_outputs();
                    end = its_end;
                }
            }
        }
    }

    /// A critical step that fails makes the execution fail, whatever comes after (`isCritical`: true unless said
    /// otherwise, and false where `onFailure` is Continue). Inside loops that takes all of them to be critical.
    fn mark(&mut self, definition: &Step, end: &StepEnd) {
        let failed = matches!(end.status, Status::Failed | Status::TimedOut);
        let critical = || {
            let around = self.runbook.loops_around(&definition.name);
            definition.is_critical() && around.into_iter().all(Step::is_critical)
        };
        if failed && !end.inherited && self.execution.marked.is_none() && critical() {
            let message = end.failure_message.as_deref().unwrap_or("it failed");
            let message = format!("Step {} {}: {message}", definition.name, end.status.as_str());
            self.execution.marked = Some(Ending::badly(end.status, shortened(&message)));
        }
    }

    fn close(&mut self, mut step: StepExecution, end: &StepEnd, next: &Next) {
        step.status = end.status;
        step.ended_at = Some(self.now);
        step.failure_message.clone_from(&end.failure_message);
        step.work = None;
        step.next_step = match next {
            Next::Step(name) => Some(name.clone()),
            Next::ListOver | Next::LoopEnds | Next::NoMore => None,
        };
        self.hand_over(step);
    }

    /// The stopped step's `onCancel` may name a step to clean up with; that and what follows it have two minutes
    /// (User Guide, automation-actions). Inside a loop they finish its round, and no other follows.
    fn after_stop(&mut self, definition: &Step) -> Next {
        match (&definition.on_cancel, self.execution.stop.as_mut()) {
            (OnCancel::Step(name), Some(stop)) if stop.kind == StopType::Cancel => {
                stop.on_cancel_until = Some(self.now + ON_CANCEL_TIME);
                for frame in &mut self.execution.loops {
                    frame.step.status = Status::Cancelling;
                    // Stored when it was begun: whoever lists the steps sees it stop.
                    self.begun.retain(|begun| begun.ordinal != frame.step.ordinal);
                    self.begun.push(frame.step.clone());
                }
                Next::Step(name.clone())
            }
            (OnCancel::Step(_) | OnCancel::Abort, _) => Next::NoMore,
        }
    }

    fn next(&self, definition: &Step, end: &StepEnd) -> Next {
        if self.execution.stop.and_then(|stop| stop.on_cancel_until).is_some_and(|until| self.now >= until) {
            return Next::NoMore;
        }
        if let Some(name) = &end.branch {
            return Next::Step(name.clone());
        }
        let in_order = || {
            let following = || self.runbook.following(&definition.name).map(|step| step.name.clone());
            definition.next_step.clone().or_else(following).map_or(Next::ListOver, Next::Step)
        };
        match end.status {
            Status::Success if definition.is_end => Next::ListOver,
            Status::Success => in_order(),
            Status::Failed | Status::TimedOut => match &definition.on_failure {
                None => Next::LoopEnds,
                // The time that is over is the loop's: what follows is the loop's to say.
                Some(OnFailure::Abort) if self.expired_loop().is_some() => Next::LoopEnds,
                // Written out it is inherited by the loop around (User Guide, automation-action-loop).
                Some(OnFailure::Abort) => Next::NoMore,
                // `isEnd` stops "whether the step failed or succeeded".
                Some(OnFailure::Continue | OnFailure::Step(_)) if definition.is_end => Next::ListOver,
                Some(OnFailure::Continue) => in_order(),
                Some(OnFailure::Step(name)) => Next::Step(name.clone()),
            },
            Status::Cancelled | Status::InProgress | Status::Waiting | Status::Cancelling => Next::NoMore,
        }
    }

    /// A list of steps is over: the round of a loop, or the document.
    fn end_list(&mut self) -> Moved {
        match self.execution.loops.last() {
            None => self.finish(),
            Some(frame) if frame.is_cancelling() => self.end_steps(&StepEnd::cancelled()),
            Some(frame) => {
                self.execution.phase = Phase::At(frame.step.name.clone());
                Moved::On
            }
        }
    }

    /// No further step: what loops there are end as the step did, or Cancelled by a stop.
    pub(crate) fn end_steps(&mut self, end: &StepEnd) -> Moved {
        if self.execution.stop.is_some() {
            self.close_loops(0, &StepEnd::cancelled());
        } else {
            self.close_loops(0, end);
        }
        self.finish()
    }

    /// The loop that ends with a step that ended so, and how: the innermost, or the outermost that is out of time.
    fn take_loop(&mut self, end: StepEnd) -> Option<(LoopFrame, StepEnd)> {
        if self.execution.loops.last().is_some_and(LoopFrame::is_cancelling) {
            self.close_loops(0, &StepEnd::cancelled());
        }
        match self.expired_loop() {
            None => Some((self.execution.loops.pop()?, end)),
            Some(depth) => Some((self.expire_loop(depth)?, StepEnd::timed_out(OUT_OF_TIME))),
        }
    }

    /// Closes the loops from that depth on, the innermost first.
    pub(crate) fn close_loops(&mut self, depth: usize, end: &StepEnd) {
        while self.execution.loops.len() > depth {
            let Some(frame) = self.execution.loops.pop() else { return };
            self.close(frame.step, end, &Next::NoMore);
        }
    }
}

pub(crate) fn shortened(message: &str) -> String {
    let mut room = MESSAGE_BYTES_MAX;
    let fits = |letter| {
        room = room.checked_sub(json_bytes(letter))?;
        Some(letter)
    };
    message.chars().map_while(fits).collect()
}

/// How many bytes a letter has in JSON at most: what is not escaped by one letter is by six (RFC 8259, section 7).
const fn json_bytes(letter: char) -> usize {
    match letter {
        '\0'..='\x1f' => 6,
        '"' | '\\' => 2,
        _ => letter.len_utf8(),
    }
}
