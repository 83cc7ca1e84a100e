//! A patch night, and what it came to.

use crate::client::Client;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const RUNBOOK: &str = "patch-fleet";
/// Ids are drawn, and it is never the same moment; the rest follows from seed and fleet.
const OF_THIS_RUN: [&str; 7] =
    ["ExecutionId", "CommandId", "CommandIds", "StartedAt", "EndedAt", "DurationS", "ExecutedBy"];

/// What patch states say. Of nodes that failed they are not waited for, and may be in, or still be those from before.
const OF_PATCH_STATES: [&str; 4] =
    ["MissingCount", "NonCompliantInstanceIds", "PendingRebootInstanceIds", "PatchStateUnknownInstanceIds"];

/// What a user would notice of it, by what it is about.
pub(crate) struct Night(BTreeMap<String, Value>);

impl Night {
    /// Runs one to its end.
    pub(crate) fn run(client: &Client, longest: Duration) -> Self {
        let started = client.call("AmazonSSM.StartAutomationExecution", &json!({ "DocumentName": RUNBOOK }));
        let id = started["AutomationExecutionId"].as_str().expect("an id");
        let path = format!("/executions/{id}");
        let execution = client.wait_for(&path, longest, |it| it["Execution"]["EndedAt"].is_string());
        let mut seen = BTreeMap::from([("the execution".to_owned(), execution)]);
        for mut step in client.list(&format!("{path}/steps?limit=100"), "Steps") {
            let failed = step["Counts"]["Failed"].as_u64().is_some_and(|failed| failed > 0);
            if let Some(outputs) = step["Outputs"].as_object_mut().filter(|_| failed) {
                outputs.retain(|name, _| !OF_PATCH_STATES.contains(&name.as_str()));
            }
            seen.insert(format!("step {} {}", step["Ordinal"], step["StepName"]), step);
        }
        for node in client.list(&format!("{path}/nodes?limit=1000"), "Nodes") {
            seen.insert(format!("node {} in {}", node["InstanceId"], node["StepName"]), node);
        }
        seen.values_mut().for_each(forget);
        Self(seen)
    }

    /// How many nodes took part.
    pub(crate) fn nodes(&self) -> usize {
        let ids = self.0.values().filter_map(|about| about["InstanceId"].as_str());
        ids.collect::<BTreeSet<_>>().len()
    }

    /// Where another one came to something else.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let about: BTreeSet<&String> = self.0.keys().chain(other.0.keys()).collect();
        let differs = about.into_iter().filter(|about| self.0.get(*about) != other.0.get(*about));
        differs.map(|about| format!("{about}: {:?}\n{:?}", self.0.get(about), other.0.get(about))).collect()
    }
}

/// Takes out what is of one run alone, however deep.
fn forget(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, _| !OF_THIS_RUN.contains(&name.as_str()));
            members.values_mut().for_each(forget);
        }
        Value::Array(items) => items.iter_mut().for_each(forget),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
