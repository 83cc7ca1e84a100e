//! The execution item has room for whatever its steps leave behind (ours: an item has at most 60,000 bytes).

mod common;

use common::{Shell, parsed, request};
use fleetwright_engine::{Answer, AnswerStatus, Execution, Phase, SendToken, Start, Stop, StopType, start};
use fleetwright_fleet::CommandId;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const CALL: &str = "mainSteps:
  - name: call
    action: aws:executeScript
    inputs: { Runtime: python3.11, Handler: f, Script: x }
";

/// A step `call` that answered with this payload, in a runbook with these outputs.
fn ended(outputs: &str, payload: &Value) -> Shell {
    let answered = ["call".parse().expect("a name")].into();
    let text = format!("{}{CALL}outputs: {outputs}\n", common::HEAD);
    let mut shell = Shell::of(parsed(&text), Start { answered, ..request() });
    shell.look().expect("decides");
    let outputs = BTreeMap::from([("Payload".to_owned(), payload.clone())]);
    let answer = Answer { outputs, ..shell.reply(AnswerStatus::Success) };
    shell.answer(&answer).expect("is taken");
    shell.run(common::well);
    shell
}

fn warning(shell: &Shell) -> Option<&str> {
    match &shell.execution.phase {
        Phase::Ended { ending, .. } => ending.warning.as_deref(),
        Phase::At(_) | Phase::In(_) | Phase::Ending(_) => panic!("it has not ended"),
    }
}

/// (outputs of the document, those that there is room for, and the warning)
const NAMED: [(&str, &[&str], Option<&str>); 4] = [
    ("[call.Payload]", &["call.Payload"], None),
    ("[call.Payload, call.Payload, call.*]", &["call.Payload"], None),
    (
        "[call.Payload, call.Payload.items, 'call.Payload.items[0]', call.Payload.id]",
        &["call.Payload", "call.Payload.id", "call.Payload.items"],
        Some("There was no room for the outputs call.Payload.items[0]"),
    ),
    (
        "['call.Payload.items[0]', call.Payload.items, call.Payload]",
        &["call.Payload.items", "call.Payload.items[0]"],
        Some("There was no room for the outputs call.Payload"),
    ),
];

#[test]
fn outputs_of_the_document_that_do_not_fit_are_left_out_and_named() {
    let payload = json!({ "id": "a", "items": ["x".repeat(25_000)] });
    for (outputs, kept, warns) in NAMED {
        let shell = ended(outputs, &payload);
        assert_eq!(shell.ended(), ("Success", None), "{outputs}");
        assert_eq!(shell.execution.document_outputs.keys().collect::<Vec<_>>(), kept, "{outputs}");
        assert_eq!(warning(&shell), warns, "{outputs}");
    }
}

/// As many commands as may be left, a stop, and the id of a request: what may come on top of what a step leaves.
fn burdened(mut execution: Execution) -> Execution {
    for number in 0..140 {
        let token = SendToken::derive(&execution.id, 0, 1, number);
        let command: CommandId =
            format!("a8c7e76f-15f1-4c33-9052-{number:012x}").parse().expect("a command id");
        if number < 120 {
            execution.unsettled.insert(token, command);
        } else {
            execution.live.insert(token, u64::MAX);
        }
    }
    let at = common::at(0);
    execution.stop = Some(Stop { kind: StopType::Complete, at, on_cancel_until: Some(at) });
    execution.last_signal = Some("\u{1}".repeat(128));
    execution.wake_at = Some(at);
    execution
}

#[test]
fn the_room_kept_free_is_enough_for_a_failure_with_commands_left() {
    // As much as a start lets through; and a message that has six bytes for each letter in JSON.
    let text = format!("{}{CALL}", common::HEAD);
    let begins = |letters: usize| {
        let answered = ["call".parse().expect("a name")].into();
        let parameters = BTreeMap::from([("Text".to_owned(), vec!["x".repeat(letters)])]);
        Start { answered, parameters, ..request() }
    };
    let fits = |letters: &usize| start(begins(*letters), &parsed(&text), common::at(0)).is_ok();
    let most = (44_000..45_000).rev().find(fits).expect("it has room");
    let mut shell = Shell::of(parsed(&text), begins(most));
    shell.look().expect("decides");
    let message = Some("\u{1}".repeat(10_000));
    let answer = Answer { message, ..shell.reply(AnswerStatus::Failed) };
    shell.answer(&answer).expect("is taken");
    assert!(matches!(&shell.execution.phase, Phase::Ending(ending) if ending.failure_message.is_some()));
    assert_eq!(shell.execution.marked.as_ref().map(|ending| ending.status.as_str()), Some("Failed"));
    let mut burdened = burdened(shell.execution);
    let bytes = serde_json::to_vec(&burdened.head()).expect("json").len();
    assert!((56_000..60_000).contains(&bytes), "{bytes}");
    // Nothing is sent any more once the steps are over: these stand there for their room only.
    burdened.live.clear();
    burdened.check().expect("there is room");
}
