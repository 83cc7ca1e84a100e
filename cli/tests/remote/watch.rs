//! Executions while they run.

use crate::sample::{ID, counts, detail, execution, ok, step};
use crate::stub::Stub;
use crate::{command, fleetwright, tells};
use fleetwright_wire::results::{GroupList, NodeList, Step, StepList, StepSummary, Summary};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

/// An execution in three looks: 40 of 100 nodes, 70 of 100, over.
fn three_looks(status: &'static str) -> Stub {
    let looks = AtomicUsize::new(0);
    Stub::start(move |asked| {
        if asked.method == "POST" {
            return ok(json!({ "AutomationExecutionId": ID }));
        }
        let path = asked.path.split('?').next()?;
        let part = path.strip_prefix(&format!("/executions/{ID}"))?;
        // Every look begins with the summary.
        let look = looks.fetch_add(usize::from(part == "/summary"), Ordering::SeqCst);
        let look = if part == "/summary" { look } else { look - 1 };
        let (status, numbers) = match look {
            0 => ("InProgress", counts(40, 0, 0, 60)),
            1 => ("InProgress", counts(60, 10, 0, 30)),
            _ => (status, counts(90, 10, 0, 0)),
        };
        let patch = step("patch", "aws:runCommand", status, Some(numbers.clone()));
        match part {
            "" => ok(detail(execution(status))),
            "/summary" => ok(Summary {
                execution_id: ID.to_owned(),
                status: status.to_owned(),
                steps: vec![StepSummary {
                    ordinal: 0,
                    step_name: "patch".to_owned(),
                    round: None,
                    status: status.to_owned(),
                    started_at: patch.started_at,
                    ended_at: patch.ended_at,
                    targets: Some(100),
                    counts: numbers,
                }],
            }),
            "/steps" => ok(StepList { steps: vec![patch], next_token: None }),
            "/groups" => ok(GroupList { groups: Vec::new(), next_token: None }),
            "/nodes" => ok(NodeList { nodes: Vec::new(), next_token: None }),
            _ => None,
        }
    })
}

#[test]
fn a_watch_tells_what_changes_and_ends_with_the_execution() {
    let words = [
        "22:00:01  patch             begins on 100 nodes",
        "patch             40 of 100 done: 40 ok",
        "patch             70 of 100 done: 60 ok, 10 failed",
        "22:41:05  patch             Success: 90 ok, 10 failed, after 41 m 04 s",
        "patch-fleet version 3: Success after 41 m 07 s",
        "What to do next",
    ];
    tells(&fleetwright(&three_looks("Success"), &["watch", ID]), 0, &words);
}

#[test]
fn a_watch_for_programs_is_its_result() {
    let output = fleetwright(&three_looks("Cancelled"), &["watch", ID, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let result: Value = serde_json::from_slice(&output.stdout).expect("nothing but JSON");
    assert_eq!(result["Execution"]["Status"], "Cancelled");
}

#[test]
fn a_watch_reads_again_only_steps_that_may_have_changed_and_outlasts_a_broken_network() {
    let looks = AtomicUsize::new(0);
    let stub = Stub::start(move |asked| {
        let part = asked.path.strip_prefix(&format!("/executions/{ID}"))?;
        let look = match part {
            "/summary" => looks.fetch_add(1, Ordering::SeqCst),
            _ => looks.load(Ordering::SeqCst) - 1,
        };
        // The second look fails, and its three repetitions too.
        if (1..5).contains(&look) {
            return None;
        }
        let status = if look == 0 { "InProgress" } else { "Success" };
        let step = |ordinal, status| Step { ordinal, ..step("wait", "aws:sleep", status, None) };
        match part {
            "" => ok(detail(execution(status))),
            "/summary" => {
                ok(Summary { execution_id: ID.to_owned(), status: status.to_owned(), steps: Vec::new() })
            }
            "/steps" => ok(StepList { steps: vec![step(0, "Success")], next_token: Some("2".to_owned()) }),
            "/steps?next=2" => ok(StepList { steps: vec![step(1, status)], next_token: None }),
            "/groups" => ok(GroupList { groups: Vec::new(), next_token: None }),
            _ => ok(NodeList { nodes: Vec::new(), next_token: None }),
        }
    });
    let page =
        tells(&fleetwright(&stub, &["watch", ID]), 0, &["begins: aws:sleep", "Success, after 41 m 04 s"]);
    assert_eq!(page.matches("begins").count(), 2, "{page}");
    let asked = stub.asked();
    let first_pages = asked.iter().filter(|asked| asked.path.ends_with("/steps")).count();
    let others = asked.iter().filter(|asked| asked.path.ends_with("/steps?next=2")).count();
    // Twice while it is watched the last page, the first page once; and both for the result.
    assert_eq!((first_pages, others), (2, 3), "{asked:?}");
}

#[test]
fn a_start_that_is_watched_is_told_to_its_end() {
    let looks = three_looks("Failed");
    let output = fleetwright(&looks, &["start", "patch-fleet", "--watch"]);
    let page = tells(&output, 1, &["begins on 100 nodes", "Failed after 41 m 07 s"]);
    assert_eq!(page.lines().next(), Some(ID));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_watch_and_not_the_execution() {
    let stub = three_looks("InProgress");
    let mut command = command(&stub, &["watch", ID]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert!(lines.next().expect("a line").expect("UTF-8").contains("begins on 100 nodes"));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill runs").success());
    assert_eq!(child.wait().expect("ends").code(), Some(1));
    let mut told = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut told).expect("UTF-8");
    assert!(
        told.contains(&format!("the execution goes on. To watch it again: fleetwright watch {ID}")),
        "{told}"
    );
    assert!(stub.asked().iter().all(|asked| asked.method == "GET"), "watching changes nothing");
}
