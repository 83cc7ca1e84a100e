//! What references stand for, rule by rule (User Guide, automation-variables; facts 3.1 and 3.3).

mod common;

use common::{Shell, at, parsed, refusal, request};
use fleetwright_engine::{Answer, AnswerStatus, Output, Start, start, stored_names};
use fleetwright_fleet::Terminal;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const HEAD: &str = "schemaVersion: '0.3'
parameters: { Text: { type: String, default: blue }, Flag: { type: Boolean, default: true }, Count: { type: Integer, default: 3 }, Ids: { type: StringList, default: [i-1, i-2] }, Map: { type: StringMap, default: { a: b } } }
variables: { one: { type: String, default: red } }
mainSteps:
";

/// A step that goes past the next one, and answers less than it declares.
const CALL: &str = "  - name: call
    action: aws:executeAwsApi
    inputs: { Service: a, Api: b }
    outputs:
      - { Name: Id, Selector: '$.Id', Type: String }
      - { Name: Payload, Selector: '$', Type: StringMap }
      - { Name: Missing, Selector: '$.Missing', Type: String }
    onFailure: step:passed
    nextStep: ask
  - name: passed
    action: aws:approve
    inputs: { Approvers: [alice] }
";

/// Executes a step `call` that answered with these outputs, then asks whether `{{ reference }}` is that value.
fn resolved(reference: &str, expected: &Value) -> Result<bool, String> {
    let ask = format!(
        "  - name: ask\n    action: aws:loop\n    inputs:\n      Iterators: [\"{{{{ {reference} }}}}\"]\n      IteratorDataType: {}\n      Steps: [{{ name: in, action: aws:sleep, inputs: {{ Duration: PT0S }} }}]\n",
        kind(expected)
    );
    let answered = ["call".parse().expect("a name")].into();
    let mut shell = Shell::of(parsed(&format!("{HEAD}{CALL}{ask}")), Start { answered, ..request() });
    shell.look().expect("decides");
    let outputs = BTreeMap::from([
        ("Id".to_owned(), json!("i-9")),
        ("Payload".to_owned(), json!({ "List": [{ "Name": "n" }], "Deep": { "er": true } })),
    ]);
    let answer = Answer { outputs, ..shell.reply(AnswerStatus::Success) };
    shell.answer(&answer).expect("is taken");
    shell.run(common::well);
    let value = shell.closed.iter().find_map(|step| step.parent.clone()?.iterator_value);
    value.map(|value| value == *expected).ok_or_else(|| shell.message("ask"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Integer",
        Value::Object(_) => "StringMap",
        Value::Null | Value::String(_) | Value::Array(_) => "String",
    }
}

#[test]
fn a_reference_is_its_value_with_its_type() {
    // (reference, its value, the source of the rule)
    let table = [
        ("Text", json!("blue"), "3.3: a parameter"),
        ("Flag", json!(true), "3.3: the typed object, if it is the whole value"),
        ("Count", json!(3), "3.3: the typed object"),
        ("Map", json!({ "a": "b" }), "3.3: the typed object"),
        ("variable:one", json!("red"), "3.3: a variable"),
        ("call.Id", json!("i-9"), "3.3: an output"),
        ("call.Payload.List[0].Name", json!("n"), "ours: a path into an output"),
        ("call.Payload.Deep.er", json!(true), "ours: a path into an output"),
        ("global:ACCOUNT_ID", json!("123456789012"), "3.3: system variables"),
        ("global:REGION", json!("us-east-1"), "3.3: system variables"),
        ("global:AWS_PARTITION", json!("aws"), "3.3: system variables"),
        ("global:DATE", json!("2026-03-14"), "3.3: yyyy-MM-dd"),
        ("global:DATE_TIME", json!("2026-03-14_02.00.00"), "3.3: yyyy-MM-dd_HH.mm.ss"),
        ("automation:EXECUTION_ID", json!("5ea4d7a3-22c8-4d5e-9c5a-000000000001"), "3.3: automation:"),
        ("  Text  ", json!("blue"), "3.3: white space inside the braces is optional"),
        ("Text }} and {{ Count", json!("blue and 3"), "3.3: text around it makes text"),
        ("Map }}!{{ Flag", json!("{\"a\":\"b\"}!true"), "3.3: within text, compact JSON"),
    ];
    for (reference, expected, source) in table {
        assert_eq!(resolved(reference, &expected), Ok(true), "{reference}: {source}");
    }
}

/// D5 of the oracle's notes: what the documentation does not say fails the step that refers to it.
#[test]
fn a_reference_to_nothing_fails_the_step_that_has_it() {
    for reference in ["call.Missing", "call.Id.deeper", "call.Payload.List[7]", "passed.ApprovalStatus"] {
        let wanted = format!("{{{{ {reference} }}}} has no value");
        assert_eq!(resolved(reference, &json!("")), Err(wanted), "{reference}");
    }
}

/// Ours: a path goes into a list of nodes too, which is written because it is read, and read when it is wanted.
#[test]
fn a_path_goes_into_a_list_of_nodes() {
    let ask = "  - name: ask\n    action: aws:branch\n    inputs: { Choices: [{ NextStep: found, Variable: \"{{ patch.FailedInstanceIds[1] }}\", StringEquals: i-00000000000000002 }] }\n    isEnd: true\n  - name: found\n    action: aws:sleep\n    inputs: { Duration: PT0S }\noutputs: ['patch.FailedInstanceIds[0]', 'patch.FailedInstanceIds[7]', patch.FailedInstanceIds]\n";
    let steps = common::command("patch", "    onFailure: Continue\n") + "      MaxErrors: 100%\n" + ask;
    let mut shell = Shell::new(&steps, 3);
    let send = shell.look().expect("decides").planned.remove(0);
    shell.finish(&send, |node| if node == 0 { (Terminal::Success, 0) } else { (Terminal::Failed, 1) });
    shell.run(common::well);
    assert_eq!(shell.steps().last().map(|(name, _)| name.as_str()), Some("found"));
    let outputs = &shell.execution.document_outputs;
    assert_eq!(outputs["patch.FailedInstanceIds[0]"], Output::Value(json!("i-00000000000000001")));
    assert!(matches!(outputs["patch.FailedInstanceIds"], Output::Nodes(_)));
    assert_eq!(outputs.len(), 2);
}

/// 3.3: "Resolved when the referring step runs (time variables differ between steps)".
#[test]
fn time_is_that_of_the_step_that_asks() {
    let steps = "  - name: rest\n    action: aws:sleep\n    inputs: { Duration: PT24H }\n  - name: ask\n    action: aws:branch\n    inputs: { Choices: [{ NextStep: yes_, Variable: \"{{ global:DATE }}\", StringEquals: '2026-03-15' }] }\n    isEnd: true\n  - name: yes_\n    action: aws:sleep\n    inputs: { Duration: PT0S }\n";
    let mut shell = Shell::new(steps, 0);
    shell.look().expect("decides");
    shell.now = at(0) + SignedDuration::from_hours(24);
    shell.run(common::well);
    assert_eq!(shell.steps().last().map(|(name, _)| name.as_str()), Some("yes_"));
}

/// 3.1: `outputs` is a list of `step.Output`; `step.*` is all of them.
#[test]
fn the_outputs_of_a_runbook_are_those_it_names() {
    /// (outputs, what the execution gives back)
    const OUTPUTS: [(&str, &[&str]); 6] = [
        ("[call.Id]", &["call.Id"]),
        ("['{{ call.Id }}']", &["call.Id"]),
        ("[call.*]", &["call.Id", "call.Payload"]),
        ("[call.Payload.Deep]", &["call.Payload.Deep"]),
        ("[call.Missing]", &[]),
        ("[]", &[]),
    ];
    for (outputs, names) in OUTPUTS {
        let answered = ["call".parse().expect("a name")].into();
        let ask = "  - name: ask\n    action: aws:sleep\n    inputs: { Duration: PT0S }\n";
        let text = format!("{HEAD}{CALL}{ask}outputs: {outputs}\n");
        let mut shell = Shell::of(parsed(&text), Start { answered, ..request() });
        shell.look().expect("decides");
        let given = [("Id".to_owned(), json!("i")), ("Payload".to_owned(), json!({ "Deep": 1 }))].into();
        let answer = Answer { outputs: given, ..shell.reply(AnswerStatus::Success) };
        shell.answer(&answer).expect("is taken");
        shell.run(common::well);
        let found: Vec<&str> = shell.execution.document_outputs.keys().map(String::as_str).collect();
        assert_eq!(found, names, "{outputs}");
    }
}

const STORED: &str = "schemaVersion: '0.3'
parameters:
  Ami: { type: String, default: '{{ssm:/golden/ami}}', allowedPattern: 'ami-.*' }
  Zones: { type: StringList, default: '{{ ssm:zones }}' }
  Plain: { type: String, default: x }
mainSteps: [{ name: rest, action: aws:sleep, inputs: { Duration: PT0S } }]
";

fn given(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()])).collect()
}

/// 3.1: a default may be `{{ssm:name}}`, String or StringList only.
#[test]
fn defaults_in_parameter_store_are_read_for_what_is_not_given() {
    let runbook = parsed(STORED);
    assert_eq!(stored_names(&runbook, &BTreeMap::new()), ["/golden/ami", "zones"].map(str::to_owned).into());
    assert_eq!(stored_names(&runbook, &given(&[("Zones", "a")])), ["/golden/ami".to_owned()].into());
    let stored = [("/golden/ami", "ami-1,2"), ("zones", "a, b,c")];
    let stored: BTreeMap<_, _> = stored.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let begun = start(Start { stored: stored.clone(), ..request() }, &runbook, at(0)).expect("starts");
    assert_eq!(begun.parameters["Ami"], json!("ami-1,2"), "a String as it is");
    assert_eq!(begun.parameters["Zones"], json!(["a", "b", "c"]), "a StringList at its commas");
    let named = start(Start { stored, parameters: given(&[("Ami", "ami-7")]), ..request() }, &runbook, at(0));
    assert_eq!(named.expect("starts").parameters["Ami"], json!("ami-7"), "what is given counts");
}

#[test]
fn a_default_that_parameter_store_lacks_or_that_does_not_fit_is_refused_by_name() {
    let runbook = parsed(STORED);
    let (code, message) = refusal(start(request(), &runbook, at(0)));
    assert_eq!(code, "InvalidAutomationExecutionParametersException");
    for part in ["parameter Ami", "/golden/ami", "parameter Zones", "zones"] {
        assert!(message.contains(part), "{message}");
    }
    let stored = [("/golden/ami", "secret"), ("zones", "a")];
    let stored = stored.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let (_, message) = refusal(start(Start { stored, ..request() }, &runbook, at(0)));
    assert!(message.contains("parameter Ami") && !message.contains("secret"), "{message}");
}

#[test]
fn parameters_that_leave_no_room_are_refused() {
    let parameters = given(&[("Plain", &"x".repeat(50_000)), ("Ami", "ami-1"), ("Zones", "a")]);
    let (code, message) = refusal(start(Start { parameters, ..request() }, &parsed(STORED), at(0)));
    assert_eq!(code, "ValidationException");
    assert!(message.contains("too large"), "{message}");
}
