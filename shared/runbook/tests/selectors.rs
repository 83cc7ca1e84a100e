//! Selectors: what outputs take from a response (SSM User Guide, automation-action-outputs-inputs).

mod common;

use common::{accepted, places, refused, steps};
use fleetwright_runbook::{Code, OutputProblem, UserOutput, ValueType};
use serde_json::{Value, json};

fn document(selector: &str, kind: &str) -> String {
    let selector = json!(selector);
    steps(&[&format!(
        "name: a\naction: aws:executeAwsApi\ninputs: {{ Service: ec2, Api: DescribeInstances }}\noutputs:\n- Name: Out\n  Selector: {selector}\n  Type: {kind}"
    )])
}

fn output(selector: &str, kind: &str) -> UserOutput {
    accepted(&document(selector, kind)).first().outputs[0].clone()
}

fn response() -> Value {
    json!({
        "Reservations": [
            { "Instances": [ { "InstanceId": "i-1", "State": { "Name": "running" }, "Cpus": 2 } ] },
            { "Instances": [ { "InstanceId": "i-2" }, { "InstanceId": "i-3", "Cpus": 4 } ] },
        ],
        "Tags": [ { "Key": "Name", "Value": "web" }, { "Key": "Role", "Value": "db" } ],
        "Payload": { "my-key": "hyphen", "${name}": [ "template" ], "Flag": true, "Nothing": null, "Ids": [ "a", "b" ] },
        "Groups": [ [ "a" ], [ "b" ] ],
    })
}

#[test]
fn every_form_of_path_is_read() {
    let table = [
        ("$", "StringMap", Ok(Some(response()))),
        ("$.Reservations[0].Instances[0].InstanceId", "String", Ok(Some(json!("i-1")))),
        ("$.Reservations[1].Instances[-1].InstanceId", "String", Ok(Some(json!("i-3")))),
        ("Reservations[0].Instances[0].InstanceId", "String", Ok(Some(json!("i-1")))),
        ("$['Reservations'][0][\"Instances\"][0].InstanceId", "String", Ok(Some(json!("i-1")))),
        ("$..InstanceId", "StringList", Ok(Some(json!(["i-1", "i-2", "i-3"])))),
        ("$.Reservations..Instances..InstanceId", "StringList", Ok(Some(json!(["i-1", "i-2", "i-3"])))),
        ("$.Reservations[*].Instances[0].InstanceId", "StringList", Ok(Some(json!(["i-1", "i-2"])))),
        ("$.Reservations.*.Instances[0]", "MapList", Ok(None)),
        ("$..InstanceId", "String", Ok(Some(json!("i-1")))),
        ("$..Cpus", "Integer", Ok(Some(json!(2)))),
        ("$.Tags[?(@.Key=='Role')].Value", "String", Ok(Some(json!("db")))),
        (
            "$.Tags",
            "MapList",
            Ok(Some(json!([{ "Key": "Name", "Value": "web" }, { "Key": "Role", "Value": "db" }]))),
        ),
        ("$.Payload.Ids", "StringList", Ok(Some(json!(["a", "b"])))),
        ("$.Payload.my-key", "String", Ok(Some(json!("hyphen")))),
        ("$.Payload.${name}[0]", "String", Ok(Some(json!("template")))),
        ("$.Payload.Flag", "Boolean", Ok(Some(json!(true)))),
        ("$.Payload.Nothing", "String", Ok(None)),
        ("$.Payload.Missing", "String", Ok(None)),
        ("$.Reservations..Instances.length", "Integer", Ok(None)),
        ("$..Missing", "StringList", Ok(None)),
        ("$.Payload.Ids", "String", Err(ValueType::String)),
        ("$..Cpus", "String", Ok(Some(json!("2")))),
        ("$..Cpus", "StringList", Err(ValueType::StringList)),
        ("$.Groups[*]", "StringList", Err(ValueType::StringList)),
        ("$.Tags", "StringMap", Err(ValueType::StringMap)),
    ];
    for (selector, kind, expected) in table {
        let taken = output(selector, kind).take(&response());
        // An instance has a state inside: whole mappings are long to write out.
        if (selector, kind) == ("$.Reservations.*.Instances[0]", "MapList") {
            assert_eq!(taken.ok().flatten().and_then(|value| value.as_array().map(Vec::len)), Some(2));
            continue;
        }
        let type_problem = |expected| OutputProblem::Type {
            output: "Out".to_owned(),
            selector: selector.to_owned(),
            expected,
        };
        assert_eq!(taken, expected.map_err(type_problem), "{selector} as {kind}");
    }
}

/// SSM User Guide, automation-action-outputs-inputs: "The following type conversions are supported".
#[test]
fn values_are_converted_as_the_user_guide_says() {
    let table = [
        ("StringList", json!("a"), Some(json!(["a"]))),
        ("Integer", json!("-12"), Some(json!(-12))),
        ("Boolean", json!("True"), Some(json!(true))),
        ("String", json!(12), Some(json!("12"))),
        ("StringList", json!(12), Some(json!(["12"]))),
        ("String", json!(false), Some(json!("false"))),
        ("StringList", json!(true), Some(json!(["true"]))),
        ("String", json!(["a"]), Some(json!("a"))),
        ("String", json!([12]), Some(json!("12"))),
        ("String", json!([true]), Some(json!("true"))),
        ("Integer", json!(["12"]), Some(json!(12))),
        ("Integer", json!([12]), Some(json!(12))),
        ("Boolean", json!(["false"]), Some(json!(false))),
        ("Boolean", json!([true]), Some(json!(true))),
        // Nothing else is.
        ("Integer", json!("twelve"), None),
        ("Integer", json!(true), None),
        ("Integer", json!(1.5), None),
        ("String", json!(1.5), None),
        ("Boolean", json!("yes"), None),
        ("Boolean", json!(1), None),
        ("String", json!(["a", "b"]), None),
        ("String", json!([]), None),
        ("String", json!([["a"]]), None),
        ("String", json!({ "a": 1 }), None),
        ("StringList", json!([1]), None),
        ("StringMap", json!("{}"), None),
        ("StringMap", json!([{ "a": 1 }]), None),
        ("MapList", json!({ "a": 1 }), None),
    ];
    for (kind, value, expected) in table {
        let taken = output("$.Value", kind).take(&json!({ "Value": value }));
        assert_eq!(taken.ok().flatten(), expected, "{value} as {kind}");
    }
}

#[test]
fn matches_come_in_document_order() {
    let selected = output("$.Reservations..InstanceId", "StringList");
    let selector = selected.selector.expect("a selector");
    assert_eq!(selector.select(&response()), [&json!("i-1"), &json!("i-2"), &json!("i-3")]);
    assert!(!selector.is_definite());
    for (text, is_definite) in [("$", true), ("$.a[0]['b']", true), ("$.a[0,1]", false), ("$.a[0:1]", false)]
    {
        let selector = output(text, "String").selector.expect("a selector");
        assert_eq!(selector.is_definite(), is_definite, "{text}");
    }
}

#[test]
fn a_problem_does_not_repeat_the_value() {
    let problem = output("$.Secret", "Integer").take(&json!({ "Secret": "hunter2" })).expect_err("a text");
    assert!(!format!("{problem} {problem:?}").contains("hunter2"));
}

#[test]
fn what_is_no_path_is_refused_where_it_stands() {
    let long = format!("${}", ".a".repeat(600));
    let nested = format!("$[?{}@.a=={}]", "(".repeat(20), ")".repeat(20));
    let filters = format!("$[?{}1{}]", "@[?".repeat(20), "]".repeat(20));
    let table = [
        "$.",
        "$.a.",
        "$..",
        "$a",
        "$.a[",
        "$.a[]",
        "$.a[b]",
        "$.a b",
        "$.a['b",
        "$..a..b..c..d..e",
        &long,
        &nested,
        &filters,
    ];
    for selector in table {
        let diagnostics = refused(&document(selector, "String"));
        assert_eq!(places(&diagnostics), [(Code::Selector, 9, 15)], "{selector}");
    }
}
