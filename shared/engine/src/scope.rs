//! What references stand for while a step runs (User Guide, automation-variables).

use crate::path::walk;
use crate::{Execution, ListRef, Need, NodeList, Observations, Output, Rejection};
use fleetwright_runbook::{Global, Reference, SettingError, StepName, output_and_path};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use std::collections::BTreeMap;

/// Why a reference has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// It is a node list that has not been read yet.
    Needs(Need),
    /// It stands for nothing: the step that refers to it fails. Names the reference, never a value.
    Missing(String),
}

/// Why a step could not be opened.
#[derive(Debug)]
pub(crate) enum Unopened {
    /// Something must be read first.
    Rejected(Rejection),
    /// The step fails with this message.
    Fails(String),
}

impl From<Unresolved> for Unopened {
    fn from(unresolved: Unresolved) -> Self {
        match unresolved {
            Unresolved::Needs(need) => Self::Rejected(Rejection::Needs(vec![need])),
            Unresolved::Missing(what) => Self::Fails(what),
        }
    }
}

impl From<SettingError<Unresolved>> for Unopened {
    fn from(error: SettingError<Unresolved>) -> Self {
        match error {
            SettingError::Lookup(unresolved) => unresolved.into(),
            SettingError::Unfit { expected, position } => Self::Fails(format!("{position}: {expected}")),
        }
    }
}

/// Looks references up for one step. Time variables are the step's own: they differ from step to step.
pub(crate) struct Scope<'a> {
    pub(crate) execution: &'a Execution,
    pub(crate) seen: &'a Observations,
    /// Lists that this very decision names: they are not in the table yet.
    pub(crate) fresh: &'a [NodeList],
    pub(crate) now: Timestamp,
}

impl Scope<'_> {
    pub(crate) fn look_up(&self, reference: &Reference) -> Result<Value, Unresolved> {
        let missing = || Unresolved::Missing(format!("{{{{ {reference} }}}} has no value"));
        match reference {
            Reference::Parameter(name) => {
                self.execution.parameters.get(name.as_str()).cloned().ok_or_else(missing)
            }
            Reference::Variable(name) => {
                self.execution.variables.get(name.as_str()).cloned().ok_or_else(missing)
            }
            Reference::StepOutput { step, output } => {
                let inside = self.execution.loops.iter().find(|frame| frame.step.name == *step);
                if let Some(frame) = inside {
                    let (name, path) = output_and_path(output);
                    let value = frame.output(name);
                    return value.as_ref().and_then(|value| walk(value, path)).cloned().ok_or_else(missing);
                }
                let (kept, path) = kept(&self.execution.outputs, step, output).ok_or_else(missing)?;
                match kept {
                    Output::Value(value) => walk(value, path).cloned().ok_or_else(missing),
                    Output::Nodes(list) => walk(&self.nodes(list)?, path).cloned().ok_or_else(missing),
                }
            }
            Reference::Global(global) => Ok(Value::String(self.global(*global))),
            Reference::ExecutionId => Ok(Value::from(self.execution.id.as_str())),
            // Only an execution started with Targets and TargetParameterName has a resource.
            Reference::ResourceId => Err(missing()),
        }
    }

    pub(crate) fn nodes(&self, list: &ListRef) -> Result<Value, Unresolved> {
        let fresh = self.fresh.iter().find(|known| known.reference == *list);
        let nodes = fresh.map(|known| &known.nodes).or_else(|| self.seen.lists.get(&list.id));
        let nodes = nodes.ok_or_else(|| Unresolved::Needs(Need::List(list.clone())))?;
        Ok(nodes.iter().map(|node| Value::from(node.as_str())).collect())
    }

    fn global(&self, global: Global) -> String {
        let place = &self.execution.place;
        let at = self.now.to_zoned(TimeZone::UTC);
        match global {
            Global::AccountId => place.account_id.clone(),
            Global::Region => place.region.clone(),
            Global::AwsPartition => place.partition.clone(),
            Global::Date => at.strftime("%Y-%m-%d").to_string(),
            Global::DateTime => at.strftime("%Y-%m-%d_%H.%M.%S").to_string(),
        }
    }
}

/// An output that was kept, and the path into it: by its whole name, or by its first word (`step.Output.field`,
/// `step.Output[0]`).
pub(crate) fn kept<'a>(
    outputs: &'a BTreeMap<String, Output>,
    step: &StepName,
    output: &'a str,
) -> Option<(&'a Output, &'a str)> {
    let stored = |name: &str| outputs.get(&format!("{step}.{name}"));
    let (name, path) = output_and_path(output);
    stored(output).map(|whole| (whole, "")).or_else(|| Some((stored(name)?, path)))
}
