use serde_json::Value;

use super::ParameterProblem;
use crate::ValueType;

/// The value that texts of the API stand for.
pub(super) fn from_texts(expected: ValueType, texts: &[String]) -> Result<Value, ParameterProblem> {
    let wrong = ParameterProblem::Type { expected };
    match expected {
        ValueType::String | ValueType::Integer | ValueType::Boolean | ValueType::StringMap => {
            let [text] = texts else {
                return Err(ParameterProblem::NotOne { expected, given: texts.len() });
            };
            from_text(expected, text).ok_or(wrong)
        }
        // SSM takes one JSON array for a list as well.
        ValueType::StringList => {
            match texts {
                [text] if text.trim_start().starts_with('[') => Ok(from_text(expected, text)
                    .unwrap_or_else(|| Value::Array(vec![Value::String(text.clone())]))),
                _ => Ok(texts.iter().cloned().map(Value::String).collect()),
            }
        }
        ValueType::MapList => match texts {
            [text] if text.trim_start().starts_with('[') => from_text(expected, text).ok_or(wrong),
            _ => texts
                .iter()
                .map(|text| from_text(ValueType::StringMap, text))
                .collect::<Option<Value>>()
                .ok_or(wrong),
        },
    }
}

fn from_text(expected: ValueType, text: &str) -> Option<Value> {
    match expected {
        ValueType::String => Some(Value::String(text.to_owned())),
        ValueType::Integer => text.trim().parse::<i64>().ok().map(Value::from),
        ValueType::Boolean => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Some(Value::Bool(true)),
            "false" => Some(Value::Bool(false)),
            _ => None,
        },
        ValueType::StringList | ValueType::MapList | ValueType::StringMap => {
            let value = serde_json::from_str(text).ok()?;
            fits(expected, &value).then_some(value)
        }
    }
}

/// A typed value, which has to have the type already: "Types are static", nothing is converted.
pub(super) fn strict(expected: ValueType, value: &Value) -> Result<Value, ParameterProblem> {
    if fits(expected, value) { Ok(value.clone()) } else { Err(ParameterProblem::Type { expected }) }
}

/// A value of the document itself, where authors leave texts unquoted and quote numbers, booleans and JSON.
pub(crate) fn lenient(expected: ValueType, value: Value) -> Option<Value> {
    if fits(expected, &value) {
        return Some(value);
    }
    match (expected, value) {
        (ValueType::String, scalar @ (Value::Bool(_) | Value::Number(_))) => {
            Some(Value::String(scalar.to_string()))
        }
        (ValueType::StringList, Value::Array(items)) => {
            items.into_iter().map(|item| lenient(ValueType::String, item)).collect()
        }
        // An empty text is how documents write "nothing" for any list or mapping.
        (ValueType::StringList | ValueType::MapList, Value::String(text)) if text.is_empty() => {
            Some(Value::Array(Vec::new()))
        }
        (ValueType::StringMap, Value::String(text)) if text.is_empty() => {
            Some(Value::Object(serde_json::Map::new()))
        }
        (ValueType::StringList, Value::String(text)) => {
            from_text(expected, &text).or_else(|| Some(Value::Array(vec![Value::String(text)])))
        }
        (_, Value::String(text)) => from_text(expected, &text),
        (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => None,
    }
}

/// A value of a response as the type that its output declares, if that is one of the conversions SSM documents
/// (SSM User Guide, automation-action-outputs-inputs): a text becomes a list of it, a number or a boolean; a whole
/// number or a boolean a text or a list of that; and the only item of a list what such an item becomes by itself.
pub(crate) fn converted(expected: ValueType, value: Value) -> Option<Value> {
    if fits(expected, &value) {
        return Some(value);
    }
    match (expected, value) {
        (ValueType::String | ValueType::Integer | ValueType::Boolean, Value::Array(items)) => {
            let [item] = <[Value; 1]>::try_from(items).ok()?;
            // A list within a list is none of those that are documented.
            if item.is_array() { None } else { converted(expected, item) }
        }
        (ValueType::Integer | ValueType::Boolean, Value::String(text)) => from_text(expected, &text),
        (ValueType::String, Value::Bool(flag)) => Some(flag.to_string().into()),
        (ValueType::String, Value::Number(number)) if !number.is_f64() => Some(number.to_string().into()),
        (ValueType::StringList, scalar @ (Value::String(_) | Value::Bool(_) | Value::Number(_))) => {
            converted(ValueType::String, scalar).map(|text| Value::Array(vec![text]))
        }
        (
            ValueType::String
            | ValueType::StringList
            | ValueType::Integer
            | ValueType::Boolean
            | ValueType::MapList
            | ValueType::StringMap,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_),
        ) => None,
    }
}

/// Whether a value is of a type as it is.
pub(crate) fn fits(expected: ValueType, value: &Value) -> bool {
    let all = |items: Option<&Vec<Value>>, fits: fn(&Value) -> bool| {
        items.is_some_and(|items| items.iter().all(fits))
    };
    match expected {
        ValueType::String => value.is_string(),
        ValueType::StringList => all(value.as_array(), Value::is_string),
        ValueType::Integer => value.is_i64() || value.is_u64(),
        ValueType::Boolean => value.is_boolean(),
        ValueType::MapList => all(value.as_array(), Value::is_object),
        ValueType::StringMap => value.is_object(),
    }
}
