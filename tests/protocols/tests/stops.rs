//! A stop: no new intent after it, what is under way is cancelled, and the execution ends when every send has (G6).

use fleetwright_local::fleet::Span;
use fleetwright_local::ssm::{RunEnd, SsmOptions};
use fleetwright_local::{Cloud, DeploymentError};
use fleetwright_protocols::{Failure, Run, Story, events, on, runbooks, steady_fleet, stored};
use jiff::SignedDuration;
use serde_json::json;
use std::time::Duration;

/// Work, a pause, work again.
const THREE_STEPS: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
  - name: pause
    action: aws:sleep
    inputs: { Duration: PT10M }
  - name: second
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
"#;

/// Longer than any stop takes.
const LONG_S: i64 = 1_500;
/// A stop that works takes seconds; the two minutes of the last resort are not needed.
const SOON: Duration = Duration::from_secs(60);

/// Three steps over nodes that work long enough to be stopped.
fn long_work(nodes: usize) -> Story {
    Story::new().fleet(steady_fleet(nodes, LONG_S)).runbook(THREE_STEPS)
}

fn runs(count: usize) -> impl FnMut(&Cloud) -> bool {
    move |cloud| cloud.ssm.ledger().runs().len() == count
}

/// Stops, and holds that nobody intends anything afterwards.
fn stop_for_good(run: &mut Run, kind: &str) {
    run.stop(kind);
    let intents = run.intents();
    run.end();
    assert_eq!(run.intents(), intents, "sends and tries after the stop");
}

fn names(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, status)| ((*name).to_owned(), (*status).to_owned())).collect()
}

fn refused_stop(run: &mut Run, kind: &str) -> String {
    let body = json!({ "AutomationExecutionId": run.id, "Type": kind });
    let before = run.items();
    let error = match run.deployment.call("StopAutomationExecution", &body) {
        Err(DeploymentError::Api(error)) => error,
        other => panic!("the stop should have been refused: {other:?}"),
    };
    assert!(error.message.contains(&run.id), "{error}");
    assert!(run.items() == before, "a refused stop changed something");
    error.code
}

#[test]
fn a_stop_while_commands_run_cancels_them_and_ends_when_they_have() {
    let mut run = long_work(60).start();
    run.until(runs(50));
    run.stop("Cancel");
    assert_eq!(run.status(), "Cancelling");
    let intents = run.intents();
    let ended = run.end_within(SOON);
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.intents(), intents, "sends and tries after the stop");
    assert_eq!(run.steps(), names(&[("first", "Cancelled")]));
    for command in run.commands() {
        assert!(command.cancelled_at.is_some(), "{command:?}");
        assert!(command.ended_at.is_some_and(|at| at <= ended), "the execution ended before {command:?}");
    }
    let killed =
        run.runs().iter().filter(|run| run.end.is_some_and(|(_, end)| end == RunEnd::Killed)).count();
    assert_eq!(killed, 50);
    assert_eq!(run.number("first", "FailedCount"), 50, "they had begun");
    assert_eq!(run.number("first", "NotRunCount"), 10, "they were never sent to");
    run.check();
}

#[test]
fn a_stop_during_a_sleep_ends_it_at_once() {
    let mut run = Story::new().nodes(3).runbook(THREE_STEPS).start();
    run.until(|cloud| cloud.counters.applied("dynamodb:TransactWriteItems") >= 2);
    assert_eq!(run.steps(), names(&[("first", "Success"), ("pause", "InProgress")]));
    stop_for_good(&mut run, "Cancel");
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.steps(), names(&[("first", "Success"), ("pause", "Cancelled")]));
    assert_eq!(run.runs().len(), 3, "the second step never ran");
    run.check();
}

#[test]
fn a_stop_while_the_last_event_of_a_step_is_under_way_lets_no_further_step_begin() {
    // All nodes have ended and nobody knows it yet.
    let mut run = Story::new()
        .nodes(3)
        .runbook(&THREE_STEPS.replace("PT10M", "PT1S"))
        .delivery(events().late(Duration::from_secs(30)))
        .start();
    run.until(|cloud| {
        let runs = cloud.ssm.ledger().runs();
        runs.len() == 3 && runs.iter().all(|run| run.end.is_some())
    });
    stop_for_good(&mut run, "Cancel");
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.steps(), names(&[("first", "Success")]));
    assert_eq!(run.number("first", "SuccessCount"), 3, "what the nodes did is told as it is");
    assert_eq!(run.runs().len(), 3);
    run.check();
}

#[test]
fn a_stop_of_type_complete_does_the_same_and_ends_in_success() {
    let mut run = long_work(3).start();
    run.until(runs(3));
    stop_for_good(&mut run, "Complete");
    assert_eq!(run.status(), "Success");
    assert_eq!(run.steps(), names(&[("first", "Cancelled")]));
    assert!(
        run.commands().iter().all(|command| command.cancelled_at.is_some() && command.ended_at.is_some())
    );
    run.check();
}

#[test]
fn the_same_stop_twice_is_answered_twice_and_another_kind_comes_too_late() {
    let mut run = long_work(3).start();
    run.until(runs(3));
    run.stop("Cancel");
    run.stop("Cancel");
    assert_eq!(refused_stop(&mut run, "Complete"), "InvalidAutomationStatusUpdateException");
    run.end();
    assert_eq!(run.status(), "Cancelled");
    run.check();
}

#[test]
fn a_stop_after_the_end_is_refused_and_changes_nothing() {
    let mut run = Story::new().play();
    for kind in ["Cancel", "Complete"] {
        assert_eq!(refused_stop(&mut run, kind), "InvalidAutomationStatusUpdateException");
    }
    assert_eq!(run.status(), "Success");
    run.check();
}

#[test]
fn a_cancel_that_cannot_stop_what_runs_is_waited_for_two_minutes_and_no_longer() {
    let mut run = long_work(3).ssm(|ssm| ssm.cancel_ineffective = 1.0).start();
    run.until(runs(3));
    let stopped = run.now();
    stop_for_good(&mut run, "Cancel");
    assert_eq!(run.status(), "Cancelled");
    let step = run.step("first");
    let took = step["ExecutionEndTime"].as_f64().expect("a time") - stopped.as_duration().as_secs_f64();
    assert!((120.0..200.0).contains(&took), "the step ended {took} s after the stop");
    assert_eq!(run.number("first", "UnknownCount"), 3, "nobody knows what becomes of them");
    run.check();
}

#[test]
fn no_try_begins_between_absent_and_the_next_one_once_it_is_stopped() {
    // SendCommand never reached SSM; three looks find nothing; the stop comes before the tick that would try again.
    let mut run = Story::new()
        .nodes(3)
        .runbook(THREE_STEPS)
        .call(on("SendCommand").fail_before(Failure::Timeout))
        .start();
    run.until(stored(|items| {
        items.iter().any(|item| item["looks"]["NS"].as_array().is_some_and(|looks| looks.len() == 2))
    }));
    run.pass(SignedDuration::from_secs(30));
    assert_eq!(run.applied("ssm:SendCommand"), 0);
    stop_for_good(&mut run, "Cancel");
    assert_eq!(run.applied("ssm:SendCommand"), 0, "a try began after the halt");
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.number("first", "UnknownCount"), 3, "nobody knows that nothing ran");
    run.check();
}

#[test]
fn a_stop_while_a_send_is_refused_leaves_its_nodes_not_run() {
    let mut run =
        Story::new().nodes(3).runbook(THREE_STEPS).call(on("SendCommand").each().throttle()).start();
    assert_eq!(run.sends()[0].state, "refused");
    stop_for_good(&mut run, "Cancel");
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.number("first", "NotRunCount"), 3);
    assert!(run.commands().is_empty());
    run.check();
}

/// Two steps; the second is about to be sent, by whoever took the first one's last event.
fn second_step(story: Story) -> Run {
    let mut run = story.runbook(runbooks::TWO_STEPS).start();
    run.until(stored(|items| {
        items.iter().any(|item| item["state"]["S"] == "trying" && item["step"]["N"] == "1")
    }));
    run
}

#[test]
fn a_stop_while_send_command_is_in_flight_cancels_the_command_when_its_id_is_known() {
    let slow = on("SendCommand").nth(2).slow_answer(Duration::from_secs(8));
    let mut run = second_step(Story::new().fleet(steady_fleet(3, LONG_S)).call(slow));
    run.until(|cloud| cloud.ssm.ledger().commands().len() == 2);
    stop_for_good(&mut run, "Cancel");
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.steps(), names(&[("first", "Success"), ("second", "Cancelled")]));
    assert!(run.commands()[1].cancelled_at.is_some(), "{:?}", run.commands()[1]);
    run.check();
}

#[test]
fn a_command_that_ssm_does_not_show_yet_is_cancelled_once_it_does() {
    // CancelCommand knows no command that reads do not show: here for 20 s.
    let mut run = long_work(3).ssm(|ssm| ssm.read_lag = Span::seconds(20, 20)).start();
    let begun = run.now();
    stop_for_good(&mut run, "Cancel");
    assert_eq!(run.status(), "Cancelled");
    assert!(run.now() < begun + SignedDuration::from_secs(120), "it was cancelled in time, not given up");
    assert!(run.commands()[0].cancelled_at.is_some(), "{:?}", run.commands()[0]);
    run.check();
}

#[test]
fn a_command_in_flight_that_ssm_does_not_show_yet_is_cancelled_once_it_does() {
    // The stop finds no command; who records it finds the stop, and SSM does not know the command yet.
    let slow = on("SendCommand").nth(2).slow(Duration::from_secs(8));
    let late = |ssm: &mut SsmOptions| ssm.read_lag = Span::seconds(20, 20);
    let mut run = second_step(Story::new().fleet(steady_fleet(3, LONG_S)).ssm(late).call(slow));
    let begun = run.now();
    stop_for_good(&mut run, "Cancel");
    assert_eq!(run.status(), "Cancelled");
    assert!(run.now() < begun + SignedDuration::from_secs(180), "it was cancelled in time, not given up");
    assert!(run.commands()[1].cancelled_at.is_some(), "{:?}", run.commands()[1]);
    run.check();
}

#[test]
fn a_throttled_cancel_is_tried_again() {
    let mut run = long_work(3).call(on("CancelCommand").first(3).throttle()).start();
    run.until(runs(3));
    run.stop("Cancel");
    let intents = run.intents();
    run.end();
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.intents(), intents);
    assert!(run.commands()[0].cancelled_at.is_some());
    run.check();
}

#[test]
fn a_stop_whose_function_dies_after_its_commit_is_carried_out_all_the_same() {
    let mut run = long_work(3).call(on("UpdateItem").by("api-control").about("halt").crash_before()).start();
    run.until(runs(3));
    run.stop("Cancel");
    run.end();
    assert_eq!(run.status(), "Cancelled");
    assert!(run.commands()[0].cancelled_at.is_some());
    run.check();
}

#[test]
fn a_cancelled_command_that_shows_fewer_invocations_than_targets_still_ends() {
    // SSM sends to one node, a minute later to two more, and never names those it had not sent to.
    let mut run = long_work(40)
        .ssm(|ssm| {
            ssm.cancelled_hides_unstarted = true;
            ssm.notifications.unstarted = false;
            ssm.notifications.sns = false;
            ssm.acknowledge_lag = Span::seconds(60, 60);
        })
        .start();
    run.until(runs(3));
    let stopped = run.now();
    stop_for_good(&mut run, "Cancel");
    assert_eq!(run.status(), "Cancelled");
    let counts = ["TargetCount", "FailedCount", "UnknownCount", "NotRunCount"];
    assert_eq!(counts.map(|name| run.number("first", name)), [40, 3, 37, 0], "three had begun");
    assert!(run.now() < stopped + SignedDuration::from_mins(15), "SSM's last word is waited for ten minutes");
}

#[test]
fn a_signal_that_nobody_waits_for_is_refused_and_changes_nothing() {
    let mut run = long_work(3).start();
    run.until(runs(3));
    for signal in ["Approve", "Reject", "StartStep", "StopStep", "Resume", "Revoke"] {
        let body = json!({ "AutomationExecutionId": run.id, "SignalType": signal });
        let before = run.items();
        match run.deployment.call("SendAutomationSignal", &body) {
            Err(DeploymentError::Api(error)) => {
                assert_eq!(error.code, "InvalidAutomationSignalException");
                assert!(error.message.contains("first") && error.message.contains(signal), "{error}");
            }
            other => panic!("{signal} should have been refused: {other:?}"),
        }
        assert!(run.items() == before, "{signal} changed something");
    }
    run.end();
    let body = json!({ "AutomationExecutionId": run.id, "SignalType": "Resume" });
    match run.deployment.call("SendAutomationSignal", &body) {
        Err(DeploymentError::Api(error)) => assert!(error.message.contains("ended"), "{error}"),
        other => panic!("should have been refused: {other:?}"),
    }
    assert_eq!(run.status(), "Success");
    run.check();
}
