//! Executions, and how the API answers for them.

use crate::stub::{Reply, Stub};
use fleetwright_wire::results::{
    Execution, ExecutionDetail, Group, GroupList, NodeCounts, NodeList, NodeOutcome, NodeResult, Step,
    StepList,
};
use serde::Serialize;
use std::collections::BTreeMap;

pub(crate) const ID: &str = "12345678-1234-4123-8123-123456789012";
pub(crate) const NODE: &str = "i-0123456789abcdef0";
pub(crate) const OTHER: &str = "i-0123456789abcdef1";

pub(crate) fn ok(body: impl Serialize) -> Option<Reply> {
    Some(Reply::new(200, serde_json::to_string(&body).expect("JSON")))
}

pub(crate) fn at(time: &str) -> jiff::Timestamp {
    format!("2026-11-20T{time}Z").parse().expect("a time")
}

pub(crate) fn execution(status: &str) -> Execution {
    Execution {
        execution_id: ID.to_owned(),
        document_name: "patch-fleet".to_owned(),
        document_version: "3".to_owned(),
        status: status.to_owned(),
        started_at: at("22:00:00"),
        ended_at: (!["InProgress", "Waiting"].contains(&status)).then(|| at("22:41:07")),
        executed_by: "arn:aws:sts::123456789012:assumed-role/Operator/ada".to_owned(),
        current_step: None,
        failure_message: None,
        parked: None,
        warnings: Vec::new(),
    }
}

pub(crate) fn detail(execution: Execution) -> ExecutionDetail {
    let parameters = BTreeMap::from([("Nodes".to_owned(), vec![NODE.to_owned(), OTHER.to_owned()])]);
    let outputs = BTreeMap::from([("patch.TargetCount".to_owned(), vec!["120".to_owned()])]);
    ExecutionDetail { execution, parameters, outputs }
}

pub(crate) fn counts(success: u64, failed: u64, timed_out: u64, in_progress: u64) -> NodeCounts {
    NodeCounts { success, failed, timed_out, unknown: 0, not_run: 0, in_progress }
}

pub(crate) fn step(name: &str, action: &str, status: &str, counts: Option<NodeCounts>) -> Step {
    Step {
        ordinal: u32::from(name != "patch"),
        step_name: name.to_owned(),
        action: action.to_owned(),
        status: status.to_owned(),
        started_at: at("22:00:01"),
        ended_at: (!["InProgress", "Waiting"].contains(&status)).then(|| at("22:41:05")),
        round: None,
        attempt: 1,
        next_step: None,
        failure_message: (status == "Failed").then(|| "9 of 120 targets did not succeed".to_owned()),
        counts,
        command_ids: vec!["c1".to_owned()],
        contradicted_by: Vec::new(),
        outputs: BTreeMap::new(),
    }
}

pub(crate) fn group(outcome: NodeOutcome, ids: &[&str], output: &str) -> Group {
    Group {
        step_name: "patch".to_owned(),
        ordinal: 0,
        outcome,
        status_details: None,
        response_code: (outcome == NodeOutcome::Failed).then_some(156),
        count: ids.len() as u64,
        instance_ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        sample_instance_id: ids[0].to_owned(),
        sample_output: output.to_owned(),
    }
}

pub(crate) fn node(id: &str, outcome: NodeOutcome, seconds: f64) -> NodeResult {
    NodeResult {
        step_name: "patch".to_owned(),
        ordinal: 0,
        instance_id: id.to_owned(),
        outcome,
        status_details: None,
        response_code: Some(156),
        command_id: Some("c1".to_owned()),
        plugin_name: None,
        started_at: None,
        ended_at: None,
        duration_s: Some(seconds),
        output: "Running.\n\n----------ERROR-------\nlocked \u{1b}[31mby another".to_owned(),
        output_shortened: false,
        standard_output_url: None,
        standard_error_url: None,
    }
}

/// An execution that is read whole: its resources by path.
pub(crate) fn patch_night(execution: Execution, steps: Vec<Step>, groups: Vec<Group>) -> Stub {
    Stub::start(move |asked| {
        let path = asked.path.split('?').next().unwrap_or_default();
        match path.strip_prefix(&format!("/executions/{ID}"))? {
            "" => ok(detail(execution.clone())),
            "/steps" => ok(StepList { steps: steps.clone(), next_token: None }),
            "/groups" => ok(GroupList { groups: groups.clone(), next_token: None }),
            "/nodes" => ok(NodeList {
                nodes: vec![
                    node(NODE, NodeOutcome::TimedOut, 372.0),
                    node(OTHER, NodeOutcome::Success, 41.6),
                ],
                next_token: None,
            }),
            _ => None,
        }
    })
}

pub(crate) fn failed_night() -> Stub {
    let locked = "Running.\n\n----------ERROR-------\nThe database is locked.\n";
    let groups = vec![
        group(NodeOutcome::Success, &["i-0aaaaaaaaaaaaaaa0"], "fine"),
        group(NodeOutcome::Failed, &[NODE, OTHER], locked),
        group(NodeOutcome::TimedOut, &["i-0aaaaaaaaaaaaaaa1"], "Downloading"),
    ];
    let mut execution = execution("Failed");
    execution.warnings = vec!["a command was sent twice".to_owned()];
    execution.failure_message = Some("step patch failed".to_owned());
    let mut patch = step("patch", "aws:runCommand", "Failed", Some(counts(111, 8, 1, 0)));
    patch.contradicted_by = vec!["c1".to_owned()];
    patch_night(execution, vec![patch], groups)
}
