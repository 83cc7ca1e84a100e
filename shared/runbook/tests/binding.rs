//! Parameters at the start of an execution.

mod common;

use std::collections::BTreeMap;

use common::{PAUSE, accepted, places, refused, steps};
use fleetwright_runbook::{Code, ParameterProblem, Runbook, ValueType, bind, bind_typed};
use serde_json::{Value, json};

fn document(parameter: &str) -> String {
    let text = steps(&[PAUSE]);
    text.replace(
        "parameters: { Wait: { type: Integer, default: 3 } }",
        &format!("parameters: {{ P: {{ {parameter} }} }}"),
    )
}

fn runbook(parameter: &str) -> Runbook {
    accepted(&document(parameter))
}

fn given(runbook: &Runbook, texts: &[&str]) -> Result<Value, ParameterProblem> {
    let texts = texts.iter().map(|text| (*text).to_owned()).collect();
    outcome(bind(runbook, &BTreeMap::from([("P".to_owned(), texts)])))
}

fn outcome(
    result: Result<BTreeMap<String, Value>, Vec<fleetwright_runbook::ParameterError>>,
) -> Result<Value, ParameterProblem> {
    result.map(|mut bound| bound.remove("P").expect("bound")).map_err(|errors| {
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].parameter, "P");
        errors[0].problem.clone()
    })
}

#[test]
fn texts_of_the_api_become_typed_values() {
    let wrong = |expected| Err(ParameterProblem::Type { expected });
    let not_one = |expected, given| Err(ParameterProblem::NotOne { expected, given });
    let table: Vec<(&str, &[&str], Result<Value, ParameterProblem>)> = vec![
        ("String", &["text"], Ok(json!("text"))),
        ("String", &["[1]"], Ok(json!("[1]"))),
        ("String", &[""], Ok(json!(""))),
        ("String", &[], not_one(ValueType::String, 0)),
        ("String", &["a", "b"], not_one(ValueType::String, 2)),
        ("AWS::EC2::Instance::Id", &["i-1"], Ok(json!("i-1"))),
        ("List<AWS::EC2::Instance::Id>", &["i-1", "i-2"], Ok(json!(["i-1", "i-2"]))),
        ("StringList", &["a", "b"], Ok(json!(["a", "b"]))),
        ("StringList", &["a"], Ok(json!(["a"]))),
        ("StringList", &[], Ok(json!([]))),
        ("StringList", &["[\"a\",\"b\"]"], Ok(json!(["a", "b"]))),
        ("StringList", &["[not json"], Ok(json!(["[not json"]))),
        ("Integer", &["3"], Ok(json!(3))),
        ("Integer", &["3.5"], wrong(ValueType::Integer)),
        ("Integer", &["three"], wrong(ValueType::Integer)),
        ("Integer", &["1", "2"], not_one(ValueType::Integer, 2)),
        ("Boolean", &["true"], Ok(json!(true))),
        ("Boolean", &["False"], Ok(json!(false))),
        ("Boolean", &["yes"], wrong(ValueType::Boolean)),
        ("StringMap", &["{\"a\":{\"b\":1}}"], Ok(json!({ "a": { "b": 1 } }))),
        ("StringMap", &["[]"], wrong(ValueType::StringMap)),
        ("MapList", &["{\"a\":1}", "{\"b\":2}"], Ok(json!([{ "a": 1 }, { "b": 2 }]))),
        ("MapList", &["[{\"a\":1}]"], Ok(json!([{ "a": 1 }]))),
        ("MapList", &["text"], wrong(ValueType::MapList)),
    ];
    for (kind, texts, expected) in table {
        assert_eq!(given(&runbook(&format!("type: '{kind}'")), texts), expected, "{kind} {texts:?}");
    }
}

#[test]
fn typed_values_are_not_converted() {
    let table = [
        ("Integer", json!(3), true),
        ("Integer", json!("3"), false),
        ("Integer", json!(3.5), false),
        ("Boolean", json!(true), true),
        ("Boolean", json!("true"), false),
        ("String", json!("x"), true),
        ("String", json!(3), false),
        ("StringList", json!(["x"]), true),
        ("StringList", json!(["x", 3]), false),
        ("StringList", json!("x"), false),
        ("StringMap", json!({}), true),
        ("StringMap", json!("{}"), false),
        ("MapList", json!([{}]), true),
        ("MapList", json!([1]), false),
    ];
    for (kind, value, fits) in table {
        let runbook = runbook(&format!("type: {kind}"));
        let result = outcome(bind_typed(&runbook, &BTreeMap::from([("P".to_owned(), value.clone())])));
        let expected = if fits {
            Ok(value)
        } else {
            Err(ParameterProblem::Type { expected: runbook.parameters[0].value_type })
        };
        assert_eq!(result, expected, "{kind}");
    }
}

#[test]
fn constraints_hold() {
    let pattern = |pattern: &str| Err(ParameterProblem::Pattern { pattern: pattern.to_owned() });
    let table: Vec<(&str, &[&str], Result<(), ParameterProblem>)> = vec![
        ("type: String, allowedValues: [Scan, 7]", &["Scan"], Ok(())),
        ("type: String, allowedValues: [Scan, 7]", &["7"], Ok(())),
        ("type: String, allowedValues: [Scan, 7]", &["scan"], Err(ParameterProblem::NotAllowed)),
        ("type: Integer, allowedValues: ['1', 2]", &["1"], Ok(())),
        ("type: Boolean, allowedValues: [true]", &["false"], Err(ParameterProblem::NotAllowed)),
        ("type: StringList, allowedValues: [a, b]", &["b", "a"], Ok(())),
        ("type: StringList, allowedValues: [a, b]", &["a", "c"], Err(ParameterProblem::NotAllowed)),
        ("type: String, allowedPattern: 'i-[0-9]+'", &["i-1"], Ok(())),
        ("type: String, allowedPattern: 'i-[0-9]+'", &["x i-1"], pattern("i-[0-9]+")),
        ("type: String, allowedPattern: 'a|bc'", &["ac"], pattern("a|bc")),
        ("type: String, allowedPattern: '^$|x'", &[""], Ok(())),
        ("type: String, allowedPattern: '(?!.*--)[a-z-]+'", &["a-b"], Ok(())),
        ("type: String, allowedPattern: '(?!.*--)[a-z-]+'", &["a--b"], pattern("(?!.*--)[a-z-]+")),
        ("type: String, allowedPattern: '[\\w\\/+=.@-]{1,512}'", &["a/b"], Ok(())),
        ("type: String, allowedPattern: '\\d'", &["\u{0663}"], pattern("\\d")),
        ("type: String, allowedPattern: '[^\\W\\d]\\\\w'", &["a\\w"], Ok(())),
        ("type: String, allowedPattern: 'a\\b.*'", &["a-b"], Ok(())),
        ("type: String, allowedPattern: '(?=a)a\\b.*'", &["ab"], pattern("(?=a)a\\b.*")),
        ("type: String, allowedPattern: '\\p{Lu}\\p{IsGreek}'", &["Aα"], Ok(())),
        ("type: StringList, allowedPattern: '[a-z]'", &["a", "1"], pattern("[a-z]")),
        (
            "type: String, allowedPattern: '\\p{javaLowerCase}'",
            &["a"],
            Err(ParameterProblem::PatternUnusable { pattern: "\\p{javaLowerCase}".to_owned() }),
        ),
        ("type: String, minChars: 2, maxChars: '3'", &["éé"], Ok(())),
        ("type: String, minChars: 2", &["é"], Err(ParameterProblem::TooFewChars { min: 2 })),
        ("type: String, maxChars: 3", &["abcd"], Err(ParameterProblem::TooManyChars { max: 3 })),
        ("type: StringList, minItems: 1", &[], Err(ParameterProblem::TooFewItems { min: 1 })),
        ("type: StringList, maxItems: 1", &["a", "b"], Err(ParameterProblem::TooManyItems { max: 1 })),
        (
            "type: StringMap, maxItems: 1",
            &["{\"a\":1,\"b\":2}"],
            Err(ParameterProblem::TooManyItems { max: 1 }),
        ),
    ];
    for (parameter, texts, expected) in table {
        assert_eq!(given(&runbook(parameter), texts).map(drop), expected, "{parameter} {texts:?}");
    }
}

#[test]
fn a_pattern_that_backtracks_for_ever_is_given_up() {
    let runbook = runbook("type: String, allowedPattern: '(?=x)(x+x+)+\\1y'");
    let result = given(&runbook, &["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"]);
    assert!(matches!(result, Err(ParameterProblem::PatternUnusable { .. })), "{result:?}");
}

#[test]
fn what_is_not_given_takes_its_default() {
    let table = [
        ("type: String, default: ''", Ok(json!(""))),
        ("type: String, default: 5", Ok(json!("5"))),
        ("type: String, default: true", Ok(json!("true"))),
        ("type: String, default: '{{ other }}'", Ok(json!("{{ other }}"))),
        ("type: String, default: x, allowedPattern: '[a]'", Ok(json!("x"))),
        ("type: Integer, default: '5'", Ok(json!(5))),
        ("type: Boolean, default: 'False'", Ok(json!(false))),
        ("type: StringList, default: [80, a]", Ok(json!(["80", "a"]))),
        ("type: StringMap, default: '{}'", Ok(json!({}))),
        ("type: MapList, default: [ { Key: a, Values: [b] } ]", Ok(json!([{ "Key": "a", "Values": ["b"] }]))),
        ("type: String", Err(ParameterProblem::Missing)),
        ("type: String, default:", Err(ParameterProblem::Missing)),
        (
            "type: String, default: '{{ ssm:/a/b }}'",
            Err(ParameterProblem::StoreDefault { name: "/a/b".to_owned() }),
        ),
    ];
    for (parameter, expected) in table {
        assert_eq!(outcome(bind(&runbook(parameter), &BTreeMap::new())), expected, "{parameter}");
    }
    let store = runbook("type: String, default: '{{ssm:/a/b}}'");
    assert_eq!(given(&store, &["x"]), Ok(json!("x")));
}

#[test]
fn everything_wrong_is_said_and_no_value_is_repeated() {
    let text = steps(&[PAUSE]).replace(
        "parameters: { Wait: { type: Integer, default: 3 } }",
        "parameters: { A: { type: Integer }, B: { type: String, maxChars: 2 }, C: { type: String, allowedPattern: 'x' }, D: { type: String } }",
    );
    let secret = "hunter2";
    let given = ["A", "B", "C", "E"].map(|name| (name.to_owned(), vec![secret.to_owned()]));
    let errors = bind(&accepted(&text), &BTreeMap::from(given)).expect_err("four mistakes");
    let named: Vec<&str> = errors.iter().map(|error| error.parameter.as_str()).collect();
    assert_eq!(named, ["E", "A", "B", "C", "D"]);
    for error in errors {
        assert!(!format!("{error} {error:?}").contains(secret));
        assert!(error.to_string().starts_with(&format!("parameter {}: ", error.parameter)));
    }
}

#[test]
fn declarations_are_checked_when_the_document_is_read() {
    let table = [
        ("description: no type", Code::ParameterType),
        ("type: Text", Code::ParameterType),
        ("type: 'List<String>'", Code::ParameterType),
        ("type: 'AWS::X'", Code::ParameterType),
        ("type: Integer, default: many", Code::WrongType),
        ("type: StringMap, default: [a]", Code::WrongType),
        ("type: Integer, allowedValues: [a]", Code::WrongType),
        ("type: String, allowedValues: a", Code::WrongType),
        ("type: String, minChars: few", Code::WrongType),
        ("type: String, minChars: 3, maxChars: 2", Code::InvalidValue),
        ("type: StringList, minItems: 3, maxItems: 2", Code::InvalidValue),
        ("type: String, allowedPattern: '(a'", Code::Pattern),
        ("type: String, allowedPattern: '[a'", Code::Pattern),
        ("type: String, allowedPattern: 'a)'", Code::Pattern),
        ("type: String, allowedPattern: '*a'", Code::Pattern),
        ("type: String, displayType: box", Code::InvalidValue),
        ("type: String, default: x, allowedValues: [a]", Code::InvalidValue),
        ("type: String, default: '', allowedValues: [a]", Code::InvalidValue),
        ("type: String, default: x, minChars: 2", Code::InvalidValue),
        ("type: String, default: xyz, maxChars: 2", Code::InvalidValue),
        ("type: StringList, default: [a], minItems: 2", Code::InvalidValue),
        ("type: StringList, default: [a, b], maxItems: 1", Code::InvalidValue),
        ("type: Integer, default: '{{ssm:/count}}'", Code::StoreReference),
    ];
    for (parameter, code) in table {
        let diagnostics = refused(&document(parameter));
        assert_eq!(diagnostics.len(), 1, "{parameter}");
        assert_eq!((diagnostics[0].code, diagnostics[0].position.line), (code, 2), "{parameter}");
    }
    let name = document("type: String").replace("P:", "'P Q':");
    assert_eq!(places(&refused(&name)), [(Code::InvalidValue, 2, 15)]);
}
