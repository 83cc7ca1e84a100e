//! Steps that wait for people: signals let them go on, and nothing else does. A wait has a deadline, a stop ends it.

use fleetwright_local::DeploymentError;
use fleetwright_protocols::{Failure, Run, Story, any_call, on, ticks};
use jiff::SignedDuration;
use serde_json::{Value, json};

const PAUSED: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: look
    action: aws:pause
    inputs: {}
  - name: work
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
"#;

const APPROVED: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: ask
    action: aws:approve
    timeoutSeconds: 3600
    inputs:
      NotificationArn: arn:aws:sns:us-east-1:123456789012:AutomationApprovals
      Message: Patch the web servers?
      MinRequiredApprovals: 2
      Approvers:
        - alice
        - arn:aws:iam::123456789012:user/bob
        - arn:aws:iam::123456789012:role/Operators
  - name: work
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
outputs:
  - ask.ApprovalStatus
"#;

const TOPIC: &str = "AutomationApprovals";
const ALICE: &str = "arn:aws:iam::123456789012:user/ops/alice";
const BOB: &str = "arn:aws:iam::123456789012:user/bob";
const OPERATOR: &str = "arn:aws:sts::123456789012:assumed-role/Operators/carol";
const MALLORY: &str = "arn:aws:iam::123456789012:user/mallory";

/// Sends a signal, each with a request id of its own.
fn signal(run: &mut Run, caller: &str, kind: &str) -> Result<Value, DeploymentError> {
    let request_id = format!("{caller} {kind} {}", run.now());
    signal_again(run, caller, kind, &request_id)
}

/// Sends a signal as an SDK that got no answer to its request.
fn signal_again(run: &mut Run, caller: &str, kind: &str, request_id: &str) -> Result<Value, DeploymentError> {
    let body = json!({ "AutomationExecutionId": run.id, "SignalType": kind });
    run.deployment.call_as(caller, request_id, "SendAutomationSignal", &body)
}

/// Sends a signal that must be refused and leave no trace; the error's message.
fn refused(run: &mut Run, caller: &str, kind: &str) -> String {
    let before = run.items();
    match signal(run, caller, kind) {
        Err(DeploymentError::Api(error)) => {
            assert_eq!(error.code, "InvalidAutomationSignalException", "{error}");
            assert!(run.items() == before, "a refused signal changed something");
            error.message
        }
        other => panic!("{kind} by {caller} should have been refused: {other:?}"),
    }
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[test]
fn a_paused_execution_waits_for_hours_until_somebody_lets_it_go_on() {
    let mut run = Story::new().runbook(PAUSED).start();
    run.pass(hours(5));
    assert_eq!(run.status(), "Waiting");
    assert_eq!(run.steps(), [("look".to_owned(), "Waiting".to_owned())]);
    assert!(refused(&mut run, ALICE, "Approve").contains("look"));
    signal(&mut run, ALICE, "Resume").expect("it waits for that");
    run.end();
    assert_eq!(run.status(), "Success");
    run.each_node_ran_once_in_each_of(1);
    run.check();
}

#[test]
fn a_stop_ends_a_wait_at_once() {
    let mut run = Story::new().runbook(PAUSED).start();
    run.pass(hours(1));
    run.stop("Cancel");
    run.end();
    assert_eq!(run.status(), "Cancelled");
    assert!(run.commands().is_empty());
    assert!(refused(&mut run, ALICE, "Resume").contains("ended"));
}

#[test]
fn enough_approvals_of_those_who_may_give_them_let_it_go_on() {
    let mut run = Story::new().runbook(APPROVED).start();
    run.pass(SignedDuration::from_mins(10));
    assert_eq!(run.status(), "Waiting");
    let message = refused(&mut run, MALLORY, "Approve");
    assert!(message.contains("mallory"), "{message}");
    signal(&mut run, ALICE, "Approve").expect("alice may, by her name");
    signal(&mut run, ALICE, "Approve").expect("the same once more is the same");
    run.pass(SignedDuration::from_mins(5));
    assert_eq!(run.status(), "Waiting", "one of two");
    signal(&mut run, OPERATOR, "Approve").expect("carol may, in the role");
    run.end();
    assert_eq!(run.status(), "Success");
    assert_eq!(run.output("ask", "ApprovalStatus"), ["Approved"]);
    run.check();
}

#[test]
fn one_rejection_is_enough_even_of_somebody_who_approved_before() {
    let mut run = Story::new().runbook(APPROVED).start();
    signal(&mut run, BOB, "Approve").expect("bob may");
    signal(&mut run, BOB, "Reject").expect("bob has thought again");
    run.end();
    assert_eq!(run.status(), "Failed");
    assert_eq!(run.steps(), [("ask".to_owned(), "Failed".to_owned())]);
    assert_eq!(run.output("ask", "ApprovalStatus"), ["Rejected"]);
    assert!(run.commands().is_empty());
}

#[test]
fn an_approval_that_nobody_gives_times_out() {
    let mut run = Story::new().runbook(APPROVED).start();
    let began = run.now();
    let took = run.end().duration_since(began);
    assert_eq!(run.status(), "TimedOut");
    assert!(took < SignedDuration::from_mins(62), "an hour, and the minute of reconcile: {took}");
}

#[test]
fn the_topic_of_an_approval_is_told_whom_it_waits_for_and_how_to_answer() {
    let mut run = Story::new().topic(TOPIC).runbook(APPROVED).start();
    run.pass(SignedDuration::from_secs(10));
    let told = run.deployment.collected(TOPIC);
    let [message] = told.as_slice() else { panic!("told {} times", told.len()) };
    for word in ["Patch the web servers?", &run.id, "alice", "--signal-type Approve"] {
        assert!(message.contains(word), "{word:?} is not in {message:?}");
    }
}

#[test]
fn a_request_for_approval_that_was_not_published_is_published_again() {
    for rule in [
        on("Publish").crash_before(),
        on("Publish").crash_after(),
        on("Publish").fail_before(Failure::Timeout),
        on("Publish").fail_after(Failure::Timeout),
    ] {
        let mut run = Story::new().topic(TOPIC).runbook(APPROVED).call(rule).start();
        run.pass(SignedDuration::from_mins(5));
        assert!(!run.deployment.collected(TOPIC).is_empty());
        signal(&mut run, ALICE, "Approve").expect("she may");
        signal(&mut run, BOB, "Approve").expect("he may");
        run.end();
        assert_eq!(run.status(), "Success");
        run.check();
    }
}

#[test]
fn a_crash_anywhere_on_the_way_of_a_signal_loses_nothing() {
    for crash_after in [false, true] {
        for nth in 1.. {
            let signalled = any_call().by("api-control").when(|call| !call.body.to_string().contains("DOC#"));
            let rule = if crash_after { signalled.crash_after() } else { signalled.crash_before() };
            let mut run = Story::new().runbook(PAUSED).start();
            run.pass(SignedDuration::from_mins(3));
            run.from_now(rule.nth(nth));
            for _ in 0..5 {
                match signal(&mut run, ALICE, "Resume") {
                    Ok(_) | Err(DeploymentError::Api(_)) => break,
                    Err(DeploymentError::Function(_)) => run.pass(SignedDuration::from_secs(2)),
                    Err(other) => panic!("{other}"),
                }
            }
            run.end();
            assert_eq!(run.status(), "Success", "call {nth}");
            run.each_node_ran_once_in_each_of(1);
            if run.has_idle_rules() {
                break;
            }
        }
    }
}

/// Two pauses in a row, and then work.
fn paused_twice() -> String {
    let (before, after) = PAUSED.split_once("  - name: work").expect("two steps");
    format!("{before}  - name: lookAgain\n    action: aws:pause\n    inputs: {{}}\n  - name: work{after}")
}

#[test]
fn one_word_lets_one_step_go_on_however_often_it_is_sent() {
    let mut run = Story::new().runbook(&paused_twice()).start();
    run.pass(SignedDuration::from_mins(1));
    for _ in 0..3 {
        signal_again(&mut run, ALICE, "Resume", "8c2f").expect("taken, or taken already");
        run.pass(SignedDuration::from_mins(1));
    }
    let waiting = [("look".to_owned(), "Success".to_owned()), ("lookAgain".to_owned(), "Waiting".to_owned())];
    assert_eq!(run.steps(), waiting);
    signal(&mut run, ALICE, "Resume").expect("another word");
    run.end();
    assert_eq!(run.status(), "Success");
}

#[test]
fn a_commit_without_an_answer_does_not_make_two_of_one_word() {
    // The commit that took the word stands, nobody heard so, and the next wait has begun meanwhile.
    let mut run = Story::new().runbook(&paused_twice()).start();
    run.pass(SignedDuration::from_mins(1));
    run.from_now(on("TransactWriteItems").by("api-control").fail_after(Failure::Timeout));
    signal(&mut run, ALICE, "Resume").expect("it is found to stand");
    run.pass(SignedDuration::from_mins(3));
    assert_eq!(run.steps()[1], ("lookAgain".to_owned(), "Waiting".to_owned()));
    run.stop("Cancel");
    run.end();
}

#[test]
fn an_approval_after_its_time_is_none() {
    // Reconcile is down: nobody has looked at the execution since its time was over.
    let mut run = Story::new().runbook(APPROVED).delivery(ticks().lost()).start();
    run.pass(SignedDuration::from_mins(61));
    let message = refused(&mut run, ALICE, "Approve");
    assert!(message.contains("time"), "{message}");
}

#[test]
fn a_topic_that_cannot_be_told_is_shown_and_the_approval_waits_all_the_same() {
    let text = APPROVED.replace("123456789012:AutomationApprovals", "123456789012:Payroll");
    let mut run = Story::new().topic("Payroll").runbook(&text).start();
    run.pass(SignedDuration::from_mins(2));
    assert!(run.deployment.collected("Payroll").is_empty(), "no runbook publishes to any topic it likes");
    let warning = run.execution()["WarningMessage"].as_str().expect("a warning").to_owned();
    assert!(warning.contains("ask") && warning.contains("Payroll"), "{warning}");
    signal(&mut run, ALICE, "Approve").expect("she may");
    signal(&mut run, BOB, "Approve").expect("he may");
    run.end();
    assert_eq!(run.status(), "Success");
}

#[test]
fn a_comment_longer_than_ssm_takes_is_refused() {
    let mut run = Story::new().runbook(APPROVED).start();
    let body = json!({ "AutomationExecutionId": run.id, "SignalType": "Approve",
        "Payload": { "Comment": ["x".repeat(513)] } });
    match run.deployment.call_as(ALICE, "1", "SendAutomationSignal", &body) {
        Err(DeploymentError::Api(error)) => assert_eq!(error.code, "ValidationException", "{error}"),
        other => panic!("it should have been refused: {other:?}"),
    }
}
