//! `aws:updateVariable` (User Guide, automation-action-update-variable).

use crate::leave::StepEnd;
use crate::scope::Unopened;
use crate::turn::Turn;
use fleetwright_runbook::{UpdateVariable, ValueType};
use serde_json::Value;

/// Characters of a String.
const STRING_CHARS_MAX: usize = 512;
/// Items of a StringList.
const STRINGS_MAX: usize = 50;
/// Items of a MapList.
const MAPS_MAX: usize = 200;
/// Characters of a key.
const KEY_CHARS_MAX: usize = 50;

impl Turn<'_> {
    /// Sets a variable. Its value keeps the type the variable was declared with: nothing is converted.
    pub(crate) fn update_variable(&mut self, update: &UpdateVariable) -> Result<StepEnd, Unopened> {
        let name = &update.variable;
        let Some(variable) = self.runbook.variable(name.as_str()) else {
            return Err(Unopened::Fails(format!("the runbook has no variable {name}")));
        };
        let scope = self.scope();
        let value = update.value.resolve(&|reference: &_| scope.look_up(reference))?;
        if let Err(wrong) = check(variable.value_type, &value) {
            return Err(Unopened::Fails(format!("Value: {wrong}")));
        }
        let before = self.execution.variables.insert(name.to_string(), value);
        if let Some(wrong) = self.lacks_room() {
            match before {
                None => self.execution.variables.remove(name.as_str()),
                Some(before) => self.execution.variables.insert(name.to_string(), before),
            };
            return Err(Unopened::Fails(format!("Value: {wrong}")));
        }
        Ok(StepEnd::success())
    }
}

/// Names the type and the bound, never the value: it may be a secret.
fn check(expected: ValueType, value: &Value) -> Result<(), String> {
    match (expected, value) {
        (ValueType::String, Value::String(text)) => {
            let chars = text.chars().count();
            within(chars, 1, STRING_CHARS_MAX, "characters")
        }
        (ValueType::StringList, Value::Array(items)) if items.iter().all(Value::is_string) => {
            within(items.len(), 0, STRINGS_MAX, "items")
        }
        (ValueType::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => Ok(()),
        (ValueType::Boolean, Value::Bool(_)) => Ok(()),
        (ValueType::MapList, Value::Array(items)) if items.iter().all(Value::is_object) => {
            within(items.len(), 0, MAPS_MAX, "items")?;
            items.iter().try_for_each(keys)
        }
        (ValueType::StringMap, Value::Object(_)) => keys(value),
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
        ) => Err(format!("it is not of the variable's type, {expected}")),
    }
}

fn keys(map: &Value) -> Result<(), String> {
    let mut keys = map.as_object().into_iter().flat_map(serde_json::Map::keys);
    keys.try_for_each(|key| within(key.chars().count(), 1, KEY_CHARS_MAX, "characters in a key"))
}

fn within(count: usize, min: usize, max: usize, what: &str) -> Result<(), String> {
    if (min..=max).contains(&count) {
        Ok(())
    } else {
        Err(format!("{count} {what}, it takes {min} to {max}"))
    }
}
