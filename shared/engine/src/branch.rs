//! `aws:branch`: the first choice that holds (User Guide, automation-action-branch).

use crate::scope::{Scope, Unopened};
use fleetwright_runbook::{Branch, Comparison, Condition, Operator, StepName};
use serde_json::Value;

/// Where the branch leads; `None`: nothing matched and there is no default, so the next step in the document follows.
pub(crate) fn choose(branch: &Branch, scope: &Scope<'_>) -> Result<Option<StepName>, Unopened> {
    for choice in &branch.choices {
        if holds(&choice.condition, scope)? {
            return Ok(Some(choice.next_step.clone()));
        }
    }
    Ok(branch.default.clone())
}

fn holds(condition: &Condition, scope: &Scope<'_>) -> Result<bool, Unopened> {
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

/// Types are static and are not converted: text compares with text, numbers with numbers.
fn compare(comparison: &Comparison, scope: &Scope<'_>) -> Result<bool, Unopened> {
    let look_up = |reference: &_| scope.look_up(reference);
    let left = comparison.variable.resolve(&look_up)?;
    let right = comparison.constant.resolve(&look_up)?;
    let holds = match comparison.operator {
        Operator::StringEquals => texts(&left, &right).map(|(left, right)| left == right),
        Operator::EqualsIgnoreCase => {
            texts(&left, &right).map(|(left, right)| left.to_lowercase() == right.to_lowercase())
        }
        Operator::StartsWith => texts(&left, &right).map(|(left, right)| left.starts_with(right)),
        Operator::EndsWith => texts(&left, &right).map(|(left, right)| left.ends_with(right)),
        Operator::Contains => contains(&left, &right),
        Operator::NumericEquals => numbers(&left, &right).map(|(left, right)| left == right),
        Operator::NumericGreater => numbers(&left, &right).map(|(left, right)| left > right),
        Operator::NumericLesser => numbers(&left, &right).map(|(left, right)| left < right),
        Operator::NumericGreaterOrEquals => numbers(&left, &right).map(|(left, right)| left >= right),
        Operator::NumericLesserOrEquals => numbers(&left, &right).map(|(left, right)| left <= right),
        Operator::BooleanEquals => match (&left, &right) {
            (Value::Bool(left), Value::Bool(right)) => Some(left == right),
            _ => None,
        },
    };
    holds.ok_or_else(|| {
        let (operator, at) = (comparison.operator, comparison.position);
        Unopened::Fails(format!("{at}: {operator} cannot compare {} with {}", kind(&left), kind(&right)))
    })
}

fn texts<'a>(left: &'a Value, right: &'a Value) -> Option<(&'a str, &'a str)> {
    Some((left.as_str()?, right.as_str()?))
}

fn numbers(left: &Value, right: &Value) -> Option<(f64, f64)> {
    Some((left.as_f64()?, right.as_f64()?))
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
