//! Holds requests against SSM's own model: types, and every constraint of every member.
//!
//! The constraints are data, extracted from botocore's model (`model/extract.py`, which also says where ours are wider);
//! nothing here names an operation.

mod rule;
mod shape;

use crate::ServiceError;
use rule::rules;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shape::{Model, Shape};
use std::sync::LazyLock;

/// Shapes whose values are secrets: an error names the member and what it breaks, and never shows the value.
const SECRET: [&str; 4] = ["Parameters", "AutomationParameterMap", "RunbookParameterMap", "TargetMaps"];
/// Keys of filters. The model lists those there are, but a wrong one has an error of its own, InvalidFilterKey, with
/// which the operation answers.
const FILTER_KEYS: [&str; 3] = ["CommandFilterKey", "AutomationExecutionFilterKey", "StepExecutionFilterKey"];
/// Characters of a value that an error shows.
const SHOWN_CHARS_MAX: usize = 1_000;
/// Violations that one error tells.
const TOLD_MAX: usize = 20;

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../model/ssm.json")).expect("the model that was extracted is readable")
});

/// Whether the model knows an operation, such as `SendCommand`.
#[must_use]
pub fn is_operation(name: &str) -> bool {
    MODEL.operations.contains_key(name)
}

/// Reads an operation's request. No body is a request without members.
///
/// # Errors
/// `UnknownOperationException` where the model has no such operation, `SerializationException` where a member has
/// another type, `ValidationException` with everything that breaks a constraint.
pub fn read_request<T: DeserializeOwned>(operation: &str, body: &Value) -> Result<T, ServiceError> {
    let empty = Value::Object(serde_json::Map::new());
    let body = if body.is_null() { &empty } else { body };
    let unknown = || ServiceError::unknown_operation(format!("there is no operation {operation}"));
    let shape = MODEL.operations.get(operation).ok_or_else(unknown)?;
    check_types(shape, body, "")?;
    let mut broken = Vec::new();
    check_structure(shape, body, "", false, &mut broken);
    if !broken.is_empty() {
        let s = if broken.len() == 1 { "" } else { "s" };
        let told = broken.join("; ");
        return Err(ServiceError::validation(format!(
            "{} validation error{s} detected: {told}",
            broken.len()
        )));
    }
    // serde's own message would show values.
    T::deserialize(body).map_err(|_| ServiceError::serialization("The request could not be read"))
}

/// Whether every value has the type that the model says.
fn check_types(shape: &str, value: &Value, path: &str) -> Result<(), ServiceError> {
    let wrong = |what: &str| {
        let at = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
        Err(ServiceError::serialization(format!("{what}{at}")))
    };
    match (MODEL.shape(shape), value) {
        (Shape::String(_), Value::String(_)) | (Shape::Boolean, Value::Bool(_)) => Ok(()),
        (Shape::Integer(_), Value::Number(number)) if number.is_i64() => Ok(()),
        (Shape::Structure { members, .. }, Value::Object(map)) => {
            let given = members.iter().filter_map(|(name, of)| Some((name, of, map.get(name)?)));
            given
                .filter(|(_, _, value)| !value.is_null())
                .try_for_each(|(name, of, value)| check_types(of, value, &below(path, name)))
        }
        (Shape::List { member, .. }, Value::Array(items)) => items
            .iter()
            .zip(1..)
            .try_for_each(|(item, place)| check_types(member, item, &format!("{path}.{place}.member"))),
        (Shape::Map { value: of, .. }, Value::Object(map)) => {
            map.values().try_for_each(|value| check_types(of, value, path))
        }
        (Shape::String(_), _) => wrong(&format!("{} can not be converted to a String", kind(value))),
        (Shape::Boolean, _) => wrong(&format!("{} can not be converted to a Boolean", kind(value))),
        (Shape::Integer(_), _) => wrong(&format!("{} can not be converted to an Integer", kind(value))),
        (Shape::List { .. }, _) => wrong("Expected list or null"),
        (Shape::Map { .. } | Shape::Structure { .. }, _) => wrong("Expected map or null"),
    }
}

/// A JSON value's kind, as SSM calls it.
const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

fn check_structure(shape: &str, value: &Value, path: &str, secret: bool, broken: &mut Vec<String>) {
    let Shape::Structure { members, required } = MODEL.shape(shape) else { return };
    for (name, of) in members {
        let path = below(path, name);
        match value.get(name).filter(|value| !value.is_null()) {
            Some(value) => check_value(of, value, &path, secret || SECRET.contains(&of.as_str()), broken),
            None if required.contains(name) => add(
                broken,
                format!("Value null at '{path}' failed to satisfy constraint: Member must not be null"),
            ),
            None => {}
        }
    }
}

fn check_value(shape: &str, value: &Value, path: &str, secret: bool, broken: &mut Vec<String>) {
    if FILTER_KEYS.contains(&shape) {
        return;
    }
    for rule in rules(&MODEL, shape).iter().filter(|rule| !rule.holds(&MODEL, value)) {
        let shown = if secret { String::new() } else { format!(" '{}'", shown(value)) };
        let constraint = rule.text(&MODEL);
        add(broken, format!("Value{shown} at '{path}' failed to satisfy constraint: {constraint}"));
    }
    match MODEL.shape(shape) {
        Shape::Structure { .. } => check_structure(shape, value, path, secret, broken),
        Shape::List { member, .. } if MODEL.has_structure(member) => {
            for (item, place) in value.as_array().into_iter().flatten().zip(1..) {
                check_value(member, item, &format!("{path}.{place}.member"), secret, broken);
            }
        }
        Shape::List { .. } | Shape::String(_) | Shape::Integer(_) | Shape::Boolean | Shape::Map { .. } => {}
    }
}

fn add(broken: &mut Vec<String>, told: String) {
    if broken.len() < TOLD_MAX {
        broken.push(told);
    }
}

/// The path of a member as SSM writes it: `notificationConfig.notificationType`.
fn below(path: &str, member: &str) -> String {
    let dot = if path.is_empty() { "" } else { "." };
    let mut letters = member.chars();
    let first = letters.next().map(|letter| letter.to_ascii_lowercase()).into_iter();
    format!("{path}{dot}{}", first.chain(letters).collect::<String>())
}

/// A value as SSM shows it: `[a, b]`, cut where it is long.
fn shown(value: &Value) -> String {
    let whole = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}={}", shown(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    match whole.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((at, _)) => format!("{}...", &whole[..at]),
        None => whole,
    }
}

#[cfg(test)]
mod tests;
