//! Nodes that did not succeed: those that ended alike and said the same stand together.

use crate::text::word;
use crate::view::outcome;
use fleetwright_fleet::{Counts, Outcome, Partition};
use fleetwright_local::fleet::Fleet;
use fleetwright_wire::results::{NodeResult, StepSummary};
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

/// A step in numbers, and its nodes that did not succeed.
type Step = (StepSummary, Vec<NodeResult>);

/// Groups the nodes that did not succeed, in the order of the steps, the largest group of a step first. `reported` tells
/// by step which nodes succeeded, for what became of them later; steps that it doesn't tell of are passed over.
pub(crate) fn group(steps: &[Step], reported: &BTreeMap<String, Partition>, fleet: &Fleet) -> Vec<Trouble> {
    let names: BTreeMap<&str, &str> =
        fleet.nodes().iter().map(|node| (&*node.id, node.name.as_str())).collect();
    let mut troubles = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let (step, nodes) = step;
        let mut groups: BTreeMap<_, Vec<&NodeResult>> = BTreeMap::new();
        for node in nodes {
            let key = (node.outcome, &node.status_details, node.response_code, normalised(node));
            groups.entry(key).or_default().push(node);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by_key(|nodes| std::cmp::Reverse(nodes.len()));
        let later = steps.get(at + 1..).unwrap_or_default();
        troubles.extend(groups.iter().filter_map(|nodes| trouble(step, nodes, later, reported, &names)));
    }
    troubles
}

/// What a node said, without what is its own: as our API groups nodes.
fn normalised(node: &NodeResult) -> String {
    match node.instance_id.parse() {
        Ok(id) => fleetwright_fleet::normalise(&node.output, &id),
        Err(_) => node.output.clone(),
    }
}

fn trouble(
    step: &StepSummary,
    nodes: &[&NodeResult],
    later: &[Step],
    reported: &BTreeMap<String, Partition>,
    names: &BTreeMap<&str, &str>,
) -> Option<Trouble> {
    let first = nodes.first()?;
    let became_of_them = outcome(first.outcome)?;
    let name = |node: &&NodeResult| {
        let id = node.instance_id.clone();
        (names.get(id.as_str()).copied().unwrap_or_default().to_owned(), id)
    };
    let later = later.iter().filter_map(|step| {
        let (step, bad) = step;
        let reported = reported.get(&step.step_name)?;
        Some((step.step_name.clone(), became(nodes, bad, reported)))
    });
    let mut nodes: Vec<_> = nodes.iter().map(name).collect();
    nodes.sort_by(|a, b| natural(&a.0).cmp(&natural(&b.0)));
    Some(Trouble {
        step: step.step_name.clone(),
        outcome: became_of_them,
        details: first
            .status_details
            .clone()
            .filter(|details| !details.eq_ignore_ascii_case(word(became_of_them))),
        exit_code: first.response_code.filter(|code| *code != -1),
        said: said(&first.output),
        later: later.filter(|(_, counts)| counts.total() > 0).collect(),
        nodes,
    })
}

/// What became of nodes in a later step, as far as they were in it.
fn became(nodes: &[&NodeResult], bad: &[NodeResult], reported: &Partition) -> Counts {
    let mut partition = Partition::default();
    for node in nodes {
        let Ok(id) = node.instance_id.parse() else { continue };
        let bad = bad.iter().find(|other| other.instance_id == node.instance_id);
        let bad = bad.and_then(|other| outcome(other.outcome));
        let good = reported.outcome(&id).filter(|o| *o == Outcome::Success);
        if let Some(became) = bad.or(good) {
            partition.set(id, became);
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

    fn node(id: &str, output: &str) -> NodeResult {
        let node = json!({ "StepName": "", "Ordinal": 0, "InstanceId": id, "Outcome": "Failed", "StatusDetails": "Failed",
            "ResponseCode": 1, "Output": output, "OutputShortened": false });
        serde_json::from_value(node).expect("a node")
    }

    fn step(name: &str, nodes: Vec<NodeResult>) -> Step {
        let counts =
            json!({ "Success": 0, "Failed": 0, "TimedOut": 0, "Unknown": 0, "NotRun": 0, "InProgress": 0 });
        let step = json!({ "Ordinal": 0, "StepName": name, "Status": "Success", "StartedAt": "2026-03-14T02:00:00Z",
            "Counts": counts });
        (serde_json::from_value(step).expect("a step"), nodes)
    }

    #[test]
    fn nodes_that_said_the_same_stand_together_with_what_became_of_them() {
        let (a, b, c) = ("i-0000000000000000a", "i-0000000000000000b", "i-0000000000000000c");
        let locked = "Running.\n\n----------ERROR-------\nlocked\n";
        let steps = [
            step("patch", vec![node(a, "full"), node(b, locked), node(c, locked)]),
            step("again", vec![node(c, "full")]),
        ];
        let mut again = Partition::default();
        again.set(b.parse().expect("an id"), Outcome::Success);
        let reported = BTreeMap::from([("again".to_owned(), again)]);
        let troubles = group(&steps, &reported, &Fleet::default());
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
