//! Paths into an output: what follows its name in a reference.

use serde_json::Value;

/// The value at a path such as `.field`, `[0]` or `.field[0].other`; the value itself at an empty one.
pub(crate) fn walk<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let words = path.split(['.', '[']).filter(|word| !word.is_empty());
    words.map(|word| word.strip_suffix(']').unwrap_or(word)).try_fold(value, |value, word| match value {
        Value::Object(map) => map.get(word),
        Value::Array(items) => items.get(word.parse::<usize>().ok()?),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    })
}
