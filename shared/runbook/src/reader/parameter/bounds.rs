//! What a parameter declares about its values, held against itself and against its default.

use serde_json::Value;

use super::{Fields, Reader, literal};
use crate::{
    Code, Diagnostic, Parameter, ParameterProblem, Setting,
    binding::{AT_READING, Pattern, check},
    source::node::Node,
};

/// How many patterns of a document are compiled when it is read: each may take a while.
const PATTERNS_MAX: usize = 24;

pub(super) fn ordered(reader: &mut Reader, fields: Fields<'_>, min: &str, max: &str, label: &str) {
    let number = |node: &Node| u32::read(&literal(node)?);
    let (Some(least), Some(most)) = (fields.get(min), fields.get(max)) else { return };
    if let (Some(low), Some(high)) = (number(least), number(most))
        && low > high
    {
        reader.report(Code::InvalidValue, most.position, format!("{max} of {label} is less than its {min}"));
    }
}

/// Patterns are Java's. One that is no regular expression in either language is an error; one that only ours
/// does not know or finds too large is the author's right, and cannot be held against a value here.
pub(super) fn usable_pattern(
    reader: &mut Reader,
    fields: Fields<'_>,
    pattern: Option<&str>,
    label: &str,
) -> bool {
    let (Some(node), Some(pattern)) = (fields.get("allowedPattern"), pattern) else { return false };
    // The API takes 200 parameters of an execution; a document of a thousand patterns is not read to run.
    reader.patterns += 1;
    if reader.patterns > PATTERNS_MAX {
        return false;
    }
    if Pattern::new(pattern, AT_READING).is_ok() {
        return true;
    }
    if is_unbalanced(pattern) {
        let message = format!("allowedPattern of {label} is not a regular expression: brackets do not match");
        reader.report(Code::Pattern, node.position, message);
    } else {
        let message = format!("allowedPattern of {label} cannot be used here: values given are refused");
        reader.warn(Code::Pattern, node.position, message);
    }
    false
}

/// Whether parentheses or brackets do not match, outside of escapes and classes, or a repeat has nothing to
/// repeat: no dialect takes that.
fn is_unbalanced(pattern: &str) -> bool {
    // `\Q…\E` makes text of anything, and is Java's.
    if pattern.contains("\\Q") {
        return false;
    }
    let (mut groups, mut classes) = (0_usize, 0_usize);
    let mut letters = pattern.chars();
    if pattern.starts_with(['*', '+', '?']) {
        return true;
    }
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.next().is_none() => return true,
            '\\' => {}
            '[' => classes += 1,
            ']' => classes = classes.saturating_sub(1),
            '(' if classes == 0 => groups += 1,
            ')' if classes == 0 => match groups.checked_sub(1) {
                Some(left) => groups = left,
                None => return true,
            },
            _ => {}
        }
    }
    groups > 0 || classes > 0
}

pub(super) fn displayed(reader: &mut Reader, fields: Fields<'_>, display_type: Option<&str>, label: &str) {
    let (Some(node), Some(text)) = (fields.get("displayType"), display_type) else { return };
    if !["textfield", "textarea"].contains(&text) {
        let message = format!("displayType of {label} is textfield or textarea, not {text:?}");
        reader.report(Code::InvalidValue, node.position, message);
    }
}

/// Whether a default keeps to what its parameter declares. An empty one says that there is none, and a
/// pattern is held against values that are given only: published runbooks have defaults that do not match
/// theirs, to be filled in before use.
pub(super) fn conforming_default(
    reader: &mut Reader,
    node: &Node,
    parameter: &Parameter,
    value: &Value,
    pattern_is_usable: bool,
) {
    let is_empty = match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    };
    // `{{global:DATE_TIME}}` in a default becomes something else.
    let is_template = value.as_str().is_some_and(|text| text.contains("{{"));
    if is_template || (is_empty && parameter.allowed_values.is_empty()) {
        return;
    }
    let mut held = parameter.clone();
    if !pattern_is_usable {
        held.allowed_pattern = None;
    }
    let Err(problem) = check(&held, value.clone(), AT_READING) else { return };
    let name = &parameter.name;
    match problem {
        ParameterProblem::Pattern { .. } => {
            let message = format!("the default of parameter {name} does not match its allowedPattern");
            let diagnostic = Diagnostic::warning(Code::Pattern, node.position, message);
            reader.diagnostics.push(diagnostic.hint("give a default that matches, or none"));
        }
        ParameterProblem::PatternUnusable { .. } => {}
        ParameterProblem::Unknown
        | ParameterProblem::Missing
        | ParameterProblem::NotOne { .. }
        | ParameterProblem::Type { .. }
        | ParameterProblem::NotAllowed
        | ParameterProblem::TooFewItems { .. }
        | ParameterProblem::TooManyItems { .. }
        | ParameterProblem::TooFewChars { .. }
        | ParameterProblem::TooManyChars { .. }
        | ParameterProblem::StoreDefault { .. } => {
            let message = format!("the default of parameter {name}: {problem}");
            reader.report(Code::InvalidValue, node.position, message);
        }
    }
}
