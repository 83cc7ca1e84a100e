//! A loop over a fleet: stage after stage, counted in a variable, and whatever dies in between, each stage once (G5).

use fleetwright_protocols::{CallRule, Failure, Run, Story, any_call};
use jiff::SignedDuration;
use std::time::Duration;

/// Two stages of the same command, and one more step if both were counted.
const STAGES: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
variables:
  last: { type: String, default: none }
mainSteps:
  - name: stages
    action: aws:loop
    inputs:
      Iterators: [canary, rest]
      Steps:
        - name: work
          action: aws:runCommand
          inputs:
            DocumentName: AWS-RunShellScript
            InstanceIds: "{{ Nodes }}"
            Comment: "{{ stages.CurrentIteratorValue }}"
            Parameters: { commands: ["echo {{ stages.CurrentIteratorValue }}"] }
        - name: note
          action: aws:updateVariable
          inputs: { Name: "variable:last", Value: "{{ stages.CurrentIteratorValue }}" }
  - name: check
    action: aws:branch
    isEnd: true
    inputs:
      Choices: [ { NextStep: verify, Variable: "{{ variable:last }}", StringEquals: rest } ]
  - name: verify
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["echo verified"] }
"#;

/// As for any crash: the visibility of a message, or three looks.
const LATE: Duration = Duration::from_secs(30 * 60);

fn stages() -> Story {
    Story::new().nodes(3).runbook(STAGES)
}

fn commented(run: &Run) -> Vec<String> {
    let comments = run.commands().into_iter().map(|command| command.comment);
    comments
        .map(|comment| comment.split_once(' ').map(|(_, own)| own.to_owned()).unwrap_or_default())
        .collect()
}

#[test]
fn each_round_runs_on_the_fleet_and_the_execution_goes_on_behind_the_loop() {
    let mut run = stages().play();
    assert_eq!(run.status(), "Success");
    assert_eq!(commented(&run), ["canary", "rest", ""]);
    let names: Vec<String> = run.steps().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["stages", "work", "note", "work", "note", "check", "verify"]);
    let parents: Vec<_> = run.execution()["StepExecutions"]
        .as_array()
        .expect("steps")
        .iter()
        .filter(|step| step["StepName"] == "work")
        .map(|step| step["ParentStepDetails"]["IteratorValue"].clone())
        .collect();
    assert_eq!(parents, ["canary", "rest"]);
    run.check();
}

#[test]
fn a_stop_in_a_round_is_the_end_of_the_loop() {
    let mut run = stages().start();
    run.until(|cloud| !cloud.ssm.ledger().runs().is_empty());
    run.stop("Cancel");
    run.end();
    assert_eq!(run.status(), "Cancelled");
    let expected =
        [("stages", "Cancelled"), ("work", "Cancelled")].map(|(n, s)| (n.to_owned(), s.to_owned()));
    assert_eq!(run.steps(), expected);
    assert_eq!(run.commands().len(), 1);
}

/// Does this to each call that a calm run makes, one at a time.
fn sweep(fault: impl Fn(CallRule) -> CallRule) {
    let calls = stages().play().calls();
    for call in 1..=calls {
        let rule = fault(any_call().nth(call));
        let name = format!("{rule:?}");
        let mut run = stages().call(rule).start();
        run.end_within(LATE);
        assert_eq!(run.status(), "Success", "{name}");
        assert_eq!(commented(&run), ["canary", "rest", ""], "{name}");
        run.pass(SignedDuration::from_mins(1));
        run.check();
    }
}

#[test]
fn a_crash_after_any_call_there_is_repeats_no_round_and_loses_none() {
    sweep(CallRule::crash_after);
}

#[test]
fn any_call_without_an_answer_repeats_no_round_and_loses_none() {
    sweep(|rule| rule.fail_after(Failure::Timeout));
}
