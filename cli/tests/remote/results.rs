//! What people and programs read of executions.

use crate::sample::{ID, NODE, OTHER, at, counts, execution, failed_night, ok, patch_night, step};
use crate::stub::{Reply, Stub};
use crate::{fleetwright, tells, text};
use fleetwright_wire::results::{
    Execution, ExecutionList, NodeCommand, NodeHistory, NodeOutcome, Timeline, TimelineEvent, TimelineKind,
};
use serde_json::Value;

#[test]
fn a_failed_execution_is_told_with_what_to_do_next() {
    let stub = failed_night();
    let page = tells(
        &fleetwright(&stub, &["results", ID]),
        1,
        &[
            "patch-fleet version 3: Failed after 41 m 07 s",
            "12345678-1234-4123-8123-123456789012, started 2026-11-20 22:00Z\nby arn:aws:sts::123456789012:assumed-role/Operator/ada\n",
            " patch  Failed    120  111       8      1",
            "patch: 9 of 120 targets did not succeed",
            "execution: step patch failed",
            "execution: a command was sent twice",
            "patch: after the step had ended, SSM said something else of c1",
            "patch: 2 failed, exit code 156",
            "The database is locked.",
            NODE,
            "patch: 1 timed out",
            "6 m 12 s  i-0123456789abcdef0   patch, timed out",
            "patch.TargetCount  120",
            "What to do next",
            &format!("start patch-fleet --param Nodes={NODE} --param Nodes={OTHER}"),
            &format!("results {ID} --status timed-out --nodes"),
            &format!("results --node {NODE}"),
            &format!("results {ID} --format csv"),
            &format!("export FLEETWRIGHT_ENDPOINT={}", stub.url),
        ],
    );
    assert!(!page.contains("fine"), "nodes that succeeded are no trouble: {page}");
    assert!(!page.contains("Running."), "what was written as an error is enough: {page}");
}

#[test]
fn an_execution_that_succeeded_needs_no_advice_but_where_to_look() {
    let patch = step("patch", "aws:runCommand", "Success", Some(counts(120, 0, 0, 0)));
    let stub = patch_night(execution("Success"), vec![patch], Vec::new());
    let page = tells(&fleetwright(&stub, &["results", ID]), 0, &["Success after 41 m 07 s", "--timeline"]);
    assert!(!page.contains("went wrong") && !page.contains("start patch-fleet"), "{page}");
}

#[test]
fn an_execution_that_waits_says_how_to_answer_it() {
    let ask = step("ask", "aws:approve", "Waiting", None);
    let stub = patch_night(execution("Waiting"), vec![ask], Vec::new());
    let words = ["ask waits for approval", "signal 12345678-1234-4123-8123-123456789012 approve", "reject"];
    tells(&fleetwright(&stub, &["results", ID]), 0, &words);
    let parked = Execution { parked: Some("the document was deleted".to_owned()), ..execution("InProgress") };
    let stub = patch_night(parked, Vec::new(), Vec::new());
    let words = ["waits for a person: the document was deleted", &format!("signal {ID} resume"), "stop"];
    tells(&fleetwright(&stub, &["results", ID]), 1, &words);
}

#[test]
fn programs_read_the_same_as_people() {
    let output = fleetwright(&failed_night(), &["results", ID, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let result: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(result["Execution"]["Status"], "Failed");
    assert_eq!(result["Steps"][0]["Counts"]["Failed"], 8);
    assert_eq!(result["Groups"][0]["SampleInstanceId"], NODE);
    assert_eq!(result["Slowest"][0]["DurationS"], 372.0);
}

#[test]
fn nodes_groups_and_steps_can_be_narrowed_down() {
    let stub = failed_night();
    let page = fleetwright(&stub, &["results", ID, "--nodes", "--step", "patch", "--status", "timed-out"]);
    let page = tells(&page, 0, &["SAID LAST", NODE, "156", "6 m 12 s", "locked  [31mby another"]);
    assert!(page.contains("timed out"), "{page}");
    let asked = stub.asked();
    let path = format!("/executions/{ID}/nodes?step=patch&status=TimedOut&limit=1000");
    assert!(asked.iter().any(|asked| asked.path == path), "{asked:?}");
    tells(&fleetwright(&stub, &["results", ID, "--groups"]), 0, &["fine", "locked", "Downloading"]);
    let output = fleetwright(&stub, &["results", ID, "--step", "reboot"]);
    assert_eq!(
        (output.status.code(), text(&output.stderr).as_str()),
        (Some(2), "error: the execution has run no step reboot\n")
    );
}

#[test]
fn csv_passes_through_page_by_page_with_one_header() {
    let stub = Stub::start(|asked| {
        let page = |text: &str| Reply::new(200, text).with("content-type", "text/csv");
        match asked.path.split_once("?limit=1000&format=csv")? {
            (_, "") => Some(page("step,node\r\npatch,i-1\r\npatch,\"i\n2\"\r\n").with("x-next-token", "a=")),
            (_, "&next=a%3D") => Some(page("step,node\r\npatch,i-3\r\n").with("x-next-token", "b")),
            (_, "&next=b") => Some(page("step,node\r\n")),
            _ => None,
        }
    });
    let output = fleetwright(&stub, &["results", ID, "--format", "csv"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&output.stdout), "step,node\r\npatch,i-1\r\npatch,\"i\n2\"\r\npatch,i-3\r\n");
}

#[test]
fn json_lines_of_groups_pass_through() {
    let line = "{\"StepName\":\"patch\"}\n";
    let stub = Stub::start(move |asked| {
        (asked.path == format!("/executions/{ID}/groups?status=Failed&format=jsonl"))
            .then(|| Reply::new(200, line))
    });
    let arguments = ["results", ID, "--groups", "--status", "failed", "--format", "jsonl"];
    assert_eq!(text(&fleetwright(&stub, &arguments).stdout), line);
    let output = fleetwright(&stub, &["results", "--format", "csv"]);
    assert_eq!(output.status.code(), Some(2), "only nodes and groups are lists of that kind");
}

#[test]
fn recent_executions_a_nodes_history_and_a_timeline_are_tables() {
    let stub = Stub::start(|asked| {
        let event = |at, kind, nodes| TimelineEvent {
            at,
            kind,
            step_name: Some("patch".to_owned()),
            command_id: None,
            nodes,
            status: None,
        };
        match asked.path.split('?').next()? {
            "/executions" => ok(ExecutionList {
                executions: vec![
                    execution("Failed"),
                    Execution {
                        parked: Some("why".to_owned()),
                        ended_at: Some(at("23:00:00")),
                        ..execution("InProgress")
                    },
                ],
                next_token: None,
            }),
            path if path == format!("/nodes/{NODE}") => ok(NodeHistory {
                instance_id: NODE.to_owned(),
                commands: vec![NodeCommand {
                    command_id: "c1".to_owned(),
                    document_name: "AWS-RunPatchBaseline".to_owned(),
                    requested_at: at("22:00:02"),
                    execution_id: Some(ID.to_owned()),
                    step_name: Some("patch".to_owned()),
                    outcome: NodeOutcome::Unknown,
                    status_details: None,
                    response_code: Some(-1),
                    duration_s: None,
                }],
                next_token: None,
            }),
            _ => ok(Timeline {
                truncated: false,
                execution_id: ID.to_owned(),
                events: vec![
                    event(at("22:00:00"), TimelineKind::ExecutionStarted, None),
                    event(at("22:03:20"), TimelineKind::FirstNodeEnded, Some(1200)),
                ],
            }),
        }
    });
    let words = [ID, "patch-fleet", "Failed", "2026-11-20 22:00Z", "41 m 07 s", "Parked"];
    tells(&fleetwright(&stub, &["results"]), 0, &words);
    let history = fleetwright(&stub, &["results", "--node", NODE]);
    let page = tells(&history, 0, &[NODE, "AWS-RunPatchBaseline", "unknown", "patch"]);
    assert!(!page.contains(" -1 "), "no exit code was received: {page}");
    let words = ["22:03:20", "+3 m 20 s", "first node ended", "1,200"];
    tells(&fleetwright(&stub, &["results", ID, "--timeline"]), 0, &words);
}
