//! `aws:loop`: rounds of the steps inside it (User Guide, automation-action-loop).

use crate::leave::{OUT_OF_TIME, StepEnd};
use crate::scope::{Scope, Unopened};
use crate::turn::{Moved, Turn};
use crate::{LoopFrame, Phase, Rejection, Rounds, StepExecution, branch};
use fleetwright_runbook::{Action, ITERATIONS_MAX, Iteration, Loop, Step, StepName};
use serde_json::Value;

/// Loops inside loops: a step may end all of them, and one commit has to hold them. SSM names no limit.
pub(crate) const LOOPS_MAX: usize = 10;

/// The rounds a loop will make at most.
pub(crate) fn rounds(looping: &Loop, scope: &Scope<'_>) -> Result<Rounds, Unopened> {
    let look_up = |reference: &_| scope.look_up(reference);
    let max = match &looping.max_iterations {
        None => ITERATIONS_MAX,
        Some(max) => max.resolve(&look_up)?,
    };
    if !(1..=ITERATIONS_MAX).contains(&max) {
        return Err(Unopened::Fails(format!(
            "MaxIterations: {max} is not a number from 1 to {ITERATIONS_MAX}"
        )));
    }
    match &looping.iteration {
        Iteration::While(_) => Ok(Rounds::While { max }),
        Iteration::ForEach { iterators, data_type } => {
            let Value::Array(items) = iterators.resolve(&look_up)? else {
                return Err(Unopened::Fails("Iterators: not a list".to_owned()));
            };
            let mut values = spliced(items);
            let count = values.len();
            if count > ITERATIONS_MAX as usize {
                let message = format!("Iterators: {count} items, a loop takes at most {ITERATIONS_MAX}");
                return Err(Unopened::Fails(message));
            }
            for (at, value) in values.iter_mut().enumerate() {
                let read = data_type.read(value).ok_or_else(|| {
                    let (number, kind) = (at + 1, data_type.as_str());
                    Unopened::Fails(format!("Iterators: item {number} is not of type {kind}"))
                })?;
                *value = read;
            }
            values.truncate(max as usize);
            Ok(Rounds::ForEach { values })
        }
    }
}

/// `Iterators: ["{{ ids }}", i-1]` goes over ids, as InstanceIds does.
fn spliced(items: Vec<Value>) -> Vec<Value> {
    let splice = |item| match item {
        Value::Array(inner) => inner,
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            vec![other]
        }
    };
    items.into_iter().flat_map(splice).collect()
}

impl<'a> Turn<'a> {
    /// Begins a loop that was opened; its first round begins where the others do.
    pub(crate) fn begin_loop(
        &mut self,
        step: StepExecution,
        definition: &Step,
        rounds: Rounds,
    ) -> Result<Moved, Rejection> {
        self.execution.loops.push(LoopFrame { step: step.clone(), iteration: 0, rounds });
        if let Some(message) = self.lacks_room() {
            self.execution.loops.pop();
            return self.leave(step, definition, StepEnd::failed(format!("Iterators: {message}")));
        }
        self.execution.phase = Phase::At(step.name.clone());
        self.begun.push(step);
        Ok(Moved::On)
    }

    /// The innermost loop is between two rounds.
    pub(crate) fn next_round(&mut self) -> Result<Moved, Rejection> {
        let missing = || Rejection::Illegal("there is no loop to go on with".to_owned());
        let frame = self.execution.loops.last().ok_or_else(missing)?;
        let definition = self.definition(&frame.step)?;
        let Action::Loop(looping) = &definition.action else { return Err(missing()) };
        let end = match self.wants_round(frame, looping) {
            Ok(true) => {
                let first = looping.steps.first().ok_or_else(missing)?.name.clone();
                return match self.expired_loop() {
                    None => Ok(self.begin_round(first)),
                    Some(depth) => self.end_expired_loop(depth),
                };
            }
            Ok(false) => StepEnd::success(),
            Err(Unopened::Fails(message)) => StepEnd::failed(format!("LoopCondition: {message}")),
            Err(Unopened::Rejected(rejection)) => return Err(rejection),
        };
        let frame = self.execution.loops.pop().ok_or_else(missing)?;
        self.leave(frame.with_outputs(), definition, end)
    }

    fn wants_round(&self, frame: &LoopFrame, looping: &Loop) -> Result<bool, Unopened> {
        let more = usize::try_from(frame.iteration).is_ok_and(|rounds| rounds < frame.rounds_max());
        match &looping.iteration {
            Iteration::While(condition) if more && frame.iteration > 0 => {
                branch::holds(condition, &self.scope())
            }
            Iteration::While(_) | Iteration::ForEach { .. } => Ok(more),
        }
    }

    fn begin_round(&mut self, first: StepName) -> Moved {
        if let Some(frame) = self.execution.loops.last_mut() {
            frame.iteration += 1;
        }
        self.execution.phase = Phase::At(first);
        self.changed();
        Moved::On
    }

    /// The outermost loop that is out of time. One that was stopped has the time of its clean-up.
    pub(crate) fn expired_loop(&self) -> Option<usize> {
        let expired = |frame: &LoopFrame| {
            !frame.is_cancelling() && frame.step.deadline.is_some_and(|at| at <= self.now)
        };
        self.execution.loops.iter().position(expired)
    }

    /// Takes the loop at that depth out, and closes those inside it.
    pub(crate) fn expire_loop(&mut self, depth: usize) -> Option<LoopFrame> {
        self.close_loops(depth + 1, &StepEnd::timed_out("the loop around it ran out of time"));
        self.execution.loops.pop()
    }

    /// Ends the loop at that depth: its time is over before its next step.
    pub(crate) fn end_expired_loop(&mut self, depth: usize) -> Result<Moved, Rejection> {
        let missing = || Rejection::Illegal("there is no loop to end".to_owned());
        let frame = self.expire_loop(depth).ok_or_else(missing)?;
        let definition = self.definition(&frame.step)?;
        self.leave(frame.with_outputs(), definition, StepEnd::timed_out(OUT_OF_TIME))
    }

    /// What the runbook says of a step.
    pub(crate) fn definition(&self, step: &StepExecution) -> Result<&'a Step, Rejection> {
        let missing = || Rejection::Illegal(format!("the runbook has no step {}", step.name));
        self.runbook.step(step.name.as_str()).ok_or_else(missing)
    }
}
