//! A settle reads every page and writes every node's history: it is done once (P5).

use fleetwright_local::fleet::Fleet;
use fleetwright_protocols::{Run, Story, on};
use jiff::SignedDuration;
use serde_json::Value;
use std::time::Duration;

/// One step over the whole fleet.
const WHOLE_FLEET: &str = r#"
schemaVersion: "0.3"
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      Targets: [{ Key: tag-key, Values: [PatchGroup] }]
      Parameters: { commands: ["uptime"] }
      MaxConcurrency: 100%
      MaxErrors: 100%
"#;
const NODES: u64 = 1_000;
/// Invocations of a page (SSM API reference, ListCommandInvocations.MaxResults).
const PAGE: u64 = 50;

fn over_all() -> Story {
    Story::new().fleet(Fleet::synthetic(1_000, 1)).runbook(WHOLE_FLEET)
}

fn pages(run: &Run) -> u64 {
    run.applied("ssm:ListCommandInvocations")
}

#[test]
fn an_end_that_two_environments_hear_of_at_once_is_settled_once() {
    let mut run = over_all().play();
    run.pass(SignedDuration::from_mins(5));
    assert_eq!(run.status(), "Success");
    assert_eq!(pages(&run), NODES / PAGE, "each page is read once");
    // 25 items in a request (DynamoDB API reference, BatchWriteItem).
    assert_eq!(run.applied("dynamodb:BatchWriteItem"), NODES / 25, "each node's history is written once");
    run.check();
}

#[test]
fn a_settle_whose_holder_has_died_is_taken_up_when_its_claim_has_run_out() {
    let mut calm = over_all().play();
    let calm_end = calm.now();
    calm.check();
    let mut run = over_all().call(on("ListCommandInvocations").nth(5).crash_before()).start();
    let end = run.end();
    assert_eq!(run.status(), "Success");
    let late = end.duration_since(calm_end);
    assert!(late <= SignedDuration::from_mins(3), "{late:#} later than on a calm day");
    run.check();
}

#[test]
fn a_settle_that_fails_is_given_back_at_once() {
    // As often as one settle tries.
    let mut run = over_all().call(on("ListCommandInvocations").first(3).throttle()).start();
    let failed = run.until(|cloud| cloud.counters.applied("ssm:ListCommands") > 0);
    let end = run.end();
    let late = end.duration_since(failed);
    assert!(late <= SignedDuration::from_secs(15), "over {late:#} after its first look");
    run.check();
}

/// Patches the whole fleet.
const PATCHING: &str = r#"
schemaVersion: "0.3"
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunPatchBaseline
      Targets: [{ Key: tag-key, Values: [PatchGroup] }]
      Parameters: { Operation: Scan }
      MaxConcurrency: 100%
      MaxErrors: 100%
outputs:
  - first.NonCompliantInstanceIds
  - first.PendingRebootInstanceIds
  - first.PatchStateUnknownInstanceIds
"#;

fn patching() -> Story {
    Story::new().fleet(Fleet::synthetic(1_300, 1)).runbook(PATCHING)
}

/// What the step says of patches, and whom it names.
fn patches(run: &mut Run) -> (u64, Vec<Vec<Value>>) {
    let outputs = run.execution()["Outputs"].take();
    let lists = ["NonCompliantInstanceIds", "PendingRebootInstanceIds", "PatchStateUnknownInstanceIds"];
    let list = |name| outputs[format!("first.{name}")].as_array().cloned().unwrap_or_default();
    (run.number("first", "MissingCount"), lists.map(list).into())
}

#[test]
fn patch_states_of_more_nodes_than_one_invocation_can_ask_for_are_read_in_several() {
    let mut calm = patching().play();
    let expected = patches(&mut calm);
    assert!(expected.0 > 0 && expected.1[0].len() > 500, "{expected:?}");
    // Twice 26 calls of three seconds and more: an invocation has a minute.
    let slow = |operation| on(operation).each().slow(Duration::from_secs(3));
    let story = patching().call(slow("DescribeInstancePatchStates")).call(slow("ListCommandInvocations"));
    let mut run = story.play();
    assert_eq!(run.status(), "Success");
    assert_eq!(patches(&mut run), expected);
    assert_eq!(pages(&run), 26, "no page is read twice");
    assert_eq!(run.applied("ssm:DescribeInstancePatchStates"), 26, "nor is a state");
    run.check();
}
