//! Everything wrong with a runbook in one run, each mistake where it stands.

mod common;

use common::{ASK, PAUSE, diagnostics, errors, places, said, shown, steps};
use fleetwright_runbook::{Code, Portability, Severity, validate};

#[test]
fn one_unreadable_step_does_not_hide_what_is_wrong_with_the_others() {
    let text = "schemaVersion: '0.3'\nmainSteps:\n- name: broken\n  action: aws:runComand\n- name: run\n  action: aws:runCommand\n  inputs:\n    DocumentName: AWS-RunShellScript\n    InstanceIds: \"{{ broken.Ids }}\"\n    Comment: \"{{ Missing }}\"\n  nextStep: gone\n- name: wait\n  action: aws:sleep\n  inputs: { Duration: soon }\n- name: back\n  action: aws:executeAwsApi\n  inputs: { Service: ec2, Api: \"{{ run.Outptu }}\" }\n  nextStep: wait\n- 17\n";
    let found = diagnostics(text);
    assert_eq!(
        places(&found),
        [
            (Code::ActionName, 4, 11),
            (Code::UnknownReference, 10, 14),
            (Code::UnknownStep, 11, 13),
            (Code::Duration, 14, 23),
            (Code::Cycle, 15, 3),
            (Code::UnsupportedAction, 16, 11),
            (Code::UnknownReference, 17, 32),
            (Code::WrongType, 19, 3),
        ]
    );
    assert_eq!(found[0].hint.as_deref(), Some("did you mean \"aws:runCommand\"?"));
    assert_eq!(found[6].hint.as_deref(), Some("did you mean \"Output\"?"));
    let validation = validate(text, Portability::Here);
    assert_eq!(validation.steps, 5);
    assert_eq!(validation.actions, ["aws:runComand", "aws:runCommand", "aws:sleep", "aws:executeAwsApi"]);
    assert_eq!(validation.unsupported, ["aws:executeAwsApi"]);
}

#[test]
fn a_text_that_is_no_document_has_no_steps() {
    for text in ["", "text", "a: [", "{}"] {
        let validation = validate(text, Portability::Here);
        assert_eq!((validation.steps, validation.is_valid(), validation.is_runnable()), (0, false, false));
        assert!(!diagnostics(text).is_empty());
    }
}

#[test]
fn what_cannot_be_run_here_is_said_of_each_action_once() {
    let approve = |name: &str, who: &str| format!("name: {name}\naction: aws:approve\ninputs: {{ {who} }}");
    let text = steps(&[
        PAUSE,
        &approve("levels", "EnhancedApprovals: { Approvers: [] }"),
        ASK,
        "name: ask2\naction: aws:invokeWebhook\ninputs: { IntegrationName: x }",
        &approve("people", "Approvers: [ somebody ]"),
    ]);
    let found = diagnostics(&text);
    assert_eq!(
        found.iter().map(|d| (d.position.line, d.position.column, d.message.as_str())).collect::<Vec<_>>(),
        [
            (8, 11, "aws:approve with EnhancedApprovals cannot be run here yet (step levels)"),
            (11, 11, "aws:invokeWebhook cannot be run here yet (steps ask and ask2)"),
        ]
    );
    assert_eq!(validate(&text, Portability::Here).unsupported, ["aws:approve", "aws:invokeWebhook"]);
    assert!(validate(&steps(&[PAUSE]), Portability::Here).is_runnable());
    let ask = |count: usize| {
        let steps_of: Vec<String> = (0..count).map(|at| ASK.replace("ask", &format!("ask{at}"))).collect();
        let found = diagnostics(&steps(&steps_of.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(found.len(), 1);
        found[0].message.clone()
    };
    assert!(ask(3).ends_with("(steps ask0, ask1 and ask2)"), "{}", ask(3));
    assert!(ask(6).ends_with("(steps ask0, ask1 and 4 more)"), "{}", ask(6));
}

#[test]
fn loops_have_limits() {
    let items = |count: usize| vec!["a"; count].join(", ");
    let table = [
        (format!("Iterators: [ {} ]", items(100)), vec![]),
        (format!("Iterators: [ {} ]", items(101)), vec![(Code::InvalidValue, 7, 16)]),
        ("Iterators: text".to_owned(), vec![(Code::WrongType, 7, 16)]),
        ("Iterators: [ 1, x ]\n  IteratorDataType: Integer".to_owned(), vec![(Code::WrongType, 7, 21)]),
        (
            "Iterators: [ { a: b }, x ]\n  IteratorDataType: StringMap".to_owned(),
            vec![(Code::WrongType, 7, 28)],
        ),
        // A text stands for a value of the type: Iterators are documented as a StringList.
        ("Iterators: [ '{\"a\": 1}' ]\n  IteratorDataType: StringMap".to_owned(), vec![]),
        ("Iterators: [ '[1]' ]\n  IteratorDataType: StringMap".to_owned(), vec![(Code::WrongType, 7, 18)]),
        ("Iterators: [ 1 ]\n  MaxIterations: 101".to_owned(), vec![(Code::InvalidValue, 8, 20)]),
        ("Iterators: [ 1 ]\n  MaxIterations: 0".to_owned(), vec![(Code::InvalidValue, 8, 20)]),
    ];
    for (head, expected) in table {
        let text = steps(&[&format!(
            "name: again\naction: aws:loop\ninputs:\n  {head}\n  Steps: [ {{ name: one, action: 'aws:pause' }} ]"
        )]);
        assert_eq!(places(&errors(&text)), expected, "{head}");
    }
}

#[test]
fn circles_inside_a_loop_and_beside_broken_steps_are_seen() {
    let inner = "name: again\naction: aws:loop\ninputs:\n  Iterators: [ a ]\n  Steps:\n  - { name: one, action: 'aws:pause' }\n  - { name: two, action: 'aws:pause', nextStep: one }";
    assert_eq!(places(&errors(&steps(&[inner]))), [(Code::Cycle, 10, 7)]);
    let broken = "name: broken\naction: aws:nothing\nnextStep: pause";
    assert_eq!(places(&errors(&steps(&[PAUSE, broken]))), [(Code::Cycle, 7, 3), (Code::ActionName, 8, 11)]);
    // A wrong target leads nowhere: the circle that would be there if it were left out is not.
    let lost = "name: lost\naction: aws:pause\nnextStep: pasue";
    let back = "name: back\naction: aws:pause\nnextStep: lost";
    assert_eq!(places(&errors(&steps(&[lost, back]))), [(Code::UnknownStep, 6, 13)]);
}

#[test]
fn a_cancelled_step_goes_on_where_ssm_lets_it() {
    let looping = "name: again\naction: aws:loop\ninputs: { Iterators: [ a ], Steps: [ { name: one, action: 'aws:pause' } ] }\nonCancel: step:ask";
    let update =
        "name: set\naction: aws:updateVariable\ninputs: { Name: 'variable:v', Value: 1 }\nonCancel: Abort";
    let run = |target: &str| {
        format!(
            "name: run\naction: aws:runCommand\ninputs: {{ DocumentName: abc, InstanceIds: i-12345678 }}\nonCancel: step:{target}"
        )
    };
    let sleep = "name: nap\naction: aws:sleep\ninputs: { Duration: PT1S }";
    let approve = "name: who\naction: aws:approve\ninputs: { Approvers: [ a ] }";
    let tags =
        "name: tag\naction: aws:createTags\ninputs: { ResourceIds: [ i-1 ], Tags: [ { Key: a, Value: b } ] }";
    let (refused, doubted) = (Severity::Error, Severity::Warning);
    let table = [
        (vec![run("ask"), ASK.to_owned()], None),
        // SSM takes the document, as a published runbook shows, and says that it does not go on there.
        (vec![run("nap"), sleep.to_owned()], Some(doubted)),
        (vec![run("pause"), PAUSE.to_owned()], Some(doubted)),
        (vec![run("who"), approve.to_owned()], Some(doubted)),
        (vec![run("tag"), tags.to_owned()], Some(doubted)),
        (vec![looping.to_owned(), ASK.to_owned()], Some(refused)),
        (vec![update.to_owned(), ASK.to_owned()], Some(refused)),
    ];
    for (list, severity) in table {
        let text = steps(&list.iter().map(String::as_str).collect::<Vec<_>>());
        let text = text.replace("parameters: {", "variables: { v: { type: Integer } }\nparameters: {");
        let mut found = diagnostics(&text);
        found.retain(|d| d.code != Code::UnsupportedAction);
        assert_eq!(places(&found), Vec::from_iter(severity.map(|_| (Code::InvalidValue, 8, 13))), "{text}");
        assert_eq!(found.first().map(|d| d.severity), severity, "{text}");
    }
}

#[test]
fn approvals_are_counted() {
    let names = |count: usize| vec!["a"; count].join(", ");
    let table = [
        (format!("Approvers: [ {} ]", names(10)), vec![]),
        (format!("Approvers: [ {} ]", names(11)), vec![(Code::InvalidValue, 7, 16)]),
        ("Approvers: []".to_owned(), vec![(Code::MissingProperty, 7, 16)]),
        ("Approvers: [ a ]\n  MinRequiredApprovals: 2".to_owned(), vec![(Code::InvalidValue, 8, 27)]),
        ("Approvers: [ a ]\n  MinRequiredApprovals: 0".to_owned(), vec![(Code::InvalidValue, 8, 27)]),
        ("Approvers: \"{{ Wait }}\"\n  MinRequiredApprovals: 5".to_owned(), vec![]),
        (format!("Approvers: [ a ]\n  Message: {}", "m".repeat(4_097)), vec![(Code::InvalidValue, 8, 14)]),
        ("Approvers: [ a ]\n  NotificationArn: arn:aws:sns:r:1:AutomationX".to_owned(), vec![]),
        // Said, not refused: a role of one's own may publish anywhere.
        (
            "Approvers: [ a ]\n  NotificationArn: arn:aws:sns:r:1:Topic".to_owned(),
            vec![(Code::InvalidValue, 8, 22)],
        ),
        ("MinRequiredApprovals: 1".to_owned(), vec![(Code::MissingProperty, 7, 5)]),
    ];
    for (inputs, expected) in table {
        let text = steps(&[&format!("name: a\naction: aws:approve\ninputs:\n  {inputs}")]);
        assert_eq!(said(&text, Portability::Here), expected, "{inputs}");
    }
    let topic =
        steps(&["name: a\naction: aws:approve\ninputs: { Approvers: [ a ], NotificationArn: 'x:Topic' }"]);
    assert!(validate(&topic, Portability::Here).is_valid());
}

#[test]
fn a_new_value_has_the_type_of_its_variable() {
    let table = [
        ("String", "text".to_owned(), None),
        ("String", "\"{{ Wait }}\"".to_owned(), None),
        ("String", "5".to_owned(), Some(Code::WrongType)),
        ("String", "''".to_owned(), Some(Code::InvalidValue)),
        ("String", "x".repeat(513), Some(Code::InvalidValue)),
        ("Integer", "5".to_owned(), None),
        ("Integer", "'5'".to_owned(), Some(Code::WrongType)),
        ("Boolean", "true".to_owned(), None),
        ("Boolean", "'true'".to_owned(), Some(Code::WrongType)),
        ("StringList", format!("[ {} ]", vec!["a"; 50].join(", ")), None),
        ("StringList", format!("[ {} ]", vec!["a"; 51].join(", ")), Some(Code::InvalidValue)),
        ("StringList", "[ 1 ]".to_owned(), Some(Code::WrongType)),
        ("MapList", format!("[ {} ]", vec!["{ a: b }"; 200].join(", ")), None),
        ("MapList", format!("[ {} ]", vec!["{ a: b }"; 201].join(", ")), Some(Code::InvalidValue)),
        ("StringMap", format!("{{ {}: b }}", "k".repeat(51)), Some(Code::InvalidValue)),
    ];
    for (kind, value, code) in table {
        let text = steps(&[&format!(
            "name: a\naction: aws:updateVariable\ninputs:\n  Name: variable:v\n  Value: {value}"
        )])
        .replace("mainSteps:", &format!("variables: {{ v: {{ type: {kind} }} }}\nmainSteps:"));
        let expected: Vec<_> = code.map(|code| (code, 9, 12)).into_iter().collect();
        assert_eq!(places(&errors(&text)), expected, "{kind} {value}");
    }
}

#[test]
fn a_command_keeps_to_the_limits_of_send_command() {
    let table = [
        ("MaxConcurrency: 10%", true),
        ("MaxConcurrency: 0", false),
        ("MaxConcurrency: 101%", false),
        ("MaxConcurrency: many", false),
        ("MaxConcurrency: \"{{ Wait }}%\"", true),
        ("MaxErrors: 0", true),
        ("MaxErrors: 0%", true),
        ("MaxErrors: '01'", false),
        ("MaxErrors: -1", false),
        ("MaxErrors: 100%", true),
        ("TimeoutSeconds: 30", true),
        ("TimeoutSeconds: 29", false),
        ("TimeoutSeconds: 2592001", false),
        ("DocumentVersion: $LATEST", true),
        ("DocumentVersion: 0", false),
        ("DocumentVersion: latest", false),
        ("DocumentHashType: Md5", false),
        ("OutputS3BucketName: ab", false),
        ("OutputS3BucketName: ''", true),
        ("NotificationConfig: { NotificationType: command }", false),
        ("NotificationConfig: { NotificationEvents: [ All, Done ] }", false),
        ("NotificationConfig: { NotificationEvents: Failed, NotificationType: Invocation }", true),
        ("Targets: [ { Key: a, Values: b } ]", false),
    ];
    for (input, is_valid) in table {
        let text = steps(&[&format!(
            "name: a\naction: aws:runCommand\ninputs:\n  DocumentName: AWS-RunShellScript\n  InstanceIds: i-1\n  {input}"
        )]);
        let found = errors(&text);
        assert_eq!(found.is_empty(), is_valid, "{input}: {}", shown(&found));
        assert!(
            found.iter().all(|d| d.code == Code::InvalidValue && d.position.line == 9),
            "{}",
            shown(&found)
        );
    }
    let comment = |length: usize| {
        steps(&[&format!(
            "name: a\naction: aws:runCommand\ninputs: {{ DocumentName: abc, InstanceIds: i-1, Comment: {} }}",
            "c".repeat(length)
        )])
    };
    assert!(errors(&comment(100)).is_empty());
    assert_eq!(errors(&comment(101)).len(), 1);
}

#[test]
fn warnings_leave_a_runbook_valid() {
    let pause = steps(&["name: a\naction: aws:pause\ninputs: { Message: hello }"]);
    assert_eq!(said(&pause, Portability::Here), [(Code::UnknownProperty, 6, 13)]);
    assert!(validate(&pause, Portability::Here).is_valid());
    let unfilled = steps(&[PAUSE]).replace("default: 3", "default: 3, allowedPattern: '\\p{javaLowerCase}'");
    assert_eq!(said(&unfilled, Portability::Here).first().map(|(code, ..)| *code), Some(Code::Pattern));
    assert!(validate(&unfilled, Portability::Here).is_runnable());
    let template = steps(&[
        "name: a\naction: aws:runCommand\ninputs: { DocumentName: '${name}', InstanceIds: i-12345678 }",
    ]);
    assert_eq!(said(&template, Portability::Here), [(Code::InvalidValue, 6, 27)]);
    assert!(validate(&template, Portability::Here).is_valid());
}

/// SSM User Guide, automation-actions: maxAttempts is for steps that fail; what waits or decides is done once.
#[test]
fn attempts_are_for_what_can_be_tried_again() {
    let table = [
        ("aws:pause", "{}", "2", true),
        ("aws:pause", "{}", "1", false),
        ("aws:approve", "{ Approvers: [ a ] }", "3", true),
        ("aws:sleep", "{ Duration: PT1S }", "\"{{ Wait }}\"", true),
        ("aws:updateVariable", "{ Name: 'variable:v', Value: 1 }", "2", true),
        ("aws:branch", "{ Choices: [ { NextStep: ask, Variable: x, StringEquals: x } ] }", "2", true),
        ("aws:loop", "{ Iterators: [ a ], Steps: [ { name: one, action: 'aws:pause' } ] }", "2", true),
        ("aws:runCommand", "{ DocumentName: abc, InstanceIds: i-12345678 }", "2", false),
        ("aws:invokeWebhook", "{ IntegrationName: x }", "2", false),
    ];
    for (action, inputs, attempts, is_warned) in table {
        let step = format!("name: a\nmaxAttempts: {attempts}\naction: {action}\ninputs: {inputs}");
        let text =
            steps(&[&step, ASK]).replace("mainSteps:", "variables: { v: { type: Integer } }\nmainSteps:");
        let mut found = diagnostics(&text);
        found.retain(|d| d.code != Code::UnsupportedAction);
        let expected = is_warned.then_some((Code::UnknownProperty, 6, 16));
        assert_eq!(places(&found), Vec::from_iter(expected), "{step}");
        assert!(found.iter().all(|d| d.severity == Severity::Warning && d.message.contains("tried once")));
    }
}
