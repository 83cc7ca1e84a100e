//! Items of the table, as DynamoDB writes them.

use serde_json::Value;
use std::collections::BTreeSet;

/// Statuses of what is over.
pub(crate) const OVER: [&str; 4] = ["Success", "Failed", "TimedOut", "Cancelled"];

/// A text attribute.
pub(crate) fn text<'a>(item: &'a Value, name: &str) -> Option<&'a str> {
    item[name]["S"].as_str()
}

/// A number.
pub(crate) fn number(item: &Value, name: &str) -> Option<u64> {
    item[name]["N"].as_str()?.parse().ok()
}

/// The texts of a set; none if it is not there.
pub(crate) fn texts<'a>(item: &'a Value, name: &str) -> BTreeSet<&'a str> {
    item[name]["SS"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A document that stands in an attribute as text.
pub(crate) fn document(item: &Value, name: &str) -> Value {
    text(item, name).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// Whether an execution or a step with this item is over.
pub(crate) fn is_over(item: &Value) -> bool {
    text(item, "status").is_some_and(|status| OVER.contains(&status))
}

/// The token in the comment of a command of ours.
pub(crate) fn token_of(comment: &str) -> Option<&str> {
    comment.strip_prefix("fw:")?.split(' ').next()
}

/// Sends by token.
pub(crate) fn sends(items: &[Value]) -> impl Iterator<Item = (&str, &Value)> {
    items.iter().filter_map(|item| Some((text(item, "sk")?.strip_prefix("SEND#")?, item)))
}
