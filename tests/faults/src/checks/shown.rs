//! What the results API shows is what happened, node by node.

use super::{Findings, was_hidden};
use crate::item::{text, texts};
use crate::truth::{Truth, truth_of_step};
use crate::violation::Invariant;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is known of a node before the API is asked.
struct Expected {
    outcome: &'static str,
    /// SSM was not seen to say anything of it before nobody waited any more.
    was_hidden: bool,
    /// SSM forgot it, where it does so with what is cancelled before it starts.
    was_forgotten: bool,
}

impl Findings<'_> {
    /// What the results API shows equals what SSM's own books say, node by node.
    pub(super) fn shown_is_true(&mut self, items: &[Value]) {
        for id in self.stage.ids() {
            let own = format!("EXEC#{id}");
            let of_execution: Vec<Value> =
                items.iter().filter(|item| text(item, "pk") == Some(&own)).cloned().collect();
            if let Err(error) = self.execution_is_true(&id, &of_execution) {
                self.wrong(Invariant::ShownIsTrue, format!("{id}: {error}"));
            }
        }
    }

    fn execution_is_true(&mut self, id: &str, items: &[Value]) -> Result<(), String> {
        let summary = self.get(&format!("/executions/{id}/summary"))?;
        for step in summary["Steps"].as_array().ok_or("no steps")? {
            let ordinal = step["Ordinal"].as_u64().ok_or("no ordinal")?;
            let shown = self.shown(id, ordinal)?;
            let expected = self.expected(items, ordinal)?;
            let place = format!("{id} step {ordinal}");
            let counts = self.nodes_are_true(&place, &shown, &expected);
            let may_be_nameless = expected.values().any(|one| one.was_hidden);
            if !may_be_nameless && !has_late_reports(items, ordinal) {
                self.counts_are_true(&place, &step["Counts"], &counts);
            }
            let succeeded = expected.values().filter(|one| one.outcome == "Success").count();
            if step["Counts"]["Success"].as_u64().is_some_and(|counted| counted > succeeded as u64) {
                // Nobody here reports a success that was none: it was made up.
                let what =
                    format!("{place}: {} Success, and {succeeded} in truth", step["Counts"]["Success"]);
                self.wrong(Invariant::ShownIsTrue, what);
            }
        }
        Ok(())
    }

    fn expected(&self, items: &[Value], step: u64) -> Result<BTreeMap<String, Expected>, String> {
        let cloud = self.stage.deployment.simulation.cloud();
        let truth = truth_of_step(items, step, cloud.ssm.ledger())?;
        let expected = truth.into_iter().map(|(node, Truth { outcome, command })| {
            let forgets = self.workload.ssm.cancelled_hides_unstarted && command.cancelled_at.is_some();
            let expected = Expected {
                outcome,
                was_hidden: self.workload.lags_for_long || was_hidden(command),
                was_forgotten: forgets && outcome != "Success",
            };
            (node, expected)
        });
        Ok(expected.collect())
    }

    /// Holds what is shown of nodes; so many are shown of each outcome.
    fn nodes_are_true(
        &mut self,
        place: &str,
        shown: &BTreeMap<String, String>,
        expected: &BTreeMap<String, Expected>,
    ) -> BTreeMap<String, u64> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for (node, Expected { outcome, was_hidden, was_forgotten }) in expected {
            // Nothing better can be said of these than that they are Unknown, or nothing at all.
            let may_be_unknown = *was_hidden || *was_forgotten;
            let is = match shown.get(node) {
                Some(is) => is,
                None if may_be_unknown && *outcome != "Success" => "Unknown",
                None => "Success",
            };
            *counts.entry(is.to_owned()).or_default() += 1;
            if is != *outcome && !(is == "Unknown" && may_be_unknown) {
                let what = format!("{place}, {node}: shown {is}, in truth {outcome}");
                self.wrong(Invariant::ShownIsTrue, what);
            }
        }
        for (node, is) in shown.iter().filter(|(node, _)| !expected.contains_key(*node)) {
            *counts.entry(is.clone()).or_default() += 1;
            if is != "NotRun" && is != "Unknown" {
                let what = format!("{place}, {node}: {is}, and no command ran there");
                self.wrong(Invariant::ShownIsTrue, what);
            }
        }
        counts
    }

    fn counts_are_true(&mut self, place: &str, told: &Value, counts: &BTreeMap<String, u64>) {
        for outcome in ["Success", "Failed", "TimedOut", "Unknown", "NotRun"] {
            let counted = counts.get(outcome).copied().unwrap_or(0);
            if told[outcome] != counted {
                let what = format!("{place}: {} {outcome}, and {counted} nodes", told[outcome]);
                self.wrong(Invariant::ShownIsTrue, what);
            }
        }
    }

    /// Nodes of a step that are not Success, with their outcomes.
    fn shown(&mut self, id: &str, ordinal: u64) -> Result<BTreeMap<String, String>, String> {
        let path = format!("/executions/{id}/nodes?status=NotSuccess&step={ordinal}&limit=1000");
        let page = self.get(&path)?;
        let nodes = page["Nodes"].as_array().ok_or("no nodes")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(nodes.iter().map(|node| (text(&node["InstanceId"]), text(&node["Outcome"]))).collect())
    }

    fn get(&mut self, path: &str) -> Result<Value, String> {
        self.stage.deployment.get(path).map_err(|error| format!("{path}: {error}"))
    }
}

/// Whether SSM said more of a step after it was closed: its counts are of then, and the step says so.
fn has_late_reports(items: &[Value], step: u64) -> bool {
    let key = format!("STEP#{step:06}");
    let closed = items.iter().find(|item| text(item, "sk") == Some(&key));
    closed.is_some_and(|item| !texts(item, "contradicted_by").is_empty())
}
