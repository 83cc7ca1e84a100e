//! A loop that an execution is in.

use crate::{Output, ParentStep, Status, StepExecution};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The outputs of a loop, as the steps inside it refer to them.
const ITERATION: &str = "CurrentIteration";
/// See [`ITERATION`].
const ITERATOR_VALUE: &str = "CurrentIteratorValue";

/// What a loop goes by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rounds {
    /// A round for each of these.
    ForEach {
        /// The items.
        values: Vec<Value>,
    },
    /// Rounds while its condition holds, asked after each.
    While {
        /// The most rounds.
        max: u32,
    },
}

/// A loop that was begun and is not over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoopFrame {
    /// Its own step execution, which works through the steps inside.
    pub step: StepExecution,
    /// The round under way, from 1; 0 before the first.
    ///
    /// SSM's documentation does not say where `CurrentIteration` begins. Published runbooks page with
    /// `OFFSET CurrentIteration * rows` after having read the first page before the loop, so it is 1.
    pub iteration: u32,
    /// What it goes by.
    pub rounds: Rounds,
}

impl LoopFrame {
    /// The item of the round under way.
    #[must_use]
    pub fn value(&self) -> Option<&Value> {
        match &self.rounds {
            Rounds::While { .. } => None,
            Rounds::ForEach { values } => {
                let round = usize::try_from(self.iteration).ok()?;
                values.get(round.checked_sub(1)?)
            }
        }
    }

    /// How the steps of the round under way name it.
    #[must_use]
    pub fn as_parent(&self) -> ParentStep {
        ParentStep {
            ordinal: self.step.ordinal,
            name: self.step.name.clone(),
            iteration: self.iteration,
            iterator_value: self.value().cloned(),
        }
    }

    /// The most rounds it can have.
    pub(crate) fn rounds_max(&self) -> usize {
        match &self.rounds {
            Rounds::ForEach { values } => values.len(),
            Rounds::While { max } => usize::try_from(*max).unwrap_or(usize::MAX),
        }
    }

    /// Whether a stop is under way in it: it goes on only with the steps that clean up.
    pub(crate) fn is_cancelling(&self) -> bool {
        self.step.status == Status::Cancelling
    }

    /// An output of it, as the steps inside refer to it.
    pub(crate) fn output(&self, name: &str) -> Option<Value> {
        match name {
            ITERATION if self.iteration > 0 => Some(json!(self.iteration)),
            ITERATOR_VALUE => self.value().cloned(),
            _ => None,
        }
    }

    /// Its step with its outputs: what can be referred to inside a loop can be after it, as the last round left it.
    pub(crate) fn with_outputs(self) -> StepExecution {
        let outputs: Vec<_> = [ITERATION, ITERATOR_VALUE]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), Output::Value(self.output(name)?))))
            .collect();
        let mut step = self.step;
        step.outputs.extend(outputs);
        step
    }
}
