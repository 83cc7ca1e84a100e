use serde_json::Value;

use super::{
    ParameterProblem,
    pattern::{Effort, Pattern},
};
use crate::Parameter;

/// Holds a value against what its parameter declares.
pub(crate) fn check(parameter: &Parameter, value: Value, effort: Effort) -> Result<Value, ParameterProblem> {
    allowed_values(parameter, &value)?;
    items(parameter, &value)?;
    // Of a list every text is held against the bounds of texts.
    let texts: Vec<&str> = match &value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    };
    let pattern = parameter.allowed_pattern.as_deref().map(|text| Pattern::new(text, effort)).transpose()?;
    for text in texts {
        chars(parameter, text)?;
        pattern.as_ref().map_or(Ok(()), |pattern| pattern.check(text))?;
    }
    Ok(value)
}

fn allowed_values(parameter: &Parameter, value: &Value) -> Result<(), ParameterProblem> {
    let allowed = &parameter.allowed_values;
    let is_allowed = |value: &Value| allowed.contains(value);
    let each_is_allowed = || value.as_array().is_some_and(|items| items.iter().all(is_allowed));
    if allowed.is_empty() || is_allowed(value) || each_is_allowed() {
        return Ok(());
    }
    Err(ParameterProblem::NotAllowed)
}

fn items(parameter: &Parameter, value: &Value) -> Result<(), ParameterProblem> {
    let count = match value {
        Value::Array(items) => items.len(),
        Value::Object(entries) => entries.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Ok(()),
    };
    let (low, high) = within(count, parameter.min_items, parameter.max_items);
    low.map_or(Ok(()), |min| Err(ParameterProblem::TooFewItems { min }))?;
    high.map_or(Ok(()), |max| Err(ParameterProblem::TooManyItems { max }))
}

fn chars(parameter: &Parameter, text: &str) -> Result<(), ParameterProblem> {
    let (low, high) = within(text.chars().count(), parameter.min_chars, parameter.max_chars);
    low.map_or(Ok(()), |min| Err(ParameterProblem::TooFewChars { min }))?;
    high.map_or(Ok(()), |max| Err(ParameterProblem::TooManyChars { max }))
}

/// The bounds a count breaks.
fn within(count: usize, min: Option<u32>, max: Option<u32>) -> (Option<u32>, Option<u32>) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    (min.filter(|min| count < *min), max.filter(|max| count > *max))
}
