//! Rehearsals: somebody says what became of a step. What follows is as for real ones (facts 3.2).

mod common;

use common::{Shell, at, refusal, request, runbook};
use fleetwright_engine::{Answer, AnswerStatus, Rejection, Start, Status, StopType, Work, start};
use serde_json::json;

fn api(settings: &str) -> String {
    format!(
        "  - name: call\n    action: aws:executeAwsApi\n{settings}    inputs: {{ Service: ec2, Api: Describe, A: \"{{{{ Text }}}}\" }}\n    outputs:\n      - {{ Name: Id, Selector: '$.Items[0].Id', Type: String }}\n      - {{ Name: Count, Selector: '$.Count', Type: Integer }}\n"
    ) + "  - name: after\n    action: aws:sleep\n    inputs: { Duration: PT0S }\n"
}

fn waiting(settings: &str) -> Shell {
    let mut shell = Shell::rehearsal(&api(settings), &["call"]);
    shell.look().expect("decides");
    assert_eq!((&shell.open().work, shell.execution.status()), (&Some(Work::Answered), Status::InProgress));
    shell
}

#[test]
fn declared_outputs_are_selected_from_the_response_and_built_in_ones_are_as_given() {
    let mut shell = waiting("");
    let response = Some(json!({ "Items": [{ "Id": "i-1" }], "Count": 1 }));
    let outputs = [("Status".to_owned(), json!("ok"))].into();
    let answer = Answer { response, outputs, ..shell.reply(AnswerStatus::Success) };
    shell.answer(&answer).expect("is taken");
    shell.run(common::well);
    assert_eq!(shell.output("call", "Id"), Some(json!("i-1")));
    assert_eq!(shell.output("call", "Count"), Some(json!(1)));
    assert_eq!(shell.output("call", "Status"), Some(json!("ok")));
    assert_eq!(shell.ended().0, "Success");
}

#[test]
fn an_output_of_another_type_fails_the_step_and_does_not_tell_its_value() {
    let mut shell = waiting("");
    let response = Some(json!({ "Items": [{ "Id": "i-1" }], "Count": "secret" }));
    let answer = Answer { response, ..shell.reply(AnswerStatus::Success) };
    shell.answer(&answer).expect("is taken");
    shell.run(common::well);
    let message = shell.message("call");
    assert!(message.contains("output Count") && !message.contains("secret"), "{message}");
    assert_eq!(shell.ended().0, "Failed");
}

/// (settings, answers in turn, the step's attempts, its status, the source of the rule)
const ATTEMPTS: [(&str, &[AnswerStatus], u32, &str, &str); 6] = [
    ("", &[AnswerStatus::Failed], 1, "Failed", "3.2: maxAttempts, default 1"),
    (
        "    maxAttempts: 3\n",
        &[AnswerStatus::Failed, AnswerStatus::Success],
        2,
        "Success",
        "3.2: maxAttempts",
    ),
    (
        "    maxAttempts: 2\n",
        &[AnswerStatus::Failed, AnswerStatus::Failed],
        2,
        "Failed",
        "3.2: fails only after all attempts fail",
    ),
    (
        "    maxAttempts: 2\n",
        &[AnswerStatus::TimedOut, AnswerStatus::Success],
        2,
        "Success",
        "3.2: not timed out until retries are used up",
    ),
    (
        "    maxAttempts: 2\n",
        &[AnswerStatus::Failed, AnswerStatus::TimedOut],
        2,
        "TimedOut",
        "3.2: the last attempt's",
    ),
    (
        "    maxAttempts: \"{{ Text }}\"\n",
        &[AnswerStatus::Failed],
        1,
        "Failed",
        "ours: what is no number is one attempt",
    ),
];

#[test]
fn a_step_is_tried_as_often_as_it_says() {
    for (settings, answers, attempts, status, source) in ATTEMPTS {
        let mut shell = waiting(settings);
        for answer in answers {
            let answer = shell.reply(*answer);
            shell.answer(&answer).expect("is taken");
        }
        let closed = &shell.closed[0];
        assert_eq!((closed.attempt, closed.status.as_str()), (attempts, status), "{settings}: {source}");
    }
}

/// 3.2: `timeoutSeconds` is each attempt's, and the step is not timed out until its attempts are used up.
#[test]
fn each_attempt_has_its_own_time() {
    let mut shell = waiting("    maxAttempts: 2\n    timeoutSeconds: 60\n");
    shell.now = at(60);
    shell.look().expect("decides");
    assert_eq!(shell.open().attempt, 2);
    shell.now = at(119);
    shell.look().expect("decides");
    assert!(shell.closed.is_empty());
    shell.now = at(120);
    shell.look().expect("decides");
    assert_eq!(shell.ended().0, "TimedOut");
}

#[test]
fn an_answer_for_something_else_is_late() {
    let mut shell = waiting("    maxAttempts: 2\n");
    let right = shell.reply(AnswerStatus::Success);
    for wrong in [Answer { ordinal: 1, ..right.clone() }, Answer { attempt: 2, ..right.clone() }] {
        assert!(matches!(shell.answer(&wrong), Err(Rejection::Stale(_))));
    }
    shell.answer(&right).expect("is taken");
    assert!(matches!(shell.answer(&right), Err(Rejection::Stale(_))), "twice");
    shell.run(common::well);
    assert!(matches!(shell.answer(&right), Err(Rejection::Stale(_))), "after the end");
}

/// 3.2: timeoutSeconds. Nobody has looked since: an answer is late all the same.
#[test]
fn an_answer_after_the_time_of_the_step_is_late() {
    let mut shell = waiting("    timeoutSeconds: 60\n");
    let answer = shell.reply(AnswerStatus::Success);
    shell.now = at(60);
    assert!(matches!(shell.answer(&answer), Err(Rejection::Stale(_))));
    shell.look().expect("decides");
    assert_eq!(shell.ended().0, "TimedOut");
}

#[test]
fn a_stop_cancels_a_step_that_waits_for_an_answer() {
    let mut shell = waiting("");
    shell.stop(StopType::Cancel).expect("stops");
    let answer = shell.reply(AnswerStatus::Success);
    assert!(matches!(shell.answer(&answer), Err(Rejection::Stale(_))));
    shell.look().expect("decides");
    assert_eq!((shell.steps()[0].1, shell.ended().0), ("Cancelled", "Cancelled"));
}

#[test]
fn inputs_are_resolved_as_for_real_and_what_has_no_value_fails_the_step() {
    let steps = "  - name: one\n    action: aws:executeAwsApi\n    inputs: { Service: a, Api: b }\n    outputs: [{ Name: Id, Selector: '$.Id', Type: String }]\n  - name: two\n    action: aws:executeAwsApi\n    inputs: { Service: a, Api: b, Id: \"{{ one.Id }}\" }\n";
    let mut shell = Shell::rehearsal(steps, &["one", "two"]);
    shell.rehearse(|_| AnswerStatus::Success);
    assert_eq!(shell.steps(), [("one".to_owned(), "Success"), ("two".to_owned(), "Failed")]);
    assert_eq!(shell.message("two"), "{{ one.Id }} has no value");
}

#[test]
fn a_start_names_all_it_cannot_execute_and_nobody_answers_for() {
    let steps = api("").replace(
        "  - name: after",
        "  - name: more\n    action: aws:createTags\n    inputs: { ResourceIds: [i-1], Tags: [{ Key: a, Value: b }] }\n  - name: after",
    );
    let (code, message) = refusal(start(request(), &runbook(&steps), at(0)));
    assert_eq!(code, "ValidationException");
    for part in ["step call has the action aws:executeAwsApi", "step more has the action aws:createTags"] {
        assert!(message.contains(part), "{message}");
    }
    let answered = ["call", "more"].map(|name| name.parse().expect("a name")).into();
    assert!(start(Start { answered, ..request() }, &runbook(&steps), at(0)).is_ok());
}

#[test]
fn steps_that_need_nothing_from_outside_run_themselves_though_answered_for() {
    let steps = "  - name: rest\n    action: aws:sleep\n    inputs: { Duration: PT1M }\n  - name: hold\n    action: aws:pause\n    inputs: {}\n";
    let mut shell = Shell::rehearsal(steps, &["rest", "hold"]);
    shell.look().expect("decides");
    assert!(matches!(shell.open().work, Some(Work::Sleep { .. })));
    shell.rehearse(|_| AnswerStatus::Success);
    assert_eq!(shell.steps(), [("rest".to_owned(), "Success"), ("hold".to_owned(), "Success")]);
}

#[test]
fn outputs_that_leave_no_room_fail_the_step_and_not_the_execution_item() {
    let steps = "  - name: big\n    action: aws:executeAwsApi\n    onFailure: Continue\n    inputs: { Service: a, Api: b }\n    outputs: [{ Name: Text, Selector: '$.Text', Type: String }]\n  - name: use\n    action: aws:branch\n    inputs: { Choices: [{ NextStep: end, Variable: \"{{ big.Text }}\", StringEquals: x }] }\n  - name: end\n    action: aws:sleep\n    inputs: { Duration: PT0S }\n";
    for (bytes, status) in [(40_000, "Success"), (50_000, "Failed"), (400_000, "Failed")] {
        let mut shell = Shell::rehearsal(steps, &["big"]);
        shell.look().expect("decides");
        let outputs = [("Text".to_owned(), json!("x".repeat(bytes)))].into();
        let answer = Answer { outputs, ..shell.reply(AnswerStatus::Success) };
        shell.answer(&answer).expect("is taken");
        assert_eq!(shell.closed[0].status.as_str(), status, "{bytes}");
        assert_eq!(shell.message("big").contains("its outputs are too large"), status == "Failed");
    }
}
