//! The inputs of a step execution, for those who look at it.
//!
//! They are not kept: what is kept of the execution and the steps before answers the references in what the runbook says.
//! A reference to what may have changed since the step ran stands as written.

use crate::path::walk;
use crate::scope::Scope;
use crate::{Execution, ListRef, Observations, Output, StepExecution};
use fleetwright_runbook::{Reference, Runbook, StepName, Template, output_and_path};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

/// Items of a list that are shown. The last of a longer one says how many more there are.
pub const INPUT_ITEMS_MAX: usize = 50;
/// Characters of a text that are shown.
const CHARS_MAX: usize = 2_500;
/// Where a list that a reference gives is spliced into the one around it.
const NODES: &str = "InstanceIds";
/// A loop's steps have step executions of their own.
const STEPS: &str = "Steps";

/// The inputs of a step by name, with the references that are still known for certain looked up. **Secrets**: never
/// logged.
///
/// `steps` are those of the execution in the order they began. Of what may be seen, it looks at the lists that
/// [`input_lists`] names: their first [`INPUT_ITEMS_MAX`] ids, or more.
#[must_use]
pub fn inputs<'a>(
    execution: &Execution,
    runbook: &Runbook,
    steps: &(impl Iterator<Item = &'a StepExecution> + Clone),
    step: &StepExecution,
    seen: &Observations,
) -> BTreeMap<String, Value> {
    let Some(template) = template(runbook, step) else { return BTreeMap::new() };
    let scope = Scope { execution, seen, fresh: &[], now: step.started_at };
    let look_up = |reference: &Reference| -> Result<Value, Infallible> {
        let known = match reference {
            Reference::StepOutput { step: of, output } => of_round(step, of, output)
                .or_else(|| shown_output(earlier(runbook, steps.clone(), step, of, output)?, &scope)),
            // What it was when a step ran that is over, nobody knows any more.
            Reference::Variable(_) if step.ended_at.is_some() => None,
            Reference::Variable(_)
            | Reference::Parameter(_)
            | Reference::Global(_)
            | Reference::ExecutionId
            | Reference::ResourceId => scope.look_up(reference).ok(),
        };
        Ok(known.unwrap_or_else(|| Value::String(format!("{{{{ {reference} }}}}"))))
    };
    let Ok(Value::Object(inputs)) = template.resolve(&look_up) else { return BTreeMap::new() };
    let shown = inputs.into_iter().filter(|(name, _)| name != STEPS);
    shown
        .map(|(name, value)| {
            let value = if name == NODES { spliced(value) } else { value };
            (name, shortened(value))
        })
        .collect()
}

/// The node lists that the inputs of a step refer to.
#[must_use]
pub fn input_lists<'a>(
    runbook: &Runbook,
    steps: &(impl Iterator<Item = &'a StepExecution> + Clone),
    step: &StepExecution,
) -> BTreeSet<ListRef> {
    let references = template(runbook, step).into_iter().flat_map(Template::references);
    let list = |reference: &Reference| match reference {
        Reference::StepOutput { step: of, output } => {
            match earlier(runbook, steps.clone(), step, of, output)? {
                (Output::Nodes(list), _) => Some(list.clone()),
                (Output::Value(_), _) => None,
            }
        }
        Reference::Parameter(_)
        | Reference::Variable(_)
        | Reference::Global(_)
        | Reference::ExecutionId
        | Reference::ResourceId => None,
    };
    references.filter_map(list).collect()
}

fn template<'a>(runbook: &'a Runbook, step: &StepExecution) -> Option<&'a Template> {
    runbook.step(step.name.as_str())?.inputs.as_ref()
}

/// What the round of its loop says, which the step execution itself remembers.
fn of_round(step: &StepExecution, of: &StepName, output: &str) -> Option<Value> {
    let parent = step.parent.as_ref().filter(|parent| parent.name == *of)?;
    match output_and_path(output) {
        ("CurrentIteration", "") => Some(Value::from(parent.iteration)),
        ("CurrentIteratorValue", path) => walk(parent.iterator_value.as_ref()?, path).cloned(),
        _ => None,
    }
}

/// An output as that step last gave it before this one began, and the path into it. A loop around this one has changed
/// its own since.
fn earlier<'a, 'o>(
    runbook: &Runbook,
    steps: impl Iterator<Item = &'a StepExecution>,
    step: &StepExecution,
    of: &StepName,
    output: &'o str,
) -> Option<(&'a Output, &'o str)> {
    if runbook.loops_around(&step.name).iter().any(|around| around.name == *of) {
        return None;
    }
    let outputs = &steps.filter(|one| one.name == *of && one.ordinal < step.ordinal).last()?.outputs;
    let (name, path) = output_and_path(output);
    outputs.get(output).map(|whole| (whole, "")).or_else(|| Some((outputs.get(name)?, path)))
}

fn shown_output((output, path): (&Output, &str), scope: &Scope<'_>) -> Option<Value> {
    match output {
        Output::Value(value) => walk(value, path).cloned(),
        Output::Nodes(list) if path.is_empty() => Some(with_rest(scope.nodes(list).ok()?, list)),
        Output::Nodes(list) => walk(&scope.nodes(list).ok()?, path).cloned(),
    }
}

/// A list of which only the first ids were read.
fn with_rest(mut known: Value, list: &ListRef) -> Value {
    let count = usize::try_from(list.count).unwrap_or(usize::MAX);
    if let Value::Array(ids) = &mut known
        && count > INPUT_ITEMS_MAX
    {
        ids.truncate(INPUT_ITEMS_MAX);
        ids.push(rest(count));
    }
    known
}

fn rest(count: usize) -> Value {
    Value::String(format!("... and {} more", count - INPUT_ITEMS_MAX))
}

fn spliced(value: Value) -> Value {
    match value {
        Value::Array(items) => items
            .into_iter()
            .flat_map(|item| match item {
                Value::Array(inner) => inner,
                other @ (Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Object(_)) => vec![other],
            })
            .collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            other
        }
    }
}

fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) => match text.char_indices().nth(CHARS_MAX) {
            Some((at, _)) => Value::String(format!("{}...", &text[..at])),
            None => Value::String(text),
        },
        // One more than are shown is either that, or says itself how many more there are.
        Value::Array(items) if items.len() > INPUT_ITEMS_MAX + 1 => {
            let rest = rest(items.len());
            items.into_iter().take(INPUT_ITEMS_MAX).map(shortened).chain([rest]).collect()
        }
        Value::Array(items) => items.into_iter().map(shortened).collect(),
        Value::Object(entries) => {
            Value::Object(entries.into_iter().map(|(name, value)| (name, shortened(value))).collect())
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => other,
    }
}
