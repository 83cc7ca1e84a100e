//! Rehearsals: somebody says what became of a step (User Guide, automation-actions, for what follows from it).

use crate::leave::StepEnd;
use crate::turn::{Moved, Turn};
use crate::{
    Answer, AnswerStatus, Decision, Execution, Observations, Output, Phase, Rejection, Status, StepExecution,
    Work,
};
use fleetwright_runbook::{Runbook, Step};
use jiff::Timestamp;

/// Takes an answer. What follows from it is the next look's: an answer reads nothing.
pub(crate) fn take_answer(
    execution: &Execution,
    runbook: &Runbook,
    answer: &Answer,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    let step = match &execution.phase {
        Phase::In(step) if step.work == Some(Work::Answered) => step,
        Phase::At(_) | Phase::In(_) | Phase::Ending(_) | Phase::Ended { .. } => {
            return Err(Rejection::Stale("no step waits for an answer"));
        }
    };
    if (step.ordinal, step.attempt) != (answer.ordinal, answer.attempt) {
        return Err(Rejection::Stale("the answer is for another step or attempt"));
    }
    let nothing = Observations::default();
    let turn = Turn::new(execution.clone(), runbook, &nothing, now);
    if turn.stopping() {
        return Err(Rejection::Stale("the execution is stopping"));
    }
    if now >= turn.deadline(step) {
        return Err(Rejection::Stale("the time of the step is over"));
    }
    turn.answered((**step).clone(), answer)
}

impl Turn<'_> {
    fn answered(mut self, mut step: StepExecution, answer: &Answer) -> Result<Decision, Rejection> {
        let definition = self.definition(&step)?;
        step.outputs =
            answer.outputs.iter().map(|(name, value)| (name.clone(), Output::Value(value.clone()))).collect();
        let message = |else_: &str| answer.message.clone().unwrap_or_else(|| else_.to_owned());
        match answer.status {
            AnswerStatus::Success => {
                let end = select(&mut step, definition, answer)
                    .map_or_else(StepEnd::failed, |()| StepEnd::success());
                self.leave(step, definition, end)?;
            }
            AnswerStatus::Failed => {
                self.end_attempt(step, definition, StepEnd::failed(message("it failed")))?;
            }
            AnswerStatus::TimedOut => {
                self.end_attempt(step, definition, StepEnd::timed_out(message("it timed out")))?;
            }
        }
        self.changed();
        Ok(self.decision(true))
    }

    /// Makes another attempt of a step that somebody answers for, or ends it ("fails only after all attempts").
    pub(crate) fn end_attempt(
        &mut self,
        mut step: StepExecution,
        definition: &Step,
        end: StepEnd,
    ) -> Result<Moved, Rejection> {
        let failed = matches!(end.status, Status::Failed | Status::TimedOut);
        if !failed || !self.has_time() || step.attempt >= self.attempts(definition) {
            return self.leave(step, definition, end);
        }
        step.attempt += 1;
        step.deadline = self.attempt_deadline(definition);
        step.outputs.clear();
        self.execution.phase = Phase::In(Box::new(step));
        self.changed();
        Ok(Moved::On)
    }
}

/// The outputs that the step declares, selected from what its service answered. Without an answer of the service
/// there is nothing to select from, and the outputs given stand alone.
fn select(step: &mut StepExecution, definition: &Step, answer: &Answer) -> Result<(), String> {
    let Some(response) = &answer.response else { return Ok(()) };
    for output in &definition.outputs {
        match output.take(response) {
            Ok(None) => {}
            Ok(Some(value)) => {
                step.outputs.insert(output.name.clone(), Output::Value(value));
            }
            Err(problem) => return Err(problem.to_string()),
        }
    }
    Ok(())
}
