//! Nodes that did not succeed: those that ended alike and said the same stand together.

use crate::failure::Failure;
use crate::text::word;
use fleetwright_fleet::{Counts, Outcome, Partition};
use fleetwright_local::fleet::Fleet;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What SSM puts between standard output and standard error (SSM API reference, CommandPlugin.Output).
const ERROR_MARK: &str = "----------ERROR-------";

/// Nodes of one step that ended alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// The step.
    pub(crate) step: String,
    /// What became of them.
    pub(crate) outcome: Outcome,
    /// SSM's word for it, where it says more.
    pub(crate) details: Option<String>,
    /// Their exit code, if they ran.
    pub(crate) exit_code: Option<i32>,
    /// What they printed: the errors, if there were any.
    pub(crate) said: Vec<String>,
    /// Their names and ids.
    pub(crate) nodes: Vec<(String, String)>,
    /// What became of the same nodes in later steps.
    pub(crate) later: Vec<(String, Counts)>,
}

/// A step in the summary of our API.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Step {
    step_name: String,
    nodes: Vec<Node>,
}

/// A node that did not succeed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    instance_id: String,
    outcome: Outcome,
    status_details: Option<String>,
    response_code: Option<i32>,
    output: String,
}

/// Groups what the summary says, in the order of the steps, the largest group of a step first. `reported` tells by
/// step which nodes succeeded, for what became of them later; steps that it doesn't tell of are passed over.
pub(crate) fn group(
    summary: &Value,
    reported: &BTreeMap<String, Partition>,
    fleet: &Fleet,
) -> Result<Vec<Trouble>, Failure> {
    let steps: Vec<Step> = Vec::deserialize(summary)
        .map_err(|error| Failure::Defect(format!("the summary cannot be read: {error}")))?;
    let names: BTreeMap<&str, &str> =
        fleet.nodes().iter().map(|node| (&*node.id, node.name.as_str())).collect();
    let mut troubles = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let mut groups: BTreeMap<_, Vec<&Node>> = BTreeMap::new();
        for node in &step.nodes {
            let key = (&node.outcome, &node.status_details, &node.response_code, &node.output);
            groups.entry(key).or_default().push(node);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|nodes| std::cmp::Reverse(nodes.len()));
        let later = steps.get(at + 1..).unwrap_or_default();
        troubles.extend(groups.iter().filter_map(|nodes| trouble(step, nodes, later, reported, &names)));
    }
    Ok(troubles)
}

fn trouble(
    step: &Step,
    nodes: &[&Node],
    later: &[Step],
    reported: &BTreeMap<String, Partition>,
    names: &BTreeMap<&str, &str>,
) -> Option<Trouble> {
    let first = nodes.first()?;
    let name = |node: &&Node| {
        let id = node.instance_id.clone();
        (names.get(id.as_str()).copied().unwrap_or_default().to_owned(), id)
    };
    let later = later.iter().filter_map(|step| {
        let reported = reported.get(&step.step_name)?;
        Some((step.step_name.clone(), became(nodes, step, reported)))
    });
    let mut nodes: Vec<_> = nodes.iter().map(name).collect();
    nodes.sort_by(|a, b| natural(&a.0).cmp(&natural(&b.0)));
    Some(Trouble {
        step: step.step_name.clone(),
        outcome: first.outcome,
        details: first
            .status_details
            .clone()
            .filter(|details| !details.eq_ignore_ascii_case(word(first.outcome))),
        exit_code: first.response_code.filter(|code| *code != -1),
        said: said(&first.output),
        later: later.filter(|(_, counts)| counts.total() > 0).collect(),
        nodes,
    })
}

/// What became of nodes in a later step, as far as they were in it.
fn became(nodes: &[&Node], step: &Step, reported: &Partition) -> Counts {
    let mut partition = Partition::default();
    for node in nodes {
        let Ok(id) = node.instance_id.parse() else { continue };
        let bad =
            step.nodes.iter().find(|other| other.instance_id == node.instance_id).map(|other| other.outcome);
        let good = reported.outcome(&id).filter(|o| *o == Outcome::Success);
        if let Some(outcome) = bad.or(good) {
            partition.set(id, outcome);
        }
    }
    partition.counts()
}

/// The lines worth reading: what was written as an error, else all.
pub(crate) fn said(output: &str) -> Vec<String> {
    let errors =
        output.split_once(ERROR_MARK).map(|(_, errors)| errors).filter(|text| !text.trim().is_empty());
    let lines = errors.unwrap_or(output).lines().map(str::trim_end);
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Sorts `web-9` before `web-10`.
fn natural(name: &str) -> (&str, u64) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    (stem, name[stem.len()..].parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn node(id: &str, outcome: &str, output: &str) -> Value {
        json!({ "InstanceId": id, "Outcome": outcome, "StatusDetails": outcome, "ResponseCode": 1, "Output": output })
    }

    #[test]
    fn nodes_that_said_the_same_stand_together_with_what_became_of_them() {
        let (a, b, c) = ("i-0000000000000000a", "i-0000000000000000b", "i-0000000000000000c");
        let locked = "Running.\n\n----------ERROR-------\nlocked\n";
        let summary = json!([
            { "StepName": "patch", "Nodes": [node(a, "Failed", "full"), node(b, "Failed", locked), node(c, "Failed", locked)] },
            { "StepName": "again", "Nodes": [node(c, "Failed", "full")] }
        ]);
        let mut again = Partition::default();
        again.set(b.parse().expect("an id"), Outcome::Success);
        let reported = BTreeMap::from([("again".to_owned(), again)]);
        let troubles = group(&summary, &reported, &Fleet::default()).expect("readable");
        let shapes: Vec<_> =
            troubles.iter().map(|t| (t.step.as_str(), t.nodes.len(), t.said.join("/"))).collect();
        assert_eq!(
            shapes,
            [
                ("patch", 2, "locked".to_owned()),
                ("patch", 1, "full".to_owned()),
                ("again", 1, "full".to_owned())
            ]
        );
        let counts = Counts { success: 1, failed: 1, ..Counts::default() };
        assert_eq!(troubles[0].later, [("again".to_owned(), counts)]);
        assert!(troubles[1].later.is_empty());
    }

    #[test]
    fn names_sort_by_their_numbers() {
        assert!(natural("web-9") < natural("web-10"));
    }
}
