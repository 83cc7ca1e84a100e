//! What `simulate --mocks` answers for steps, and what steps get that nobody describes.

use crate::failure::Failure;
use crate::input::read;
use fleetwright_engine::{Answer, AnswerStatus, StepExecution};
use fleetwright_runbook::{Action, OtherKind, Runbook, Step, StepName, ValueType};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A mocks file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mocks {
    /// Parameters of the runbook, typed; those on the command line come before them.
    #[serde(default)]
    pub(crate) parameters: Map<String, Value>,
    /// By step: one entry for each attempt, in the order they are made; the last repeats.
    #[serde(default)]
    steps: BTreeMap<String, Vec<Mock>>,
    /// How often each step was answered for.
    #[serde(skip)]
    answered: BTreeMap<String, usize>,
}

/// What one attempt of a step comes to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mock {
    #[serde(default)]
    status: MockStatus,
    /// What the action's service answers; declared outputs select from it.
    response: Option<Value>,
    /// Outputs by name.
    #[serde(default)]
    outputs: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
enum MockStatus {
    #[default]
    Success,
    Failed,
    TimedOut,
}

impl Mocks {
    /// Reads a mocks file, YAML or JSON, for a runbook.
    pub(crate) fn read(path: &Path, runbook: &Runbook) -> Result<Self, Failure> {
        let wrong = |problem: String| Failure::Input(format!("error: {}: {problem}", path.display()));
        let mocks: Self = serde_saphyr::from_str(&read(path)?).map_err(|error| wrong(error.to_string()))?;
        for (name, attempts) in &mocks.steps {
            let Some(step) = runbook.step(name) else {
                return Err(wrong(format!("steps: the runbook has no step {name}")));
            };
            if !step.action.can_be_answered() {
                let action = step.action.name();
                return Err(wrong(format!("steps: {name} is {action}, which always runs itself")));
            }
            let unknown =
                attempts.iter().flat_map(|mock| mock.outputs.keys()).find(|output| !has(step, output));
            if let Some(output) = unknown {
                let names = step_outputs(step).map(|(name, _)| name).collect::<Vec<_>>().join(", ");
                return Err(wrong(format!("steps: {name} has no output {output}; it has {names}")));
            }
            if attempts.is_empty() {
                return Err(wrong(format!(
                    "steps: {name} has no entry: one for each attempt, the last repeats"
                )));
            }
        }
        Ok(mocks)
    }

    /// The steps of a runbook that are answered for: those described, those whose action cannot run here, those that
    /// wait for people, and without a fleet those that need one.
    pub(crate) fn covers(&self, runbook: &Runbook, has_fleet: bool) -> BTreeSet<StepName> {
        let answered = |step: &&Step| {
            self.steps.contains_key(step.name.as_str())
                || match &step.action {
                    Action::RunCommand(_) => !has_fleet,
                    Action::Pause | Action::Approve(_) | Action::Other(_) => true,
                    Action::Branch(_) | Action::Sleep(_) | Action::Loop(_) | Action::UpdateVariable(_) => {
                        false
                    }
                }
        };
        runbook.all_steps().into_iter().filter(answered).map(|step| step.name.clone()).collect()
    }

    /// What an open step gets.
    pub(crate) fn answer(&mut self, runbook: &Runbook, step: &StepExecution) -> Answer {
        let name = step.name.as_str();
        let before = self.answered.entry(name.to_owned()).or_default();
        let described = self.steps.get(name).and_then(|mocks| mocks.get(*before).or_else(|| mocks.last()));
        *before += 1;
        let (ordinal, attempt) = (step.ordinal, step.attempt);
        let Some(mock) = described else {
            let outputs = runbook.step(name).map(placeholders).unwrap_or_default();
            let status = AnswerStatus::Success;
            return Answer { ordinal, attempt, status, response: None, outputs, message: None };
        };
        let mut outputs = mock.outputs.clone();
        if mock.response.is_none() && matches!(mock.status, MockStatus::Success) {
            for (name, value) in runbook.step(name).map(placeholders).unwrap_or_default() {
                outputs.entry(name).or_insert(value);
            }
        }
        let (status, message) = match mock.status {
            MockStatus::Success => (AnswerStatus::Success, None),
            MockStatus::Failed if mock.response.is_some() && waits(runbook, name) => {
                (AnswerStatus::TimedOut, Some("what it waits for did not come, by the mocks file"))
            }
            MockStatus::Failed => (AnswerStatus::Failed, Some("it failed by the mocks file")),
            MockStatus::TimedOut => (AnswerStatus::TimedOut, Some("it timed out by the mocks file")),
        };
        let message = message.map(str::to_owned);
        Answer { ordinal, attempt, status, response: mock.response.clone(), outputs, message }
    }
}

/// Whether a step asks until a property has a value. With an answer that does not have it, it asks until its time is
/// over (User Guide, automation-action-waitforawsresourceproperty).
fn waits(runbook: &Runbook, step: &str) -> bool {
    let action = runbook.step(step).map(|step| &step.action);
    matches!(action, Some(Action::Other(other)) if other.kind == OtherKind::WaitForAwsResourceProperty)
}

/// Outputs of the declared types, for a step that succeeded and of which nobody said how.
fn placeholders(step: &Step) -> BTreeMap<String, Value> {
    let output = |(name, value_type): (&str, ValueType)| {
        let value = match name {
            "Status" => json!("Success"),
            "ApprovalStatus" => json!("Approved"),
            "SuccessPercentage" => json!(100),
            _ => placeholder(value_type),
        };
        (name.to_owned(), value)
    };
    step_outputs(step).map(output).collect()
}

/// The outputs a step has: those of its action, and those it declares.
fn step_outputs(step: &Step) -> impl Iterator<Item = (&str, ValueType)> {
    let built_in = step.action.built_in_outputs().iter().map(|output| (output.name, output.value_type));
    built_in.chain(step.outputs.iter().map(|output| (output.name.as_str(), output.value_type)))
}

fn has(step: &Step, output: &str) -> bool {
    step_outputs(step).any(|(name, _)| name == output)
}

fn placeholder(value_type: ValueType) -> Value {
    match value_type {
        ValueType::String => json!(""),
        ValueType::Integer => json!(0),
        ValueType::Boolean => json!(false),
        ValueType::StringList | ValueType::MapList => json!([]),
        ValueType::StringMap => json!({}),
    }
}
