use crate::{Condition, OrReference, Step, Template};

/// The most rounds a loop makes (SSM User Guide, automation-action-loop).
pub const ITERATIONS_MAX: u32 = 100;

/// `aws:loop` (SSM User Guide, automation-action-loop): the same steps again.
#[derive(Clone, Debug, PartialEq)]
pub struct Loop {
    /// How often.
    pub iteration: Iteration,
    /// The most rounds; at most [`ITERATIONS_MAX`], which is also what it is unless set.
    pub max_iterations: Option<OrReference<u32>>,
    /// The steps of a round; at least one. They go on to one another only.
    pub steps: Vec<Step>,
}

/// What decides whether a loop makes another round.
#[derive(Clone, Debug, PartialEq)]
pub enum Iteration {
    /// For each of these: a round for each item.
    ForEach {
        /// The items: a list, or a reference to one.
        iterators: Template,
        /// The type of an item.
        data_type: IteratorType,
    },
    /// Do while: asked after each round.
    While(Condition),
}

/// The types of a loop's items (`IteratorDataType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are SSM's and say it")]
pub enum IteratorType {
    Boolean,
    Integer,
    String,
    StringMap,
}

impl IteratorType {
    /// Every type.
    pub const ALL: [Self; 4] = [Self::Boolean, Self::Integer, Self::String, Self::StringMap];

    /// The name SSM gives it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Boolean => "Boolean",
            Self::Integer => "Integer",
            Self::String => "String",
            Self::StringMap => "StringMap",
        }
    }
}

impl Loop {
    pub(super) fn templates(&self) -> Vec<&Template> {
        let mut templates = Vec::new();
        match &self.iteration {
            Iteration::ForEach { iterators, .. } => templates.push(iterators),
            Iteration::While(condition) => condition.collect(&mut templates),
        }
        templates.extend(self.max_iterations.as_ref().and_then(OrReference::template));
        templates
    }
}
