//! Where an execution goes after a step (User Guide, automation-actions).

mod common;

use common::{Shell, command, refusal, well};
use fleetwright_engine::{Rejection, Signal, StopType};
use fleetwright_fleet::Terminal;

fn failing(_: usize) -> (Terminal, i32) {
    (Terminal::Failed, 1)
}

/// (the first step's settings, the steps that run, how it ends), the first step failing on every node.
const AFTER_A_FAILURE: [(&str, &[&str], &str); 7] = [
    ("", &["one"], "Failed"),
    ("    onFailure: Abort\n", &["one"], "Failed"),
    ("    isCritical: false\n", &["one"], "Success"),
    ("    onFailure: Continue\n", &["one", "two"], "Success"),
    ("    onFailure: Continue\n    isCritical: true\n", &["one", "two"], "Failed"),
    ("    onFailure: step:two\n", &["one", "two"], "Failed"),
    ("    onFailure: step:two\n    isCritical: false\n", &["one", "two"], "Success"),
];

#[test]
fn a_failed_step_aborts_continues_or_jumps_and_only_a_critical_one_fails_the_execution() {
    for (settings, ran, ends) in AFTER_A_FAILURE {
        let steps = command("one", settings)
            + "  - name: two\n    action: aws:sleep\n    inputs: { Duration: PT1S }\n";
        let mut shell = Shell::new(&steps, 3);
        shell.run(failing);
        let names: Vec<String> = shell.steps().into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            (names, shell.ended().0),
            (ran.iter().map(|s| (*s).to_owned()).collect(), ends),
            "{settings}"
        );
    }
}

#[test]
fn is_end_ends_the_execution_whether_the_step_failed_or_succeeded() {
    let steps = command("one", "    isEnd: true\n") + &command("two", "");
    let mut shell = Shell::new(&steps, 1);
    shell.run(well);
    assert_eq!(shell.steps(), [("one".to_owned(), "Success")]);
}

#[test]
fn next_step_is_followed_on_success() {
    let steps = command("one", "    nextStep: three\n") + &command("two", "") + &command("three", "");
    let mut shell = Shell::new(&steps, 1);
    shell.run(well);
    assert_eq!(shell.steps(), [("one".to_owned(), "Success"), ("three".to_owned(), "Success")]);
}

/// (operator and constant, whether it holds for the variable `"{{ Text }}"`, which is `blue`)
const COMPARISONS: [(&str, bool); 9] = [
    ("StringEquals: blue", true),
    ("StringEquals: Blue", false),
    ("EqualsIgnoreCase: BLUE", true),
    ("StartsWith: bl", true),
    ("StartsWith: ue", false),
    ("EndsWith: ue", true),
    ("EndsWith: bl", false),
    ("Contains: lu", true),
    ("Contains: red", false),
];

/// The same for the number of nodes of a step, which is 3.
const NUMBERS: [(&str, bool); 8] = [
    ("NumericEquals: 3", true),
    ("NumericEquals: 4", false),
    ("NumericGreater: 2", true),
    ("NumericGreater: 3", false),
    ("NumericLesser: 4", true),
    ("NumericLesser: 3", false),
    ("NumericGreaterOrEquals: 3", true),
    ("NumericLesserOrEquals: 2", false),
];

fn branch(variable: &str, condition: &str) -> String {
    format!(
        "  - name: decide\n    action: aws:branch\n    inputs:\n      Choices:\n        - NextStep: yes_\n          Variable: \"{variable}\"\n          {condition}\n      Default: no_\n  - name: yes_\n    action: aws:sleep\n    inputs: {{ Duration: PT0S }}\n    isEnd: true\n  - name: no_\n    action: aws:sleep\n    inputs: {{ Duration: PT0S }}\n"
    )
}

#[test]
fn a_branch_takes_the_first_choice_that_holds() {
    for (condition, holds) in COMPARISONS {
        let mut shell = Shell::new(&branch("{{ Text }}", condition), 0);
        shell.run(well);
        assert_eq!(shell.steps()[1].0, if holds { "yes_" } else { "no_" }, "{condition}");
    }
}

#[test]
fn a_branch_compares_what_the_fleet_answered() {
    for (condition, holds) in NUMBERS {
        let steps = command("scan", "") + &branch("{{ scan.SuccessCount }}", condition);
        let mut shell = Shell::new(&steps, 3);
        shell.run(well);
        assert_eq!(shell.steps()[2].0, if holds { "yes_" } else { "no_" }, "{condition}");
    }
}

#[test]
fn a_branch_that_cannot_compare_fails_and_says_what_with_what_but_no_value() {
    let mut shell = Shell::new(&branch("{{ Text }}", "NumericEquals: 3"), 0);
    shell.run(well);
    let (status, message) = shell.ended();
    assert_eq!(status, "Failed");
    let message = message.expect("a reason");
    assert!(message.contains("NumericEquals cannot compare a String with a number"), "{message}");
    assert!(!message.contains("blue"), "{message}");
}

#[test]
fn a_sleep_waits_for_its_moment_and_one_in_the_past_for_nothing() {
    let sleep = |input: &str| format!("  - name: rest\n    action: aws:sleep\n    inputs: {{ {input} }}\n");
    let mut shell = Shell::new(&sleep("Duration: PT10M"), 0);
    let decision = shell.look().expect("decides");
    assert_eq!(decision.wake, Some(common::at(600)));
    assert!(shell.closed.is_empty());
    let mut past = Shell::new(&sleep("Timestamp: '2020-01-01T00:00:00Z'"), 0);
    past.look().expect("decides");
    assert_eq!(past.ended().0, "Success");
}

#[test]
fn a_stop_is_accepted_once_and_refused_after_the_end() {
    let mut shell = Shell::new("  - name: rest\n    action: aws:sleep\n    inputs: { Duration: PT1H }\n", 0);
    shell.look().expect("decides");
    shell.stop(StopType::Cancel).expect("stops");
    shell.look().expect("decides");
    assert_eq!(shell.ended().0, "Cancelled");
    let again = shell.stop(StopType::Cancel).expect_err("it has ended");
    assert!(
        matches!(again, Rejection::Refused { code: "InvalidAutomationStatusUpdateException", .. }),
        "{again:?}"
    );
}

#[test]
fn a_signal_nobody_waits_for_is_refused_by_name() {
    let mut shell = Shell::new(&command("one", ""), 1);
    shell.look().expect("decides");
    let (code, message) = refusal(shell.signal(Signal::Resume, "me", &[]));
    assert_eq!(code, "InvalidAutomationSignalException");
    assert!(message.contains("step one"), "{message}");
}

#[test]
fn a_stopped_step_may_name_steps_that_clean_up_and_the_execution_is_cancelled_all_the_same() {
    let steps = "  - name: rest\n    action: aws:sleep\n    onCancel: step:tidy\n    inputs: { Duration: PT1H }\n    isEnd: true\n".to_owned();
    // onCancel is not for sleep steps, so a fleet step is stopped here.
    let steps = command("patch", "    onCancel: step:tidy\n    isEnd: true\n")
        + &steps.replace("    onCancel: step:tidy\n", "")
        + &command("tidy", "");
    let mut shell = Shell::new(&steps, 1);
    let send = shell.look().expect("decides").planned.remove(0);
    shell.stop(StopType::Cancel).expect("stops");
    shell.finish(&send, |_| (Terminal::Cancelled, 137));
    shell.run(well);
    assert_eq!(shell.steps(), [("patch".to_owned(), "Cancelled"), ("tidy".to_owned(), "Success")]);
    assert_eq!(shell.ended().0, "Cancelled");
}

#[test]
fn a_stop_needs_nothing_from_ssm() {
    let mut shell = Shell::new(&command("patch", ""), 1);
    shell.look().expect("decides");
    shell.seen.sends.clear();
    let decision = shell.stop(StopType::Cancel).expect("a stop reads nothing");
    assert_eq!(shell.execution.pending.len(), 1);
    assert!(decision.changed && decision.again);
}
