//! `aws:branch`: the first choice that holds (User Guide, automation-action-branch).

use crate::scope::{Scope, Unopened};
use fleetwright_runbook::{Branch, Comparison, Condition, Operator, StepName};
use serde_json::{Number, Value};
use std::cmp::Ordering;

/// Where the branch leads; `None`: nothing matched and there is no default, so the next step in the document follows.
pub(crate) fn choose(branch: &Branch, scope: &Scope<'_>) -> Result<Option<StepName>, Unopened> {
    for choice in &branch.choices {
        if holds(&choice.condition, scope)? {
            return Ok(Some(choice.next_step.clone()));
        }
    }
    Ok(branch.default.clone())
}

/// Whether a condition holds.
pub(crate) fn holds(condition: &Condition, scope: &Scope<'_>) -> Result<bool, Unopened> {
    match condition {
        Condition::Comparison(comparison) => compare(comparison, scope),
        Condition::And(conditions) => {
            conditions.iter().try_fold(true, |all, condition| Ok(all && holds(condition, scope)?))
        }
        Condition::Or(conditions) => {
            conditions.iter().try_fold(false, |any, condition| Ok(any || holds(condition, scope)?))
        }
        Condition::Not(condition) => holds(condition, scope).map(|held| !held),
    }
}

/// Texts compare with texts, and are not made of anything else ("Data type conversions aren't supported"). Where an
/// operator says that a number or a Boolean is meant, a text that reads as one is taken as it: parameters of type String
/// and outputs of scripts reach a branch as text in many published documents, and constants stand there in quotes.
fn compare(comparison: &Comparison, scope: &Scope<'_>) -> Result<bool, Unopened> {
    let look_up = |reference: &_| scope.look_up(reference);
    let left = comparison.variable.resolve(&look_up)?;
    let right = comparison.constant.resolve(&look_up)?;
    let texts = || Some((left.as_str()?, right.as_str()?));
    let numbers = || order(&left, &right);
    let holds = match comparison.operator {
        Operator::StringEquals => texts().map(|(left, right)| left == right),
        Operator::EqualsIgnoreCase => {
            texts().map(|(left, right)| left.to_lowercase() == right.to_lowercase())
        }
        Operator::StartsWith => texts().map(|(left, right)| left.starts_with(right)),
        Operator::EndsWith => texts().map(|(left, right)| left.ends_with(right)),
        Operator::Contains => contains(&left, &right),
        Operator::NumericEquals => numbers().map(Ordering::is_eq),
        Operator::NumericGreater => numbers().map(Ordering::is_gt),
        Operator::NumericLesser => numbers().map(Ordering::is_lt),
        Operator::NumericGreaterOrEquals => numbers().map(Ordering::is_ge),
        Operator::NumericLesserOrEquals => numbers().map(Ordering::is_le),
        Operator::BooleanEquals => truth(&left).zip(truth(&right)).map(|(left, right)| left == right),
    };
    holds.ok_or_else(|| {
        let (operator, at) = (comparison.operator, comparison.position);
        Unopened::Fails(format!("{at}: {operator} cannot compare {} with {}", kind(&left), kind(&right)))
    })
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    let (left, right) = (number(left)?, number(right)?);
    match (left.as_i64(), right.as_i64()) {
        // A float cannot tell all whole numbers apart.
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => {
            let text = text.trim();
            let whole = text.parse::<i64>().ok().map(Number::from);
            whole.or_else(|| Number::from_f64(text.parse().ok()?))
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Text in a text, or an item in a list.
fn contains(left: &Value, right: &Value) -> Option<bool> {
    match left {
        Value::String(text) => right.as_str().map(|part| text.contains(part)),
        Value::Array(items) => Some(items.contains(right)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// The type, never the value: it may be a secret.
const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a Boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a String",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
