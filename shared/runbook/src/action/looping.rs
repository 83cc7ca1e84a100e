use serde_json::Value;

use crate::{Condition, OrReference, Setting, Step, Template};

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

    /// An item as what it is declared to be, if it can be read so. `Iterators` are documented as a StringList whatever
    /// `IteratorDataType` says: a text stands for a value of that type, and a value that was left unquoted for a text.
    pub fn read(self, item: &Value) -> Option<Value> {
        match (self, item) {
            (Self::Boolean, _) => bool::read(item).map(Value::Bool),
            (Self::Integer, Value::Number(number)) => (!number.is_f64()).then(|| item.clone()),
            (Self::Integer, Value::String(text)) => text.trim().parse::<i64>().ok().map(Value::from),
            (Self::String, Value::Bool(_) | Value::Number(_)) => Some(Value::String(item.to_string())),
            (Self::String, Value::String(_)) | (Self::StringMap, Value::Object(_)) => Some(item.clone()),
            (Self::StringMap, Value::String(text)) => {
                serde_json::from_str(text).ok().filter(Value::is_object)
            }
            (
                Self::Integer | Self::String | Self::StringMap,
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_),
            ) => None,
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
