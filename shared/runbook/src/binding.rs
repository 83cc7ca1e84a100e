//! The parameters an execution is started with: given as the API gives them, checked, and typed.

mod constraint;
mod pattern;
mod problem;
mod value;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{Parameter, ParameterDefault, Runbook};

use self::pattern::AT_START;
pub use self::problem::{ParameterError, ParameterProblem};
pub(crate) use self::{
    constraint::check,
    pattern::{AT_READING, Pattern},
    value::{converted, fits, lenient},
};

/// Checks parameters given as StartAutomationExecution gives them, a list of texts for every type, and types them.
///
/// A parameter that is not given takes its default, which is the author's and is not held against the
/// constraints.
///
/// # Errors
/// Everything that is wrong, by parameter. The values given are never in it: parameters hold secrets.
pub fn bind(
    runbook: &Runbook,
    given: &BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<String, Value>, Vec<ParameterError>> {
    bind_with(runbook, given, |parameter, texts| value::from_texts(parameter.value_type, texts))
}

/// Checks parameters given as typed values: an Integer is a number, not `"3"`, a Boolean not `"true"`.
///
/// # Errors
/// As [`bind`].
pub fn bind_typed(
    runbook: &Runbook,
    given: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, Value>, Vec<ParameterError>> {
    bind_with(runbook, given, |parameter, value| value::strict(parameter.value_type, value))
}

fn bind_with<T>(
    runbook: &Runbook,
    given: &BTreeMap<String, T>,
    read: impl Fn(&Parameter, &T) -> Result<Value, ParameterProblem>,
) -> Result<BTreeMap<String, Value>, Vec<ParameterError>> {
    let mut bound = BTreeMap::new();
    let mut errors = Vec::new();
    for name in given.keys().filter(|name| runbook.parameter(name).is_none()) {
        errors.push(ParameterError { parameter: name.clone(), problem: ParameterProblem::Unknown });
    }
    for parameter in &runbook.parameters {
        let result = match given.get(parameter.name.as_str()) {
            Some(given) => read(parameter, given).and_then(|value| check(parameter, value, AT_START)),
            None => default(parameter),
        };
        let name = parameter.name.to_string();
        match result {
            Ok(value) => {
                bound.insert(name, value);
            }
            Err(problem) => errors.push(ParameterError { parameter: name, problem }),
        }
    }
    if errors.is_empty() { Ok(bound) } else { Err(errors) }
}

fn default(parameter: &Parameter) -> Result<Value, ParameterProblem> {
    match &parameter.default {
        None => Err(ParameterProblem::Missing),
        Some(ParameterDefault::Value(value)) => Ok(value.clone()),
        Some(ParameterDefault::Store { name }) => Err(ParameterProblem::StoreDefault { name: name.clone() }),
    }
}
