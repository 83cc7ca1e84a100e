//! What is most likely a mistake and leaves a runbook valid, beside what is told from it and is an error.

mod common;

use common::{ASK, diagnostics, shown, steps};
use fleetwright_runbook::{Code, Diagnostic, Severity};

const ERROR: Severity = Severity::Error;
const WARNING: Severity = Severity::Warning;

/// What is said besides that an action cannot be run here.
fn found(text: &str) -> Vec<Diagnostic> {
    let mut found = diagnostics(text);
    found.retain(|diagnostic| diagnostic.code != Code::UnsupportedAction);
    found
}

/// Of each diagnostic its severity and code.
fn kinds(found: &[Diagnostic]) -> Vec<(Severity, Code)> {
    found.iter().map(|diagnostic| (diagnostic.severity, diagnostic.code)).collect()
}

/// Whether the one thing said is of that kind and has this text in its message or its hint.
fn assert_said(text: &str, expected: Option<(Severity, Code, &str)>) {
    let found = found(text);
    let kind = expected.map(|(severity, code, _)| (severity, code));
    assert_eq!(kinds(&found), Vec::from_iter(kind), "{text}\n{}", shown(&found));
    if let Some((_, _, words)) = expected {
        let told = format!("{} | {}", found[0].message, found[0].hint.as_deref().unwrap_or_default());
        assert!(told.contains(words), "{told}\n{text}");
    }
}

/// A document with a parameter `Wait`, a list `Ids`, a variable `seen`, a step `ask` and this step.
fn with(action: &str, rest: &str) -> String {
    let step = format!("name: use\naction: {action}\n{rest}");
    steps(&[ASK, &step])
        .replace("default: 3 }", "default: 3 }, Ids: { type: StringList }")
        .replace("mainSteps:", "variables: { seen: { type: String, default: a } }\nmainSteps:")
}

#[test]
fn a_name_in_braces_that_is_unknown_is_wrong_where_it_was_meant() {
    let api = |input: &str| with("aws:executeAwsApi", &format!("inputs: {{ Service: a, Api: b, {input} }}"));
    let command =
        |inputs: &str| with("aws:runCommand", &format!("inputs: {{ DocumentName: abc, {inputs} }}"));
    let branch = |inputs: &str| {
        with("aws:branch", &format!("inputs: {{ Choices: [ {{ NextStep: end, {inputs} }} ] }}"))
            + "- { name: end, action: 'aws:pause' }\n"
    };
    let table = [
        (format!("{}assumeRole: 'arn:{{{{ Rolle }}}}'\n", steps(&[ASK])), Some(ERROR)),
        (command("Targets: [ { Key: 'tag:{{ Gone }}', Values: a } ]"), Some(ERROR)),
        (command("Targets: [ { Key: 'tag:a', Values: [ 'x{{ Gone }}' ] } ]"), Some(ERROR)),
        (command("InstanceIds: [ 'i-{{ gone.Id }}' ]"), Some(ERROR)),
        (command("InstanceIds: '{{ Ids }}', Comment: 'for {{ Gone }}'"), Some(ERROR)),
        (command("InstanceIds: '{{ Ids }}', Parameters: { commands: [ 'echo {{ Gone }}' ] }"), Some(WARNING)),
        (command("InstanceIds: '{{ Ids }}', Parameters: { commands: [ '{{ Gone }}' ] }"), Some(ERROR)),
        (command("InstanceIds: '{{ Ids }}', Parameters: { commands: [ \"a\\n{{ Gone }}\" ] }"), None),
        (with("aws:approve", "inputs: { Approvers: [ a ], Message: 'is {{ Gone }} right?' }"), Some(ERROR)),
        (with("aws:sleep", "inputs: { Duration: 'PT{{ Minutes }}M' }"), Some(ERROR)),
        (with("aws:sleep", "inputs: { Timestamp: '{{ Day }}T04:00:00Z' }"), Some(ERROR)),
        (with("aws:updateVariable", "inputs: { Name: 'variable:seen', Value: 'x {{ Gone }}' }"), Some(ERROR)),
        (branch("Variable: '{{ Wait }}-{{ Gone }}', StringEquals: a"), Some(ERROR)),
        (branch("Variable: '{{ Wait }}', StringEquals: 'a{{ gone.Output }}'"), Some(ERROR)),
        (api("Name: 'x-{{ Gone }}'"), Some(ERROR)),
        (api("Name: 'x-{{ user.name | upper }} {{.Names}} {{#if x}}'"), None),
        (api("Name: '<b>{{ title }}</b>'"), None),
        (api("PolicyDocument: 'x {{ Gone }}'"), Some(WARNING)),
        (
            with(
                "aws:executeAutomation",
                "inputs: { DocumentName: abc, RuntimeParameters: { A: 'x {{ Gone }}' } }",
            ),
            Some(ERROR),
        ),
        (with("aws:invokeWebhook", "inputs: { IntegrationName: a, Body: 'x {{ Gone }}' }"), Some(WARNING)),
        (with("aws:createStack", "inputs: { StackName: a, TemplateBody: 'x {{ gone.A }}' }"), Some(WARNING)),
        (with("aws:runInstances", "inputs: { ImageId: a, UserData: 'x {{ Gone }}' }"), Some(WARNING)),
        (
            with(
                "aws:executeScript",
                "inputs: { Runtime: 'PowerShell 7.0', Script: 'echo {{ Gone }}', InputPayload: { a: 'x {{ Wait }}' } }",
            ),
            Some(WARNING),
        ),
    ];
    for (text, severity) in table {
        assert_said(&text, severity.map(|severity| (severity, Code::UnknownReference, "there is no ")));
    }
}

#[test]
fn what_nearly_is_a_reference_is_doubted() {
    let table = [
        ("{{ Ids[0] }}", Some("write \"{{ Ids }}\"")),
        ("{{ Wait", Some("write \"{{ Wait }}\"")),
        ("{{ Wait }", Some("write \"{{ Wait }}\"")),
        ("{{ }}", Some("nothing stands between the braces")),
        ("{{ if x", None),
        ("{{ x[0] }}", None),
    ];
    for (value, words) in table {
        let text = with("aws:invokeWebhook", &format!("inputs: {{ IntegrationName: a, Body: '{value}' }}"));
        assert_said(&text, words.map(|words| (WARNING, Code::UnknownReference, words)));
    }
}

#[test]
fn messages_of_unknown_names_say_what_there_is() {
    let table = [
        ("{{ ask.Nothing }}", "it has Response, ResponseCode"),
        ("{{ variable:sene }}", "there is no variable \"sene\" | did you mean \"seen\"?"),
        ("{{ global:date }}", "there is no global variable \"date\" | did you mean \"DATE\"?"),
        ("{{ automation:ID }}", "there is no automation variable \"ID\""),
    ];
    for (value, words) in table {
        let text = with("aws:invokeWebhook", &format!("inputs: {{ IntegrationName: a, Body: '{value}' }}"));
        assert_said(&text, Some((ERROR, Code::UnknownReference, words)));
    }
    let many = with("aws:invokeWebhook", "inputs: { IntegrationName: a, Body: '{{ run.Nothing }}' }")
        .replace("- name: ask", "- { name: run, action: 'aws:runCommand', inputs: { DocumentName: abc, InstanceIds: i-12345678 } }\n- name: ask");
    assert_said(&many, Some((ERROR, Code::UnknownReference, "it has CommandId, FailedCount, ")));
}

#[test]
fn a_name_without_braces_is_compared_as_text() {
    let table = [
        ("Wait", Some("write \"{{ Wait }}\"")),
        ("ask.Response", Some("write \"{{ ask.Response }}\"")),
        ("variable:seen", Some("write \"{{ variable:seen }}\"")),
        ("global:REGION", Some("compares the text itself")),
        ("'{{ Wait }}'", None),
        ("wait", None),
        ("ask.Gone", None),
    ];
    for (variable, words) in table {
        let expected = words.map(|words| (WARNING, Code::Condition, words));
        let choice =
            format!("inputs: {{ Choices: [ {{ NextStep: end, Variable: {variable}, StringEquals: a }} ] }}");
        assert_said(&(with("aws:branch", &choice) + "- { name: end, action: 'aws:pause' }\n"), expected);
        let condition = format!(
            "inputs: {{ LoopCondition: {{ Variable: {variable}, StringEquals: a }}, MaxIterations: 2, Steps: [ {{ name: one, action: 'aws:pause' }} ] }}"
        );
        assert_said(&with("aws:loop", &condition), expected);
    }
}

#[test]
fn a_command_is_sent_to_nodes() {
    let bad = |words| Some((WARNING, Code::InvalidValue, words));
    let table = [
        ("InstanceIds: [ i-12345678, i-0123456789abcdef0, mi-0123456789abcdef0 ]", None),
        ("InstanceIds: [ '{{ Ids }}' ]", None),
        ("InstanceIds: web-1", bad("is not the id of a node")),
        ("InstanceIds: mi-12345678", bad("is not the id of a node")),
        ("InstanceIds: [ i-1234567X ]", bad("is not the id of a node")),
        ("InstanceIds: [ i-12345678, i-12345678, i-12345678 ]", bad("stands here already")),
        ("InstanceIds: []", bad("runs on no node")),
        ("Targets: []", Some((ERROR, Code::MissingProperty, "Targets has no target"))),
        ("Targets: [ { Key: 'tag:Role', Values: a } ]", None),
        ("Targets: [ { Key: tag-key, Values: a } ]", None),
        ("Targets: [ { Key: 'resource-groups:Name', Values: a } ]", None),
        ("Targets: [ { Key: 'resource-groups:ResourceTypeFilters', Values: a } ]", None),
        ("Targets: [ { Key: ResourceGroup, Values: a } ]", None),
        ("Targets: [ { Key: 'tag:{{ Wait }}', Values: a } ]", None),
        ("Targets: [ { Key: InstanceId, Values: a } ]", bad("did you mean \"InstanceIds\"?")),
        ("Targets: [ { Key: Role, Values: a } ]", bad("tag:<name>")),
        ("Targets: [ { Key: 'tag:', Values: a } ]", bad("is not a Key")),
    ];
    for (input, expected) in table {
        assert_said(&with("aws:runCommand", &format!("inputs: {{ DocumentName: abc, {input} }}")), expected);
    }
}

#[test]
fn outputs_have_a_name_of_their_own_and_a_value() {
    let api = "aws:executeAwsApi";
    let inputs = "inputs: { Service: a, Api: b }";
    let command = "inputs: { DocumentName: abc, InstanceIds: i-12345678 }";
    let none = Some((WARNING, Code::UnknownProperty, "never have a value"));
    let here = Some((WARNING, Code::UnknownProperty, "have no value | refer to what it has"));
    let table = [
        (api, inputs, "{ Name: A, Selector: $.A }, { Name: B, Selector: $.A }", None),
        (
            api,
            inputs,
            "{ Name: A, Selector: $.A }, { Name: A, Selector: $.B }",
            Some((ERROR, Code::DuplicateOutput, "the output \"A\" is declared at ")),
        ),
        (api, inputs, "A, A", Some((ERROR, Code::DuplicateOutput, "declared at"))),
        (api, inputs, "A", None),
        (
            api,
            inputs,
            "{ Name: A, Type: String }",
            Some((WARNING, Code::MissingProperty, "has no value without a Selector")),
        ),
        ("aws:runCommand", command, "{ Name: A, Selector: $.A }", here),
        ("aws:runCommand", command, "{ Name: A }", here),
        ("aws:runCommand", command, "Output", None),
        ("aws:pause", "inputs: {}", "{ Name: A, Selector: $.A }", none),
    ];
    for (action, inputs, outputs, expected) in table {
        assert_said(&with(action, &format!("{inputs}\noutputs: [ {outputs} ]")), expected);
    }
}

#[test]
fn properties_at_the_top_are_known() {
    let unknown = |words| Some((WARNING, Code::UnknownProperty, words));
    let table = [
        ("description: a", None),
        ("files: {}", None),
        ("emergencyChange: false", None),
        ("autoApprovable: true", None),
        ("executableRunBooks: []", None),
        ("templateInformation: a", None),
        ("Parameters: {}", unknown("did you mean \"parameters\"?")),
        ("output: []", unknown("did you mean \"outputs\"?")),
        ("x-anchors: {}", unknown("a runbook has no property \"x-anchors\"")),
    ];
    for (property, expected) in table {
        assert_said(&format!("{}{property}\n", steps(&[ASK])), expected);
    }
}

#[test]
fn messages_name_what_to_write() {
    let invalid = |words| Some((ERROR, Code::InvalidValue, words));
    let wrong = |words| Some((ERROR, Code::WrongType, words));
    let update = |name: &str| with("aws:updateVariable", &format!("inputs: {{ Name: {name}, Value: a }}"));
    let integer = steps(&["name: a\naction: aws:updateVariable\ninputs: { Name: 'variable:v', Value: a }"])
        .replace("mainSteps:", "variables: { v: { type: Integer } }\nmainSteps:");
    let table = [
        (update("'variable:seen'"), None),
        (update("seen"), invalid("write variable:seen")),
        (update("'variable:sene'"), invalid("write variable:seen")),
        (update("other"), invalid("write variable:<name>")),
        (integer, wrong("Value is not an Integer")),
        (with("aws:pause", "onFailure: abort"), invalid("did you mean \"Abort\"?")),
        (with("aws:pause", "onFailure: ask"), invalid("write step:ask")),
        (with("aws:pause", "onCancel: abort"), invalid("did you mean \"Abort\"?")),
        (with("aws:pause", "maxAttempts: 0"), invalid("maxAttempts must be a whole number, 1 or more")),
        (
            with("aws:pause", "timeoutSeconds: soon"),
            wrong("timeoutSeconds must be a whole number, 1 or more"),
        ),
        (
            steps(&[ASK])
                .replace("default: 3 }", "default: 3 }, A: { type: String, default: b, allowedPattern: c }"),
            Some((WARNING, Code::Pattern, "give a default that matches, or none")),
        ),
        (
            steps(&[ASK]).replace("default: 3 }", "default: 3 }, A: { type: String, allowedPattern: '(' }"),
            Some((ERROR, Code::Pattern, "Java and Rust")),
        ),
    ];
    for (text, expected) in table {
        assert_said(&text, expected);
    }
}

/// A key may begin like a comment: some write theirs so.
#[test]
fn a_key_of_json_is_no_comment() {
    let text =
        r#"{ "//": "why", "schemaVersion": "0.3", "mainSteps": [ { "name": "a", "action": "aws:pause" } ] }"#;
    assert_said(text, Some((WARNING, Code::UnknownProperty, "a runbook has no property \"//\"")));
}

#[test]
fn what_is_neither_yaml_nor_json_is_said_once() {
    let comment = "JSON has no comments";
    let document = "\"schemaVersion\": \"0.3\",\n\"mainSteps\": []";
    let table = [
        (format!("{{\n// why\n{document}\n}}"), (2, 1), comment),
        (format!("{{{document} // why\n}}"), (2, 17), comment),
        (format!("{{\"é\": 5 // why\n, {document}\n}}"), (1, 9), comment),
        (format!("{{{document}}}\n/* why */"), (3, 1), comment),
        (format!("{{\n/* why */ {document}\n}}"), (2, 1), comment),
        (format!("{{\"a\": 1, // why\n{document}\n}}"), (1, 10), comment),
        ("\n// why\n{\"schemaVersion\":\"0.3\"}".to_owned(), (2, 1), comment),
        (
            format!("{}x: &x {{ a: b }}\ny: {{ <<: *x, c: d }}\n", steps(&[ASK])),
            (8, 6),
            "merge keys are not supported | write the properties out",
        ),
    ];
    for (text, (line, column), words) in table {
        assert_said(&text, Some((ERROR, Code::Syntax, words)));
        let position = found(&text)[0].position;
        assert_eq!((position.line, position.column), (line, column), "{text}");
    }
}
