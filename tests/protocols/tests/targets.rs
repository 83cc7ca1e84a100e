//! Nobody to send to, looks that are none, and steps that run out of time (P3, P5, P6).

use fleetwright_local::clock::START;
use fleetwright_local::fleet::Behaviour;
use fleetwright_local::ssm::Outcome;
use fleetwright_protocols::{Call, Failure, Run, Story, on, runbooks, steady_fleet, stored};
use jiff::SignedDuration;

/// One step by tag, then one more.
const BY_TAG: &str = r#"
schemaVersion: "0.3"
mainSteps:
  - name: first
    action: aws:runCommand
    onFailure: Continue
    inputs:
      DocumentName: AWS-RunShellScript
      Targets: [{ Key: "tag:Role", Values: [web] }]
      Parameters: { commands: ["uptime"] }
  - name: after
    action: aws:sleep
    inputs: { Duration: PT1S }
"#;

/// One step with a time limit, in so many attempts.
fn limited(seconds: u32, attempts: u32) -> String {
    let limits =
        format!("action: aws:runCommand\n    timeoutSeconds: {seconds}\n    maxAttempts: {attempts}");
    runbooks::ONE_STEP.replace("action: aws:runCommand", &limits)
}

fn counts(run: &mut Run, names: &[&str]) -> Vec<u64> {
    names.iter().map(|name| run.number("first", name)).collect()
}

/// How many looks that found nothing the only send has.
fn looks(run: &Run) -> usize {
    run.sends()[0].item["looks"]["NS"].as_array().map_or(0, Vec::len)
}

/// A fault of the first six minutes.
fn in_six_minutes(call: &Call<'_>) -> bool {
    call.now < START + SignedDuration::from_mins(6)
}

#[test]
fn an_empty_list_of_nodes_is_success_without_a_send() {
    let mut run = Story::new().runbook(runbooks::TWO_STEPS).parameter("Nodes", &[]).play();
    assert_eq!(run.status(), "Success");
    assert_eq!(
        counts(&mut run, &["TargetCount", "SuccessCount", "NotRunCount", "SuccessPercentage"]),
        [0, 0, 0, 100]
    );
    assert!(run.sends().is_empty() && run.commands().is_empty());
    run.check();
}

#[test]
fn a_retry_of_the_failed_where_none_failed_sends_nothing() {
    let mut run = Story::new().runbook(runbooks::RETRY_FAILED).play();
    assert_eq!(run.status(), "Success");
    assert_eq!(run.number("second", "TargetCount"), 0);
    assert_eq!(run.commands().len(), 1);
    run.check();
}

#[test]
fn a_tag_that_matches_nobody_ends_the_step_as_ssm_ended_the_command() {
    let mut run = Story::new().runbook(BY_TAG).play();
    let command = run.commands().remove(0);
    assert_eq!(format!("{:?}", command.status), "NoInstancesInTag");
    assert_eq!(run.step("first")["StepStatus"], "Failed");
    let message = run.step("first")["FailureMessage"].as_str().expect("a message").to_owned();
    assert!(message.contains("NoInstancesInTag"), "{message}");
    assert_eq!(
        counts(&mut run, &["TargetCount", "SuccessCount", "UnknownCount", "SuccessPercentage"]),
        [0, 0, 0, 0]
    );
    assert_eq!(run.step("after")["StepStatus"], "Success", "onFailure: Continue");
    run.check();
}

#[test]
fn a_tag_reaches_all_nodes_that_bear_it() {
    let mut fleet = steady_fleet(80, 10);
    for node in &mut fleet.nodes_mut()[..70] {
        node.tags = std::sync::Arc::new([("Role".to_owned(), "web".to_owned())].into());
    }
    let mut run = Story::new().fleet(fleet).runbook(BY_TAG).play();
    assert_eq!(run.status(), "Success");
    assert_eq!(counts(&mut run, &["TargetCount", "SuccessCount"]), [70, 70]);
    assert_eq!(run.runs().len(), 70);
    run.check();
}

#[test]
fn a_throttled_look_is_no_look() {
    let lost = on("SendCommand").fail_before(Failure::Timeout);
    let throttled = on("ListCommands").each().when(in_six_minutes).throttle();
    let mut run = Story::new().call(lost).call(throttled).start();
    run.pass(SignedDuration::from_mins(5));
    assert_eq!(looks(&run), 0, "every look was throttled");
    assert_eq!(run.applied("ssm:SendCommand"), 0, "nothing is tried again for them");
    run.end();
    assert_eq!(run.status(), "Success");
    assert_eq!(run.sends()[0].tries, 2);
    run.each_node_ran_once_in_each_of(1);
    run.check();
}

#[test]
fn a_look_that_is_cut_short_after_its_first_page_is_no_look() {
    // More than a page of commands in the window, the lost one on the second page, which cannot be read for a while.
    let answered_late = on("SendCommand").fail_after(Failure::Reset);
    let second_page =
        on("ListCommands").about("NextToken").each().when(in_six_minutes).fail_before(Failure::Http500);
    let mut run = Story::new().fleet(steady_fleet(5, 1_000)).call(answered_late).call(second_page).start();
    others_send(&mut run, 60);
    run.pass(SignedDuration::from_mins(5));
    assert_eq!(looks(&run), 0, "a page alone says nothing");
    run.end();
    assert_eq!(run.status(), "Success");
    assert_eq!(run.sends()[0].tries, 1, "it was found, not sent again");
    let ours = run.commands().iter().filter(|command| command.comment.starts_with("fw:")).count();
    assert_eq!(ours, 1);
}

/// Somebody else sends commands of their own.
fn others_send(run: &mut Run, commands: usize) {
    let (node, now) = (run.nodes()[0].clone(), run.now());
    let body = serde_json::json!({
        "DocumentName": "AWS-RunShellScript", "InstanceIds": [node], "Parameters": { "commands": ["date"] }
    });
    for _ in 0..commands {
        run.cloud().ssm.handle("SendCommand", &body, now).expect("is accepted");
    }
}

#[test]
fn a_step_that_runs_out_of_time_is_cancelled_and_timed_out() {
    let mut run = Story::new().fleet(steady_fleet(5, 1_000)).runbook(&limited(60, 1)).play();
    assert_eq!(run.status(), "TimedOut");
    let step = run.step("first");
    assert_eq!(step["StepStatus"], "TimedOut");
    assert!(step["FailureMessage"].as_str().is_some_and(|text| text.contains("timeoutSeconds")), "{step}");
    assert!(run.commands()[0].cancelled_at.is_some());
    assert_eq!(counts(&mut run, &["FailedCount", "SuccessCount"]), [5, 0], "they had begun");
    run.check();
}

#[test]
fn a_step_whose_nodes_had_ended_in_time_has_not_timed_out_though_no_event_said_so() {
    let mut run = Story::new()
        .fleet(steady_fleet(5, 30))
        .runbook(&limited(60, 1))
        .delivery(fleetwright_protocols::events().lost())
        .play();
    assert_eq!(run.status(), "Success");
    assert_eq!(run.number("first", "SuccessCount"), 5);
    run.check();
}

#[test]
fn the_next_attempt_goes_to_all_original_targets_once_all_have_ended() {
    let mut fleet = steady_fleet(5, 20);
    let failing = Behaviour { fails_first: 1, ..fleet.nodes()[0].behaviours[0].clone() };
    fleet.nodes_mut()[2].behaviours = [failing].into();
    let mut run = Story::new().fleet(fleet).runbook(&limited(600, 2)).play();
    assert_eq!(run.status(), "Success");
    assert_eq!(counts(&mut run, &["TargetCount", "SuccessCount", "FailedCount"]), [5, 5, 0]);
    let commands = run.commands();
    assert_eq!(commands.iter().map(|command| command.nodes.len()).collect::<Vec<_>>(), [5, 5]);
    assert!(commands[0].ended_at.is_some_and(|ended| ended <= commands[1].requested_at));
    run.check();
}

#[test]
fn an_attempt_that_runs_out_of_time_is_cancelled_before_the_next_begins() {
    let mut fleet = steady_fleet(5, 20);
    fleet.nodes_mut()[2].behaviours = steady_fleet(1, 1_000).nodes()[0].behaviours.clone();
    let mut run = Story::new().fleet(fleet).runbook(&limited(60, 2)).play();
    assert_eq!(run.status(), "TimedOut");
    let commands = run.commands();
    assert_eq!(commands.len(), 2);
    assert!(commands.iter().all(|command| command.cancelled_at.is_some()));
    assert!(commands[0].ended_at.is_some_and(|ended| ended <= commands[1].requested_at));
    assert_eq!(counts(&mut run, &["SuccessCount", "FailedCount"]), [4, 1]);
    run.check();
}

#[test]
fn there_is_no_next_attempt_while_nodes_of_the_last_still_run_two_minutes_after_the_cancel() {
    let mut run = Story::new()
        .fleet(steady_fleet(5, 1_000))
        .runbook(&limited(60, 2))
        .ssm(|ssm| ssm.cancel_ineffective = 1.0)
        .play();
    assert_eq!(run.status(), "TimedOut");
    assert_eq!(run.commands().len(), 1);
    run.check();
}

#[test]
fn a_document_that_ssm_refuses_fails_the_step_in_ssms_words_and_nothing_is_tried_again() {
    let text = runbooks::ONE_STEP.replace("AWS-RunShellScript", "No-SuchDocument");
    let mut run = Story::new().runbook(&text).play();
    assert_eq!(run.status(), "Failed");
    let message = run.step("first")["FailureMessage"].as_str().expect("a message").to_owned();
    assert!(message.contains("InvalidDocument") && message.contains("No-SuchDocument"), "{message}");
    assert_eq!(run.number("first", "NotRunCount"), 5);
    assert_eq!(run.applied("ssm:SendCommand"), 1);
    run.check();
}

#[test]
fn a_node_that_never_answers_is_unknown_and_one_denied_is_not_run() {
    let mut run = Story::new().fleet(steady_fleet(4, 10)).deploy();
    let nodes = run.nodes();
    run.cloud().ssm.script(&nodes[0], "*", Outcome::Undeliverable { runs: true });
    run.cloud().ssm.script(&nodes[1], "*", Outcome::AccessDenied);
    run.start();
    run.until(stored(|items| items.iter().any(|item| item["status"]["S"] == "Failed")));
    run.end();
    assert_eq!(
        counts(&mut run, &["SuccessCount", "UnknownCount", "NotRunCount", "FailedCount"]),
        [2, 1, 1, 0]
    );
    run.check();
}
