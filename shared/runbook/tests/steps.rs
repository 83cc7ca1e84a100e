//! Steps: their properties, their names, and how they lead to one another.

mod common;

use common::{PAUSE, accepted, places, refused, shown, steps};
use fleetwright_runbook::{
    Action, Code, OnCancel, OnFailure, OrReference, Reference, Runbook, Sleep, StepName,
};
use serde_json::{Value, json};

fn name(text: &str) -> StepName {
    text.parse().expect("a step name")
}

fn successors(runbook: &Runbook, step: &str) -> Vec<String> {
    runbook.successors(&name(step)).into_iter().map(StepName::to_string).collect()
}

#[test]
fn a_step_has_everything_its_text_says() {
    let runbook = accepted(&steps(&[
        "name: patch\naction: aws:runInstances\ndescription: does it\nmaxAttempts: '3'\ntimeoutSeconds: \"{{ Wait }}\"\nonFailure: step:pause\nonCancel: step:tidy\nnextStep: pause\nisCritical: 'false'\ninputs: { ImageId: ami }\noutputs:\n- Name: Ids\n  Selector: $.Instances..InstanceId\n  Type: StringList\n- Name: First\n  Selector: $.Instances[0]",
        PAUSE,
        "name: tidy\naction: aws:invokeWebhook\ninputs: { IntegrationName: x }",
    ]));
    let step = runbook.first();
    assert_eq!(step.description.as_deref(), Some("does it"));
    assert_eq!(step.max_attempts, OrReference::Literal(3));
    let wait = step.timeout_seconds.as_ref().expect("set");
    let lookup = |value: Value| move |_: &Reference| Ok::<_, ()>(value.clone());
    assert_eq!(wait.resolve(&lookup(json!("90"))), Ok(90));
    assert!(wait.resolve(&lookup(json!("soon"))).is_err());
    assert_eq!(*step.on_failure(), OnFailure::Step(name("pause")));
    assert_eq!(step.on_cancel, OnCancel::Step(name("tidy")));
    assert_eq!(step.next_step, Some(name("pause")));
    assert!(!step.is_critical());
    assert_eq!(
        step.outputs[0].selector.as_ref().map(|selector| (selector.position.line, selector.position.column)),
        Some((16, 15))
    );
    assert_eq!(step.outputs[1].value_type.as_str(), "String");
}

#[test]
fn defaults_are_those_of_the_user_guide() {
    let runbook = accepted(&steps(&[PAUSE, "name: b\naction: aws:pause\nonFailure: Continue"]));
    let step = runbook.first();
    assert_eq!(step.max_attempts, OrReference::Literal(1));
    assert_eq!((step.on_failure(), &step.on_cancel), (&OnFailure::Abort, &OnCancel::Abort));
    assert!(step.is_critical() && !step.is_end && step.timeout_seconds.is_none());
    // "true, but false with onFailure: Continue"
    assert!(!runbook.step("b").expect("b").is_critical());
}

#[test]
fn properties_of_the_wrong_kind_are_reported_where_they_stand() {
    let table = [
        ("maxAttempts: often", Code::WrongType),
        ("maxAttempts: -1", Code::WrongType),
        ("maxAttempts: 1.5", Code::WrongType),
        ("timeoutSeconds: \"{{ Unknown }}\"", Code::UnknownReference),
        ("maxAttempts: 0", Code::InvalidValue),
        ("timeoutSeconds: 0", Code::InvalidValue),
        ("isEnd: yes", Code::WrongType),
        ("isEnd: \"{{ Wait }}\"", Code::WrongType),
        ("nextStep: [pause]", Code::WrongType),
        ("nextStep: Pause", Code::UnknownStep),
        ("onFailure: Retry", Code::InvalidValue),
        ("onFailure: step:gone", Code::UnknownStep),
        ("onCancel: Continue", Code::InvalidValue),
        ("onCancel: step:gone", Code::UnknownStep),
        ("outputs: { a: b }", Code::WrongType),
        ("description: { a: b }", Code::WrongType),
    ];
    for (property, code) in table {
        let column = u32::try_from(property.find(": ").expect("a value")).expect("short") + 5;
        let diagnostics = refused(&steps(&[PAUSE, &format!("name: a\naction: aws:pause\n{property}")]));
        assert_eq!(places(&diagnostics), [(code, 9, column)], "{property}");
    }
}

#[test]
fn names_and_actions_are_held_to_their_rules() {
    let long = "x".repeat(129);
    let table = [
        ("action: aws:pause", Code::MissingProperty),
        ("name:\naction: aws:pause", Code::MissingProperty),
        ("name: a", Code::MissingProperty),
        ("name: a-b\naction: aws:pause", Code::StepName),
        ("name: a.b\naction: aws:pause", Code::StepName),
        (&format!("name: {long}\naction: aws:pause"), Code::StepName),
        ("name: a\naction: pause", Code::ActionName),
        ("name: a\naction: aws:x1y", Code::ActionName),
        ("name: a\naction: aws:ab", Code::ActionName),
        ("name: pause\naction: aws:pause", Code::DuplicateStep),
        ("name: a\naction: aws:pause\nonFailed: Abort", Code::UnknownProperty),
        ("name: a\naction: aws:pause\ninputs: []", Code::WrongType),
        ("name: a\naction: aws:sleep", Code::MissingProperty),
    ];
    for (step, code) in table {
        let diagnostics = refused(&steps(&[PAUSE, step]));
        assert_eq!(diagnostics.len(), 1, "{step}: {}", shown(&diagnostics));
        assert_eq!(diagnostics[0].code, code, "{step}");
        assert!(diagnostics[0].position.line >= 7, "{step}");
    }
    // YAML reads 7 as a number; the name is what is written.
    assert_eq!(accepted(&steps(&["name: 7\naction: aws:pause"])).first().name, "7");
}

#[test]
fn a_near_miss_is_named() {
    let diagnostics = refused(&steps(&[PAUSE, "name: a\naction: aws:pause\nnextStep: pasue"]));
    assert_eq!(diagnostics[0].hint.as_deref(), Some("did you mean \"pause\"?"));
}

#[test]
fn everything_wrong_is_said_at_once_in_order() {
    let text = "schemaVersion: '2.2'\nparameters:\n  A: {}\n  B: { type: Text }\nmainSteps:\n- name: a b\n  action: aws:branch\n  inputs:\n    Choices:\n    - NextStep: gone\n      Variable: x\n      Like: y\n    Default: gone\n";
    assert_eq!(
        places(&refused(text)),
        [
            (Code::SchemaVersion, 1, 16),
            (Code::ParameterType, 3, 3),
            (Code::ParameterType, 4, 14),
            (Code::StepName, 6, 9),
            (Code::UnknownStep, 10, 17),
            (Code::UnsupportedOperator, 12, 7),
            (Code::UnknownStep, 13, 14),
        ]
    );
}

#[test]
fn the_document_needs_its_version_and_steps() {
    let table = [
        ("mainSteps: [ { name: a, action: 'aws:pause' } ]", Code::SchemaVersion),
        ("schemaVersion: '0.3'", Code::MissingProperty),
        ("schemaVersion: '0.3'\nmainSteps: []", Code::MissingProperty),
        ("schemaVersion: '0.3'\nmainSteps: {}", Code::WrongType),
        ("schemaVersion: '0.3'\nmainSteps: [ text ]", Code::WrongType),
    ];
    for (text, code) in table {
        let diagnostics = refused(text);
        assert_eq!(diagnostics.len(), 1, "{text}");
        assert_eq!(diagnostics[0].code, code, "{text}");
    }
    accepted("schemaVersion: 0.3\nmainSteps: [ { name: a, action: 'aws:pause' } ]");
}

#[test]
fn sleeps_take_a_duration_or_a_timestamp() {
    let table = [
        ("Duration: PT10M", None),
        ("Duration: \"{{ Wait }}\"", None),
        ("Duration: \"PT{{ Wait }}M\"", None),
        ("Timestamp: 2030-01-31T04:00:00Z", None),
        ("Timestamp: \"{{ global:DATE }}T04:00:00Z\"", None),
        ("Duration: 10", Some(Code::Duration)),
        ("Duration: P8D", Some(Code::Duration)),
        ("Duration: \"{{ Unknown }}\"", Some(Code::UnknownReference)),
        ("Timestamp: tomorrow", Some(Code::Timestamp)),
        ("Seconds: 3", Some(Code::UnknownProperty)),
        ("Duration: PT1S\n  Timestamp: 2030-01-31T04:00:00Z", Some(Code::InvalidValue)),
    ];
    for (inputs, code) in table {
        let text = steps(&[&format!("name: a\naction: aws:sleep\ninputs:\n  {inputs}")]);
        match code {
            None => drop(accepted(&text)),
            Some(code) => assert_eq!(refused(&text)[0].code, code, "{inputs}"),
        }
    }
    let runbook = accepted(&steps(&["name: a\naction: aws:sleep\ninputs: { Duration: 'PT{{ Wait }}M' }"]));
    let Action::Sleep(Sleep::Duration(duration)) = &runbook.first().action else { panic!("a duration") };
    let minutes = duration.resolve(&|_| Ok::<_, ()>(json!(3))).map(|duration| duration.as_secs());
    assert_eq!(minutes, Ok(180));
}

#[test]
fn successors_are_everything_that_can_come_next() {
    let branch = |rest: &str| {
        format!(
            "name: choose\naction: aws:branch\ninputs:\n  Choices:\n  - {{ NextStep: c, Variable: \"{{{{ Wait }}}}\", NumericEquals: 1 }}\n{rest}"
        )
    };
    let pause = |name: &str, rest: &str| {
        format!("name: {name}\naction: aws:invokeWebhook\ninputs: {{ IntegrationName: x }}\n{rest}")
    };
    let document =
        |choose: &str, a: &str| accepted(&steps(&[choose, &pause("a", a), &pause("b", ""), &pause("c", "")]));
    let table = [
        ("", "", vec!["c", "a"], vec!["b"]),
        ("  Default: b", "isEnd: true", vec!["c", "b"], vec![]),
        ("isEnd: true", "nextStep: c", vec!["c"], vec!["c"]),
        ("nextStep: b", "onFailure: step:c", vec!["c", "b"], vec!["b", "c"]),
        ("onFailure: step:b", "onCancel: step:c\nonFailure: Continue", vec!["c", "a", "b"], vec!["b", "c"]),
    ];
    for (choose, a, after_choose, after_a) in table {
        let runbook = document(&branch(choose), a);
        assert_eq!(successors(&runbook, "choose"), after_choose, "{choose}");
        assert_eq!(successors(&runbook, "a"), after_a, "{a}");
        assert!(successors(&runbook, "c").is_empty());
    }
    let runbook = document(&branch(""), "");
    assert_eq!(runbook.following(&name("a")).map(|step| step.name.as_str()), Some("b"));
    assert!(runbook.following(&name("c")).is_none());
}

#[test]
fn circles_are_refused_and_shown() {
    let table = [
        (vec!["name: a\naction: aws:pause\nnextStep: a"], "a -> a"),
        (vec![PAUSE, "name: b\naction: aws:pause", "name: c\naction: aws:pause\nnextStep: b"], "b -> c -> b"),
        (
            vec![PAUSE, "name: b\naction: aws:pause\nisEnd: true\nonFailure: step:pause"],
            "pause -> b -> pause",
        ),
        (
            vec![
                "name: a\naction: aws:invokeWebhook\ninputs: { IntegrationName: x }",
                "name: b\naction: aws:pause\nonCancel: step:a",
            ],
            "a -> b -> a",
        ),
        (
            vec![
                PAUSE,
                "name: b\naction: aws:branch\ninputs:\n  Choices: [ { NextStep: pause, Variable: x, StringEquals: x } ]",
            ],
            "pause -> b -> pause",
        ),
    ];
    for (list, circle) in table {
        let diagnostics = refused(&steps(&list));
        assert_eq!(diagnostics.len(), 1, "{}", shown(&diagnostics));
        assert_eq!(diagnostics[0].code, Code::Cycle);
        assert!(diagnostics[0].message.ends_with(circle), "{}", diagnostics[0].message);
    }
}
