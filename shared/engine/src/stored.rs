//! Defaults that Parameter Store holds: `{{ssm:name}}` (User Guide, documents-syntax-data-elements-parameters).

use crate::Rejection;
use fleetwright_runbook::{Parameter, ParameterDefault, Runbook, ValueType};
use std::collections::{BTreeMap, BTreeSet};

/// Names in Parameter Store that a start must read first: those of `{{ssm:…}}` defaults of parameters not given.
#[must_use]
pub fn stored_names(runbook: &Runbook, given: &BTreeMap<String, Vec<String>>) -> BTreeSet<String> {
    wanted(runbook, given).map(|(_, name)| name.to_owned()).collect()
}

/// What was given, and with it what Parameter Store had for the rest.
pub(crate) fn with_stored(
    runbook: &Runbook,
    mut given: BTreeMap<String, Vec<String>>,
    stored: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Vec<String>>, Rejection> {
    let mut found = Vec::new();
    let mut wrong = Vec::new();
    for (parameter, name) in wanted(runbook, &given) {
        match stored.get(name) {
            Some(value) => found.push((parameter.name.to_string(), values(parameter.value_type, value))),
            None => {
                let parameter = &parameter.name;
                wrong.push(format!("parameter {parameter}: Parameter Store has no {name}, its default"));
            }
        }
    }
    if !wrong.is_empty() {
        return Err(Rejection::Refused {
            code: "InvalidAutomationExecutionParametersException",
            message: wrong.join("; "),
        });
    }
    given.extend(found);
    Ok(given)
}

fn wanted<'a>(
    runbook: &'a Runbook,
    given: &BTreeMap<String, Vec<String>>,
) -> impl Iterator<Item = (&'a Parameter, &'a str)> {
    let not_given =
        runbook.parameters.iter().filter(|parameter| !given.contains_key(parameter.name.as_str()));
    not_given.filter_map(|parameter| match &parameter.default {
        Some(ParameterDefault::Store { name }) => Some((parameter, name.as_str())),
        Some(ParameterDefault::Value(_)) | None => None,
    })
}

/// Parameter Store keeps a StringList as one text with commas between its items.
fn values(value_type: ValueType, stored: &str) -> Vec<String> {
    match value_type {
        ValueType::StringList => stored.split(',').map(|item| item.trim().to_owned()).collect(),
        ValueType::String
        | ValueType::Integer
        | ValueType::Boolean
        | ValueType::MapList
        | ValueType::StringMap => vec![stored.to_owned()],
    }
}
