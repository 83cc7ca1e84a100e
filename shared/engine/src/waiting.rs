//! Open steps that wait for somebody: a pause, an approval, an answer in a rehearsal.

use crate::leave::{OUT_OF_TIME, StepEnd};
use crate::turn::{Moved, Turn};
use crate::{Approval, PendingKind, Rejection, StepExecution, approve};
use fleetwright_runbook::Step;

impl Turn<'_> {
    pub(crate) fn drive_pause(&mut self, step: StepExecution, definition: &Step) -> Result<Moved, Rejection> {
        match self.waited(&step) {
            None => Ok(Moved::Waits),
            Some(end) => self.leave(step, definition, end),
        }
    }

    pub(crate) fn drive_approval(
        &mut self,
        step: StepExecution,
        definition: &Step,
        approval: &Approval,
    ) -> Result<Moved, Rejection> {
        match self.waited(&step) {
            None => Ok(Moved::Waits),
            Some(end) => self.end_approval(step, definition, approval, "Waiting", end),
        }
    }

    pub(crate) fn drive_answered(
        &mut self,
        step: StepExecution,
        definition: &Step,
    ) -> Result<Moved, Rejection> {
        match self.waited(&step) {
            None => Ok(Moved::Waits),
            Some(end) => self.end_attempt(step, definition, end),
        }
    }

    /// An approval is over; nobody need be asked any more.
    pub(crate) fn end_approval(
        &mut self,
        mut step: StepExecution,
        definition: &Step,
        approval: &Approval,
        status: &str,
        end: StepEnd,
    ) -> Result<Moved, Rejection> {
        self.execution.pending.remove(&PendingKind::AskApproval(step.ordinal).key());
        approve::set_outputs(&mut step, approval, status);
        self.leave(step, definition, end)
    }

    /// How a step that waits is over without anybody's word, if it is.
    fn waited(&mut self, step: &StepExecution) -> Option<StepEnd> {
        if self.stopping() {
            return Some(StepEnd::cancelled());
        }
        let deadline = self.deadline(step);
        if self.now >= deadline {
            return Some(StepEnd::timed_out(OUT_OF_TIME));
        }
        self.wait_precisely(deadline);
        None
    }
}
