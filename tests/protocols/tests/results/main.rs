//! What became of a fleet, as the results API tells it: by step, node, group, command and moment.

mod costs;
mod health;

use fleetwright_local::TABLE;
use fleetwright_local::fleet::{Behaviour, Fleet, Span};
use fleetwright_local::protocol::Service;
use fleetwright_local::ssm::Outcome;
use fleetwright_protocols::{Run, Story, any_call, runbooks, steady_fleet};
use fleetwright_wire::results::{
    CommandSummary, ExecutionDetail, ExecutionList, Group, GroupList, NodeCounts, NodeHistory, NodeList,
    NodeOutcome, NodeResult, Problem, StepList, Summary, Timeline, TimelineKind,
};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

fn read<'a, T: Deserialize<'a>>(answer: &'a Value) -> T {
    assert_eq!(answer["statusCode"], 200, "{answer}");
    assert_eq!(answer["headers"]["content-type"], "application/json");
    serde_json::from_str(answer["body"].as_str().expect("a body")).expect("of its type")
}

/// A resource of the execution.
fn of<T: for<'a> Deserialize<'a>>(run: &mut Run, rest: &str) -> T {
    let path = format!("/executions/{}{rest}", run.id);
    read(&run.fetch(&path, ""))
}

fn problem(run: &mut Run, path: &str) -> (u64, Problem) {
    let answer = run.fetch(path, "text/csv");
    let body = answer["body"].as_str().expect("a body");
    let problem = serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"));
    (answer["statusCode"].as_u64().expect("a status"), problem)
}

/// All nodes that a query finds, page by page.
fn paged(run: &mut Run, query: &str) -> Vec<NodeResult> {
    let (mut nodes, mut next) = (Vec::new(), String::new());
    loop {
        let page: NodeList = of(run, &format!("/nodes?{query}{next}"));
        nodes.extend(page.nodes);
        match page.next_token {
            Some(token) => next = format!("&next={token}"),
            None => return nodes,
        }
    }
}

fn ids(nodes: &[NodeResult]) -> Vec<&str> {
    nodes.iter().map(|node| node.instance_id.as_str()).collect()
}

/// Nodes that say who and where they are when they fail.
fn talkative(nodes: usize) -> Fleet {
    let mut fleet = Fleet::plain(nodes, 1);
    for (at, node) in fleet.nodes_mut().iter_mut().enumerate() {
        let seconds = i64::try_from(at % 7 * 20 + 20).expect("few");
        node.behaviours = [Behaviour {
            duration: Span::seconds(seconds, seconds),
            output: Some(format!(
                "ip-10-0-0-{at} patch[{}]: {{{{ node }}}}, {} packages\n",
                at + 100,
                at % 2 + 3
            )),
            error: Some(format!("10.0.0.{at}: locked")),
            ..Behaviour::default()
        }]
        .into();
    }
    fleet
}

/// Some fail, one hangs, one cannot be reached; the step after it goes to those that failed.
fn mixed() -> Run {
    let mut run = Story::new().fleet(talkative(30)).runbook(runbooks::RETRY_FAILED).deploy();
    for (at, node) in run.nodes().iter().enumerate() {
        let outcome = match at {
            3 | 9 | 17 | 21 | 24 => Outcome::Failed(2),
            11 => Outcome::ExecutionTimedOut,
            14 => Outcome::Undeliverable { runs: false },
            _ => Outcome::Success,
        };
        run.cloud().ssm.script(node, "*", outcome);
    }
    run.start();
    run.end();
    run.pass(SignedDuration::from_mins(5));
    run
}

#[test]
fn a_mixed_fleet_is_told_in_numbers_nodes_and_groups() {
    let mut run = mixed();
    let summary: Summary = of(&mut run, "/summary");
    let counts = NodeCounts { success: 23, failed: 5, timed_out: 1, unknown: 1, not_run: 0, in_progress: 0 };
    assert_eq!((summary.steps[0].targets, &summary.steps[0].counts), (Some(30), &counts));
    assert_eq!(summary.steps[1].targets, Some(5));

    let nodes: NodeList = of(&mut run, "/nodes?step=first&limit=1000");
    let outcomes: Vec<NodeOutcome> = nodes.nodes.iter().map(|node| node.outcome).collect();
    assert_eq!(outcomes[..5], [NodeOutcome::Failed; 5]);
    assert_eq!(outcomes[5..8], [NodeOutcome::TimedOut, NodeOutcome::Unknown, NodeOutcome::Success]);
    assert_eq!(outcomes.len(), 30);
    let failed = &nodes.nodes[0];
    assert_eq!((failed.response_code, failed.status_details.as_deref()), (Some(2), Some("Failed")));
    let took = failed.ended_at.expect("ended").duration_since(failed.started_at.expect("started"));
    assert_eq!(failed.duration_s, Some(took.as_secs_f64()));
    assert!(failed.output.contains("locked") && failed.command_id.is_some(), "{failed:?}");

    // What differs by node is no difference; what was counted is: three packages, and four.
    let groups: GroupList = of(&mut run, "/groups?step=0");
    let shapes: Vec<(NodeOutcome, u64)> =
        groups.groups.iter().map(|group| (group.outcome, group.count)).collect();
    assert_eq!(shapes[0], (NodeOutcome::Failed, 4), "{groups:#?}");
    assert_eq!(shapes.iter().map(|(_, count)| count).sum::<u64>(), 7);
    let failed: Vec<&Group> = groups.groups.iter().filter(|g| g.outcome == NodeOutcome::Failed).collect();
    assert_eq!(failed.len(), 2, "{failed:#?}");
    assert!(failed[0].instance_ids.is_sorted() && failed[0].instance_ids.len() == 4);
    assert_eq!(failed[0].instance_ids[0], failed[0].sample_instance_id);
    assert!(failed[0].sample_output.contains(&failed[0].sample_instance_id), "as the node said it");
    let all: GroupList = of(&mut run, "/groups?status=all&step=first");
    assert_eq!(all.groups.iter().map(|group| group.count).sum::<u64>(), 30);
}

#[test]
fn filters_and_pages_give_every_node_once() {
    let mut run = mixed();
    let table = [
        ("step=first", 30),
        ("step=0&status=NotSuccess", 7),
        ("step=0&status=Failed,TimedOut", 6),
        ("step=0&status=Undeliverable", 1),
        ("step=0&status=ExecutionTimedOut", 1),
        ("step=0&status=Success", 23),
        ("step=0&status=NotRun", 0),
        ("step=second", 5),
        ("", 35),
    ];
    for (query, count) in table {
        for limit in [1, 4, 30, 1000] {
            let nodes = paged(&mut run, &format!("{query}&limit={limit}"));
            assert_eq!(nodes.len(), count, "{query}, {limit} a page");
            let once: BTreeSet<_> =
                nodes.iter().map(|node| (node.ordinal, node.instance_id.as_str())).collect();
            assert_eq!(once.len(), count, "{query}, {limit} a page");
        }
    }
    let slowest = paged(&mut run, "sort=slowest&step=0&limit=4");
    assert!(slowest.len() > 20);
    assert!(slowest.is_sorted_by(|a, b| a.duration_s >= b.duration_s));
    let all = paged(&mut run, "step=0");
    assert!(slowest[0].duration_s >= all.iter().filter_map(|node| node.duration_s).reduce(f64::max));
}

#[test]
fn csv_and_json_lines_say_what_json_says() {
    let mut run = mixed();
    let path = format!("/executions/{}/nodes?step=0&limit=20", run.id);
    let page: NodeList = read(&run.fetch(&path, "application/json"));
    let csv_answer = run.fetch(&path, "text/csv");
    assert_eq!(csv_answer["headers"]["content-type"], "text/csv");
    assert_eq!(csv_answer["headers"]["x-next-token"], Value::from(page.next_token.clone()));
    let body = csv_answer["body"].as_str().expect("a body");
    assert!(body.starts_with("StepName,Ordinal,InstanceId,Outcome,"), "{body}");
    let mut reader = csv::Reader::from_reader(body.as_bytes());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), 20);
    for (row, node) in rows.iter().zip(&page.nodes) {
        assert_eq!((&row["InstanceId"], &row["Output"]), (&node.instance_id, &node.output));
        assert_eq!(row["ResponseCode"].parse().ok(), node.response_code);
    }
    let lines = run.fetch(&format!("{path}&format=jsonl"), "text/csv");
    assert_eq!(lines["headers"]["content-type"], "application/x-ndjson");
    let lines = lines["body"].as_str().expect("a body").lines();
    let read_back: Vec<NodeResult> = lines.map(|line| serde_json::from_str(line).expect("a node")).collect();
    assert_eq!(read_back, page.nodes);
    let path = format!("/executions/{}/groups", run.id);
    let groups: GroupList = read(&run.fetch(&path, ""));
    let table = run.fetch(&format!("{path}?format=csv"), "");
    let mut reader = csv::Reader::from_reader(table["body"].as_str().expect("a body").as_bytes());
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(|row| row.expect("a row")).collect();
    let counts: Vec<u64> = rows.iter().map(|row| row["Count"].parse().expect("a number")).collect();
    assert_eq!(counts, groups.groups.iter().map(|group| group.count).collect::<Vec<_>>());
    assert_eq!(rows[0]["InstanceIds"].split(' ').count(), groups.groups[0].instance_ids.len());
}

#[test]
fn while_it_runs_every_node_is_shown_once_and_stands_as_far_as_is_known() {
    let mut run = Story::new().fleet(talkative(120)).runbook(runbooks::WIDE_STEP).start();
    run.until(|cloud| cloud.ssm.ledger().runs().len() == 100);
    run.pass(SignedDuration::from_secs(60));
    let summary: Summary = of(&mut run, "/summary");
    let step = &summary.steps[0];
    assert_eq!((summary.status.as_str(), step.targets, step.ended_at), ("InProgress", Some(120), None));
    assert!(step.counts.success > 0 && step.counts.in_progress > 0, "{:?}", step.counts);
    assert_eq!(step.counts.success + step.counts.in_progress, 120, "{:?}", step.counts);
    let nodes = paged(&mut run, "limit=1000");
    assert_eq!(nodes.len(), 120, "also those that nothing was sent to yet");
    assert_eq!(nodes[0].outcome, NodeOutcome::InProgress, "within a page the worst comes first");
    // From one page to the next time passes, and nodes end.
    let (mut seen, mut next, mut changed) = (Vec::new(), String::new(), BTreeSet::new());
    loop {
        let page: NodeList = of(&mut run, &format!("/nodes?limit=13{next}"));
        changed.extend(page.nodes.iter().map(|node| node.outcome));
        seen.extend(page.nodes.into_iter().map(|node| node.instance_id));
        let Some(token) = page.next_token else { break };
        next = format!("&next={token}");
        run.pass(SignedDuration::from_secs(5));
    }
    assert_eq!(seen.len(), 120);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 120);
    assert!(changed.len() > 1, "it did not change: {changed:?}");
    run.end();
    assert_eq!(ids(&paged(&mut run, "limit=7")).len(), 120);
}

#[test]
fn what_is_wrong_with_a_request_is_said_of_the_parameter() {
    let mut run = Story::new().play();
    let execution = format!("/executions/{}", run.id);
    let table = [
        ("/executions?colour=red".to_owned(), "colour"),
        ("/executions?limit=101".to_owned(), "limit"),
        ("/executions?limit=0".to_owned(), "limit"),
        ("/executions?status=Done".to_owned(), "status"),
        ("/executions?after=yesterday".to_owned(), "after"),
        ("/executions?next=xyz".to_owned(), "next"),
        (format!("{execution}?limit=3"), "limit"),
        (format!("{execution}/summary?step=first"), "step"),
        (format!("{execution}/steps?limit=no"), "limit"),
        (format!("{execution}/nodes?status=Bad"), "status"),
        (format!("{execution}/nodes?step=nowhere"), "step"),
        (format!("{execution}/nodes?step=7"), "step"),
        (format!("{execution}/nodes?sort=fastest"), "sort"),
        (format!("{execution}/nodes?format=xml"), "format"),
        (format!("{execution}/groups?status=Failed,"), "status"),
        (format!("{execution}/groups?next=AAAA"), "next"),
    ];
    for (path, parameter) in table {
        let (status, problem) = problem(&mut run, &path);
        assert_eq!(status, 400, "{path}: {problem:?}");
        assert!(problem.message.contains(parameter), "{path}: {problem:?}");
    }
    let nowhere = [
        ("/nothing", "ResourceNotFoundException"),
        ("/executions/unknown", "AutomationExecutionNotFoundException"),
        ("/executions/unknown/summary", "AutomationExecutionNotFoundException"),
        ("/executions/unknown/nodes", "AutomationExecutionNotFoundException"),
        ("/executions/unknown/timeline", "AutomationExecutionNotFoundException"),
        ("/commands/51c0891d-0000-4000-8000-000000000001/summary", "InvalidCommandId"),
        ("/commands/none/summary", "InvalidCommandId"),
        ("/nodes/web-1", "InvalidInstanceId"),
    ];
    for (path, code) in nowhere {
        let (status, problem) = problem(&mut run, path);
        assert_eq!((status, problem.code.as_str()), (404, code), "{path}: {problem:?}");
    }
    // A token is good for the request that it answered, and for no other.
    let page: NodeList = of(&mut run, "/nodes?limit=2");
    let token = page.next_token.expect("there are five");
    let (status, problem) = problem(&mut run, &format!("{execution}/nodes?status=Success&next={token}"));
    assert_eq!((status, problem.code.as_str()), (400, "InvalidNextToken"));
}

#[test]
fn executions_and_steps_come_page_by_page() {
    let mut run = Story::new().runbook(runbooks::TWO_STEPS).play();
    let first = run.id.clone();
    let nodes = run.nodes();
    let body = serde_json::json!({ "DocumentName": "Story", "Parameters": { "Nodes": nodes } });
    let mut started = vec![first.clone()];
    for _ in 0..3 {
        run.pass(SignedDuration::from_mins(10));
        let answer = run.deployment.call("StartAutomationExecution", &body).expect("started");
        started.push(answer["AutomationExecutionId"].as_str().expect("an id").to_owned());
    }
    started.reverse();
    let (mut listed, mut next) = (Vec::new(), String::new());
    loop {
        let page: ExecutionList = read(&run.fetch(&format!("/executions?limit=3&document=Story{next}"), ""));
        listed.extend(page.executions.into_iter().map(|execution| execution.execution_id));
        let Some(token) = page.next_token else { break };
        next = format!("&next={token}");
    }
    assert_eq!(listed, started);
    let ended: ExecutionList = read(&run.fetch("/executions?status=Success,Failed", ""));
    assert_eq!(ended.executions.len(), 3, "the newest runs");
    assert!(read::<ExecutionList>(&run.fetch("/executions?document=Other", "")).executions.is_empty());

    let detail: ExecutionDetail = of(&mut run, "");
    assert_eq!((detail.execution.status.as_str(), detail.parameters["Nodes"].len()), ("Success", 5));
    let page: StepList = of(&mut run, "/steps?limit=1");
    assert_eq!(
        (page.steps[0].step_name.as_str(), page.steps[0].next_step.as_deref()),
        ("first", Some("second"))
    );
    assert_eq!(page.steps[0].outputs["TargetCount"], ["5"]);
    let token = page.next_token.expect("there is one more");
    let page: StepList = of(&mut run, &format!("/steps?limit=1&next={token}"));
    assert_eq!((page.steps[0].ordinal, page.steps.len(), page.next_token), (1, 1, None));
    assert_eq!(page.steps[0].counts.as_ref().map(|counts| counts.success), Some(5));
}

/// Twenty-five rounds that all fail.
const ROUNDS: &str = r#"
schemaVersion: "0.3"
parameters: { Nodes: { type: StringList } }
mainSteps:
  - name: rounds
    action: aws:loop
    inputs:
      Iterators: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]
      Steps:
        - name: try
          action: aws:runCommand
          onFailure: Continue
          isCritical: false
          inputs:
            DocumentName: AWS-RunShellScript
            InstanceIds: "{{ Nodes }}"
            Parameters: { commands: ["false"] }
"#;

#[test]
fn groups_of_a_long_loop_come_page_by_page() {
    let mut run = Story::new().fleet(talkative(2)).runbook(ROUNDS).deploy();
    for node in run.nodes() {
        run.cloud().ssm.script(&node, "*", Outcome::Failed(1));
    }
    run.start();
    run.end();
    for limit in [1, 7, 100] {
        let (mut rounds, mut next) = (Vec::new(), String::new());
        loop {
            let page: GroupList = of(&mut run, &format!("/groups?limit={limit}{next}"));
            assert!(page.groups.len() <= limit);
            rounds.extend(page.groups.into_iter().map(|group| (group.ordinal, group.count)));
            match page.next_token {
                Some(token) => next = format!("&next={token}"),
                None => break,
            }
        }
        let nodes: u64 = rounds.iter().map(|(_, count)| count).sum();
        let steps: BTreeSet<u32> = rounds.iter().map(|(ordinal, _)| *ordinal).collect();
        assert_eq!((nodes, steps.len()), (50, 25), "in pages of {limit}");
        assert!(rounds.is_sorted_by_key(|(ordinal, _)| *ordinal), "in the order of the steps");
    }
}

#[test]
fn a_timeline_tells_what_happened_in_order() {
    let mut run = Story::new().fleet(steady_fleet(60, 5)).runbook(runbooks::WIDE_STEP).play();
    run.pass(SignedDuration::from_mins(2));
    let timeline: Timeline = of(&mut run, "/timeline");
    assert!(timeline.events.is_sorted_by_key(|event| event.at));
    let kinds: Vec<TimelineKind> = timeline.events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds[..2], [TimelineKind::ExecutionStarted, TimelineKind::StepStarted]);
    assert_eq!(kinds[kinds.len() - 2..], [TimelineKind::StepEnded, TimelineKind::ExecutionEnded]);
    for kind in [TimelineKind::CommandSent, TimelineKind::FirstNodeEnded, TimelineKind::LastNodeEnded] {
        assert_eq!(kinds.iter().filter(|other| **other == kind).count(), 2, "{kind:?}: {kinds:?}");
    }
    assert!(!timeline.truncated);
}

#[test]
fn a_command_and_a_node_tell_what_they_went_through() {
    let mut run = mixed();
    let nodes = paged(&mut run, "step=0&status=Failed");
    let (node, command) = (&nodes[0].instance_id, nodes[0].command_id.clone().expect("a command"));
    let summary: CommandSummary = read(&run.fetch(&format!("/commands/{command}/summary"), ""));
    assert_eq!((summary.counts.failed, summary.targets, summary.settled), (5, Some(30), true));
    assert_eq!(
        (summary.execution_id.as_deref(), summary.step_name.as_deref()),
        (Some(&*run.id), Some("first"))
    );
    let history: NodeHistory = read(&run.fetch(&format!("/nodes/{node}?limit=1"), ""));
    assert_eq!(history.commands[0].step_name.as_deref(), Some("second"));
    let token = history.next_token.expect("there was one before");
    let history: NodeHistory = read(&run.fetch(&format!("/nodes/{node}?limit=1&next={token}"), ""));
    let before = &history.commands[0];
    assert_eq!(
        (&before.command_id, before.outcome, before.response_code),
        (&command, NodeOutcome::Failed, Some(2))
    );
    assert_eq!(before.step_name.as_deref(), Some("first"));
}

#[test]
fn the_api_describes_itself() {
    let mut run = Story::new().deploy();
    let description: Value = read(&run.fetch("/openapi.json", ""));
    assert!(description["paths"]["/executions/{id}/nodes"]["get"].is_object());
}
