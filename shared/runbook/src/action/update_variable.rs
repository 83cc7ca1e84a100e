use serde_json::Value;

use crate::{Template, ValueType, VariableName, binding::fits};

/// Bounds of a value (SSM User Guide, automation-action-update-variable).
const CHARS_MAX: usize = 512;
const TEXTS_MAX: usize = 50;
const MAPS_MAX: usize = 200;
const KEY_CHARS_MAX: usize = 50;

/// `aws:updateVariable` (SSM User Guide, automation-action-update-variable).
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateVariable {
    /// The variable, which the document declares.
    pub variable: VariableName,
    /// Its new value, of the variable's type.
    pub value: Template,
}

/// Why a value cannot be a variable's. Names the type and the bound, never the value: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VariableProblem {
    /// It is not of the type the variable was declared with.
    #[error("it is not of the variable's type, {0}")]
    Type(ValueType),
    /// It is longer, or shorter, than SSM takes.
    #[error("{0}")]
    Bound(String),
}

impl UpdateVariable {
    /// Whether a variable of that type can have the value: "The value must match the data type of the variable. Data type
    /// conversions aren't supported."
    ///
    /// # Errors
    /// What stands against it.
    pub fn check(value_type: ValueType, value: &Value) -> Result<(), VariableProblem> {
        if !fits(value_type, value) {
            return Err(VariableProblem::Type(value_type));
        }
        broken_bound(value).map_or(Ok(()), |bound| Err(VariableProblem::Bound(bound)))
    }
}

fn broken_bound(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => without(text.chars().count(), 1, CHARS_MAX, "characters"),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            without(items.len(), 0, TEXTS_MAX, "items")
        }
        Value::Array(items) => {
            without(items.len(), 0, MAPS_MAX, "items").or_else(|| items.iter().find_map(broken_bound))
        }
        Value::Object(entries) => entries
            .keys()
            .find_map(|key| without(key.chars().count(), 1, KEY_CHARS_MAX, "characters in a key")),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn without(count: usize, min: usize, max: usize, what: &str) -> Option<String> {
    (!(min..=max).contains(&count)).then(|| format!("{count} {what}, it takes {min} to {max}"))
}
