//! Loops that are stopped, stand in one another, fail, and leave things behind.

mod common;

use common::loops::{ITEMS, api, looping, output, steps, succeed};
use common::{Shell, at, parsed, refusal, request};
use fleetwright_engine::{AnswerStatus, Phase, StopType, start};
use serde_json::{Value, json};

#[test]
fn a_stop_inside_a_loop_closes_it_cancelled_after_its_clean_up() {
    let inner = api("one", "          onCancel: step:tidy\n          isEnd: true\n") + &api("tidy", "");
    for (kind, ran, ends) in [
        (StopType::Cancel, "one=Cancelled tidy=Success each=Cancelled", "Cancelled"),
        (StopType::Complete, "one=Cancelled each=Cancelled", "Success"),
    ] {
        let mut shell = Shell::rehearsal(&looping("", ITEMS, &inner), &["one", "tidy"]);
        shell.look().expect("decides");
        shell.stop(kind).expect("stops");
        shell.rehearse(succeed);
        assert_eq!((steps(&shell).as_str(), shell.ended().0), (ran, ends));
    }
}

#[test]
fn the_clean_up_of_a_stopped_loop_has_two_minutes() {
    let inner = api("one", "          onCancel: step:tidy\n") + &api("tidy", "");
    let mut shell = Shell::rehearsal(&looping("", ITEMS, &inner), &["one", "tidy"]);
    shell.look().expect("decides");
    shell.stop(StopType::Cancel).expect("stops");
    shell.look().expect("decides");
    let stored: Vec<&str> = shell.begun.iter().map(|step| step.status.as_str()).collect();
    assert_eq!(stored, ["InProgress", "Cancelling"], "the loop is seen to stop");
    shell.now = at(120);
    shell.look().expect("decides");
    assert_eq!(steps(&shell), "one=Cancelled tidy=TimedOut each=Cancelled");
    assert_eq!(shell.ended().0, "Cancelled");
}

#[test]
fn loops_stand_in_loops_and_each_knows_its_own_round() {
    let inner = "        - name: in\n          action: aws:loop\n          inputs:\n            Iterators: [\"{{ each.CurrentIteratorValue }}\", z]\n            Steps:\n              - name: deep\n                action: aws:executeAwsApi\n                inputs: { Service: s, Api: a, A: \"{{ each.CurrentIteration }}{{ in.CurrentIteratorValue }}\" }\n";
    let mut shell = Shell::rehearsal(&looping("", "      Iterators: [a, b]\n", inner), &["deep"]);
    shell.rehearse(succeed);
    assert_eq!(
        steps(&shell),
        "deep=Success deep=Success in=Success deep=Success deep=Success in=Success each=Success after=Success"
    );
    let values: Vec<Value> = shell
        .closed
        .iter()
        .filter(|step| step.name == *"deep")
        .filter_map(|step| step.parent.clone()?.iterator_value)
        .collect();
    assert_eq!(values, [json!("a"), json!("z"), json!("b"), json!("z")]);
}

#[test]
fn a_failure_deep_inside_takes_all_loops_along_and_each_says_why() {
    let inner = "        - name: in\n          action: aws:loop\n          inputs:\n            Iterators: [z]\n            Steps:\n              - name: deep\n                action: aws:executeAwsApi\n                inputs: { Service: s, Api: a }\n";
    let mut shell = Shell::rehearsal(&looping("", ITEMS, inner), &["deep"]);
    shell.rehearse(|_| AnswerStatus::TimedOut);
    assert_eq!(steps(&shell), "deep=TimedOut in=TimedOut each=TimedOut");
    assert_eq!(shell.message("each"), "Step in TimedOut: Step deep TimedOut: it timed out");
    assert_eq!(shell.ended(), ("TimedOut", Some("Step deep TimedOut: it timed out")));
}

#[test]
fn what_an_earlier_round_answered_is_not_taken_for_this_rounds() {
    let settings = format!("          onFailure: Continue\n{}", output("Id", "String"));
    let inner = api("find", &settings)
        + &api("use", "").replace("Api: Describe", "Api: Describe, Id: \"{{ find.Id }}\"");
    let mut shell = Shell::rehearsal(&looping("", "      Iterators: [a, b]\n", &inner), &["find", "use"]);
    shell.look().expect("decides");
    let mut found = shell.reply(AnswerStatus::Success);
    found.outputs.insert("Id".to_owned(), json!("i-1"));
    shell.answer(&found).expect("is taken");
    shell.rehearse(|step| if step.name == *"find" { AnswerStatus::Failed } else { AnswerStatus::Success });
    assert_eq!(steps(&shell), "find=Success use=Success find=Failed use=Failed each=Failed");
    assert!(shell.message("use").contains("{{ find.Id }} has no value"));
}

#[test]
fn the_last_round_can_be_told_of_after_the_loop() {
    let text = format!(
        "{}mainSteps:\n{}outputs: [each.CurrentIteration, one.Id]\n",
        common::HEAD,
        looping("", ITEMS, &api("one", &output("Id", "String")))
    );
    let answered = ["one".parse().expect("a name")].into();
    let mut shell = Shell::of(parsed(&text), fleetwright_engine::Start { answered, ..request() });
    for id in ["x", "y", "z"] {
        while shell.execution.open_step().is_none() {
            shell.look().expect("decides");
        }
        let mut answer = shell.reply(AnswerStatus::Success);
        answer.outputs.insert("Id".to_owned(), json!(id));
        shell.answer(&answer).expect("is taken");
    }
    shell.rehearse(succeed);
    let outputs = serde_json::to_value(&shell.execution.document_outputs).expect("json");
    assert_eq!(outputs, json!({ "each.CurrentIteration": { "Value": 3 }, "one.Id": { "Value": "z" } }));
}

#[test]
fn items_that_leave_no_room_fail_the_loop_and_not_the_execution_item() {
    let long = "x".repeat(1_500);
    let items = (0..40).map(|_| format!("\"{long}\"")).collect::<Vec<_>>().join(", ");
    let inner = "        - name: one\n          action: aws:sleep\n          inputs: { Duration: PT0S }\n";
    let mut shell =
        Shell::new(&looping("    onFailure: Continue\n", &format!("      Iterators: [{items}]\n"), inner), 0);
    shell.run(common::well);
    assert_eq!(steps(&shell), "each=Failed after=Success");
    assert!(shell.message("each").contains("too large"), "{}", shell.message("each"));
}

#[test]
fn a_start_refuses_loops_deeper_than_one_commit_can_close() {
    let mut text =
        "  - name: l0\n    action: aws:loop\n    inputs:\n      Iterators: [a]\n      Steps:\n".to_owned();
    for depth in 1..=10 {
        let pad = " ".repeat(4 * depth + 4);
        text += &format!(
            "{pad}- name: l{depth}\n{pad}  action: aws:loop\n{pad}  inputs: \n{pad}    Iterators: [a]\n{pad}    Steps:\n"
        );
    }
    let pad = " ".repeat(4 * 10 + 10);
    text += &format!("{pad}- name: leaf\n{pad}  action: aws:pause\n{pad}  inputs: {{}}\n");
    let (code, message) = refusal(start(request(), &common::runbook(&text), at(0)));
    assert_eq!(code, "ValidationException");
    assert!(message.contains("step l10 stands in 10 loops already"), "{message}");
}

#[test]
fn a_loop_is_under_way_while_its_steps_are() {
    let mut shell = Shell::rehearsal(&looping("", ITEMS, &api("one", "")), &["one"]);
    shell.look().expect("decides");
    assert_eq!(shell.execution.loops.len(), 1);
    assert!(matches!(&shell.execution.phase, Phase::In(step) if step.name == *"one"));
    let mut torn = shell.execution.clone();
    torn.loops[0].iteration = 2;
    assert!(torn.check().is_err(), "an open step belongs to the round under way");
    let mut orphan = shell.execution.clone();
    orphan.loops.clear();
    assert!(orphan.check().is_err());
}
