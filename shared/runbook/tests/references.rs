//! What `{{ … }}` stands for, and what becomes of it.

mod common;

use common::accepted;
use fleetwright_runbook::{Action, Piece, Reference, Runbook, Step, Template, TemplateContent};
use serde_json::{Value, json};

fn runbook(value: &Value) -> Runbook {
    let document = json!({
        "schemaVersion": "0.3",
        "assumeRole": "{{ Role }}",
        "parameters": { "Role": { "type": "String" }, "Ids": { "type": "StringList" } },
        "variables": { "count": { "type": "Integer", "default": 0 } },
        "mainSteps": [
            { "name": "scan", "action": "aws:executeScript",
                "inputs": { "Runtime": "PowerShell 7.0", "Script": "x" },
                "outputs": ["Output", "Code", "Flag", "Empty", "Missing", "Status"] },
            { "name": "again", "action": "aws:loop", "inputs": { "Iterators": ["a"], "Steps": [
                { "name": "inner", "action": "aws:executeScript",
                    "inputs": { "Runtime": "PowerShell 7.0", "Script": "x" }, "outputs": ["Done"] },
            ] } },
            { "name": "use", "action": "aws:invokeWebhook",
                "inputs": { "IntegrationName": "x", "Body": value } },
        ],
        "outputs": ["scan.Status", "{{ inner.Done }}", "again.*"],
    });
    accepted(&document.to_string())
}

fn body(runbook: &Runbook) -> Template {
    let Some(Step { action: Action::Other(other), .. }) = runbook.step("use") else { panic!("no such step") };
    let TemplateContent::Map(inputs) = &other.inputs.content else { panic!("inputs are a mapping") };
    inputs["Body"].clone()
}

/// In a script anything goes: what is not declared is somebody else's braces.
fn found(text: &str) -> Vec<String> {
    body(&runbook(&json!(format!("line\n{text}")))).references().map(Reference::to_string).collect()
}

#[test]
fn only_what_the_document_declares_is_a_reference() {
    let table: &[(&str, &[&str])] = &[
        ("{{ Ids }}", &["Ids"]),
        ("{{Ids}}", &["Ids"]),
        ("{{\n  Ids\t}}", &["Ids"]),
        ("{{ scan.Output }}", &["scan.Output"]),
        ("{{ scan.Output.deep.field }}", &["scan.Output.deep.field"]),
        ("{{ again.CurrentIteratorValue }}", &["again.CurrentIteratorValue"]),
        ("{{ inner.Done }}", &["inner.Done"]),
        ("{{ variable:count }}", &["variable:count"]),
        ("{{ global:ACCOUNT_ID }}", &["global:ACCOUNT_ID"]),
        ("{{global:DATE}}{{global:DATE_TIME}}", &["global:DATE", "global:DATE_TIME"]),
        ("{{global:REGION}} {{global:AWS_PARTITION}}", &["global:REGION", "global:AWS_PARTITION"]),
        ("{{ automation:EXECUTION_ID }}", &["automation:EXECUTION_ID"]),
        ("{{RESOURCE_ID}}", &["RESOURCE_ID"]),
        ("{\"a\":{{Ids}}}", &["Ids"]),
        ("{{{ Ids }}}", &["Ids"]),
        ("{{ {{ Ids }}", &["Ids"]),
        ("{{ Ids }", &[]),
        ("{{ ids }}", &[]),
        ("{{ count }}", &[]),
        ("{{ scan }}", &[]),
        ("{{ scan. }}", &[]),
        ("{{ scan..Output }}", &[]),
        ("{{ Ids.Count }}", &[]),
        ("{{ gone.Output }}", &[]),
        ("{{ variable:other }}", &[]),
        ("{{ global:NOTHING }}", &[]),
        ("{{ automation:NOTHING }}", &[]),
        ("{{ ssm:/some/name }}", &[]),
        ("{{ user.name | escape }} {{#each x}}", &[]),
        ("{{", &[]),
        ("é{{é}}é", &[]),
    ];
    for (text, expected) in table {
        assert_eq!(&found(text), expected, "{text}");
    }
}

#[test]
fn text_around_references_is_kept_to_the_letter() {
    let template = body(&runbook(&json!("a {{ no }} {{{ Ids }}} z")));
    let TemplateContent::Text(pieces) = template.content else { panic!("a text") };
    let literal = |text: &str| Piece::Literal(text.to_owned());
    let ids = Piece::Reference("Ids".parse().expect("a reference"));
    assert_eq!(pieces, [literal("a {{ no }} {"), ids, literal("} z")]);
}

#[test]
fn a_whole_value_keeps_its_type_and_within_text_it_becomes_text() {
    let table = [
        (json!("{{ Ids }}"), json!(["i-1", "i-2"])),
        (json!("ids: {{ Ids }}"), json!(r#"ids: ["i-1","i-2"]"#)),
        (json!(" {{ Ids }}"), json!(r#" ["i-1","i-2"]"#)),
        (json!(["{{ Ids }}", "i-3"]), json!([["i-1", "i-2"], "i-3"])),
        (json!({ "{{ Ids }}": "{{ Role }}" }), json!({ "{{ Ids }}": "arn" })),
        (json!("{{ variable:count }}"), json!(7)),
        (json!("{{ variable:count }}/{{ Role }}"), json!("7/arn")),
        (json!("{{ scan.Empty }}|"), json!("null|")),
        (json!("{{ scan.Flag }}"), json!(true)),
        (json!([null, true, 1.5, ""]), json!([null, true, 1.5, ""])),
    ];
    let lookup = |reference: &Reference| match reference.to_string().as_str() {
        "Ids" => Ok(json!(["i-1", "i-2"])),
        "Role" => Ok(json!("arn")),
        "variable:count" => Ok(json!(7)),
        "scan.Flag" => Ok(json!(true)),
        "scan.Empty" => Ok(Value::Null),
        other => Err(other.to_owned()),
    };
    for (value, expected) in table {
        assert_eq!(body(&runbook(&value)).resolve(&lookup), Ok(expected), "{value}");
    }
    let missing = body(&runbook(&json!({ "a": ["{{ scan.Missing }}"] })));
    assert_eq!(missing.resolve(&lookup), Err("scan.Missing".to_owned()));
}

#[test]
fn outputs_read_are_those_anything_in_the_document_reads() {
    let value = json!({ "a": ["x {{ scan.Output.field }}"], "b": "{{ scan.Code[0] }}" });
    let runbook = runbook(&value);
    let read = |step: &str| {
        let name = step.parse().expect("a step name");
        runbook.outputs_read(&name).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(read("scan"), ["Code", "Output", "Status"]);
    assert_eq!(read("inner"), ["Done"]);
    assert_eq!(read("again"), ["*"]);
    assert!(read("use").is_empty());
}

#[test]
fn references_are_written_and_read_as_the_same_text() {
    for text in ["Ids", "a.b.c", "variable:x", "global:DATE", "automation:EXECUTION_ID", "RESOURCE_ID"] {
        let reference: Reference = text.parse().expect("a reference");
        let json = serde_json::to_string(&reference).expect("a text");
        assert_eq!(json, format!("{text:?}"));
        assert_eq!(serde_json::from_str::<Reference>(&json).expect("a reference"), reference);
    }
    for text in ["", "a b", "global:X", ".a", "a.", "variable:"] {
        assert!(text.parse::<Reference>().is_err(), "{text:?}");
    }
}
