//! What must be true of every stored execution.

use crate::execution::{EXECUTION_BYTES_MAX, LIVE_SENDS_MAX, STEP_BYTES_MAX, UNSETTLED_MAX};
use crate::looping::LOOPS_MAX;
use crate::{Execution, FleetWork, Phase, StepExecution, Work};

impl Execution {
    /// Holds what must be true of every stored execution. Runs after every load and before every save, in release
    /// builds too; what fails it is parked, visibly.
    ///
    /// # Errors
    /// What is wrong, in words that name ids and numbers only.
    pub fn check(&self) -> Result<(), String> {
        match &self.phase {
            Phase::In(step) => self.check_open(step)?,
            Phase::At(_) | Phase::Ending(_) | Phase::Ended { .. } => self.check_no_sends()?,
        }
        self.check_loops()?;
        let size = self.item_bytes();
        if size > EXECUTION_BYTES_MAX {
            return Err(format!("the execution item would have {size} bytes, over {EXECUTION_BYTES_MAX}"));
        }
        if self.unsettled.len() > UNSETTLED_MAX + LIVE_SENDS_MAX {
            return Err(format!("{} commands wait for their settle", self.unsettled.len()));
        }
        Ok(())
    }

    /// How many bytes of JSON its own item has.
    pub(crate) fn item_bytes(&self) -> usize {
        serde_json::to_vec(&self.head()).map_or(usize::MAX, |text| text.len())
    }

    fn check_no_sends(&self) -> Result<(), String> {
        if self.live.is_empty() {
            Ok(())
        } else {
            Err(format!("{} sends are live outside a step", self.live.len()))
        }
    }

    fn check_open(&self, step: &StepExecution) -> Result<(), String> {
        if step.ordinal.checked_add(1) != Some(self.steps_begun) {
            return Err(format!("step {} is open, {} were begun", step.ordinal, self.steps_begun));
        }
        let parent = self.loops.last().map(crate::LoopFrame::as_parent);
        if step.parent != parent {
            return Err(format!("step {} is open outside the round of its loop", step.ordinal));
        }
        match &step.work {
            None => Err(format!("step {} is open and does nothing", step.ordinal)),
            Some(Work::Sleep { .. } | Work::Pause | Work::Approval(_) | Work::Answered)
                if !self.live.is_empty() =>
            {
                Err(format!("step {} waits and has {} live sends", step.ordinal, self.live.len()))
            }
            Some(Work::Sleep { .. } | Work::Pause | Work::Approval(_) | Work::Answered) => check_size(step),
            Some(Work::Fleet(work)) => self.check_fleet(step, work),
        }
    }

    fn check_fleet(&self, step: &StepExecution, work: &FleetWork) -> Result<(), String> {
        if work.given > work.target_count() {
            return Err(format!("{} of {} targets were given out", work.given, work.target_count()));
        }
        if self.live.len() > LIVE_SENDS_MAX {
            return Err(format!("{} sends are live", self.live.len()));
        }
        check_size(step)
    }

    /// Each loop stands in the round of the one around it, and nothing is in a loop once the steps are over.
    fn check_loops(&self) -> Result<(), String> {
        if self.loops.len() > LOOPS_MAX {
            return Err(format!("{} loops are open, over {LOOPS_MAX}", self.loops.len()));
        }
        if !self.loops.is_empty() && matches!(self.phase, Phase::Ending(_) | Phase::Ended { .. }) {
            return Err(format!("{} loops are open after the last step", self.loops.len()));
        }
        let mut around = None;
        for frame in &self.loops {
            let ordinal = frame.step.ordinal;
            if frame.step.work.is_some() || frame.step.status.is_terminal() || ordinal >= self.steps_begun {
                return Err(format!("loop {ordinal} is not one that is under way"));
            }
            if frame.step.parent != around {
                return Err(format!("loop {ordinal} is open outside the round of its loop"));
            }
            if usize::try_from(frame.iteration).is_ok_and(|round| round > frame.rounds_max()) {
                return Err(format!("loop {ordinal} is in round {}", frame.iteration));
            }
            around = Some(frame.as_parent());
        }
        Ok(())
    }
}

fn check_size(step: &StepExecution) -> Result<(), String> {
    let size = serde_json::to_vec(step).map_or(usize::MAX, |text| text.len());
    if size > STEP_BYTES_MAX {
        return Err(format!("step {} would have {size} bytes, over {STEP_BYTES_MAX}", step.name));
    }
    Ok(())
}
