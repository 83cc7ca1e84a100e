use serde_json::Value;

use super::{Fields, Reader};
use crate::{Code, Diagnostic, Position, UpdateVariable, ValueType, binding::fits};

/// Bounds of a value (SSM User Guide, automation-action-update-variable).
const CHARS_MAX: usize = 512;
const TEXTS_MAX: usize = 50;
const MAPS_MAX: usize = 200;
const KEY_CHARS_MAX: usize = 50;

pub(super) fn read(reader: &mut Reader, inputs: Fields<'_>, label: &str) -> Option<UpdateVariable> {
    inputs.only(reader, &["Name", "Value"], "aws:updateVariable");
    let name = inputs.require(reader, "Name", label);
    let value = inputs.require(reader, "Value", label).map(|node| reader.template(node));
    let name = name?;
    let text = reader.text(name, "Name")?;
    // `variable:name` is what the User Guide shows; some write it as the reference it is.
    let bare = text.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
    let found = bare.strip_prefix("variable:");
    let found = found.and_then(|name| reader.scope.variables.get_key_value(name.trim()));
    let Some((variable, value_type)) = found.map(|(name, value_type)| (name.clone(), *value_type)) else {
        let message = format!("Name: {text:?} is not variable: and the name of a variable of the document");
        let hint = name_hint(reader, bare);
        reader.diagnostics.push(Diagnostic::new(Code::InvalidValue, name.position, message).hint(hint));
        return None;
    };
    let value = value?;
    if let (Some(value_type), Some(literal)) = (value_type, value.literal()) {
        check(reader, value_type, &literal, value.position);
    }
    Some(UpdateVariable { variable, value })
}

/// What to write instead: the variable that was meant, where that is plain.
fn name_hint(reader: &Reader, text: &str) -> String {
    let name = text.strip_prefix("variable:").unwrap_or(text).trim();
    let names = reader.scope.variables.keys().map(|name| name.as_str());
    match reader.near(name, names) {
        Some(nearest) => format!("write variable:{nearest}"),
        None => "write variable:<name>, and declare the variable in variables".to_owned(),
    }
}

/// "The value must match the data type of the variable. Data type conversions aren't supported."
fn check(reader: &mut Reader, value_type: ValueType, value: &Value, position: Position) {
    if !fits(value_type, value) {
        let message = format!(
            "Value is not {}, which the variable is: nothing is converted",
            value_type.with_article()
        );
        reader.report(Code::WrongType, position, message);
    } else if let Some(bound) = broken_bound(value) {
        reader.report(Code::InvalidValue, position, format!("Value: {bound}"));
    }
}

fn broken_bound(value: &Value) -> Option<String> {
    let is_long = |text: &str, max: usize| text.chars().count() > max;
    match value {
        Value::String(text) if text.is_empty() || is_long(text, CHARS_MAX) => {
            Some(format!("a String has 1 to {CHARS_MAX} characters"))
        }
        Value::Array(items) if items.iter().all(Value::is_string) && items.len() > TEXTS_MAX => {
            Some(format!("a StringList has at most {TEXTS_MAX} items"))
        }
        Value::Array(items) if items.len() > MAPS_MAX => {
            Some(format!("a MapList has at most {MAPS_MAX} items"))
        }
        Value::Array(items) => {
            items.iter().find_map(|item| item.as_object().and_then(|_| broken_bound(item)))
        }
        Value::Object(entries) if entries.keys().any(|key| key.is_empty() || is_long(key, KEY_CHARS_MAX)) => {
            Some(format!("a key has 1 to {KEY_CHARS_MAX} characters"))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => None,
    }
}
