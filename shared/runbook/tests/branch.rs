//! `aws:branch`: conditions in every form (SSM User Guide, automation-action-branch).

mod common;

use common::{PAUSE, accepted, refused, steps};
use fleetwright_runbook::{Action, Branch, Code, Condition, Operator, Portability, Severity, validate};

fn text(choice: &str, rest: &str) -> String {
    let choice = choice.replace('\n', "\n    ");
    let step = format!("name: choose\naction: aws:branch\ninputs:\n  Choices:\n  - {choice}\n{rest}");
    steps(&[&step, PAUSE])
}

fn branch(choice: &str, rest: &str) -> Branch {
    let runbook = accepted(&text(choice, rest));
    let Action::Branch(branch) = runbook.first().action.clone() else { panic!("a branch") };
    branch
}

/// The shape of a condition, short enough to compare.
fn shape(condition: &Condition) -> String {
    let all = |conditions: &[Condition]| conditions.iter().map(shape).collect::<Vec<_>>().join(" ");
    match condition {
        Condition::Comparison(comparison) => comparison.operator.to_string(),
        Condition::And(conditions) => format!("and({})", all(conditions)),
        Condition::Or(conditions) => format!("or({})", all(conditions)),
        Condition::Not(condition) => format!("not({})", shape(condition)),
    }
}

#[test]
fn every_operator_is_known() {
    for operator in Operator::ALL {
        let right = if operator == Operator::BooleanEquals { "true" } else { "1" };
        let choice = format!("NextStep: pause\nVariable: \"{{{{ Wait }}}}\"\n{operator}: {right}");
        let branch = branch(&choice, "");
        assert_eq!(shape(&branch.choices[0].condition), operator.as_str());
        assert!(branch.default.is_none());
    }
}

#[test]
fn conditions_combine() {
    let one = "{ Variable: a, StringEquals: b }";
    let table = [
        (format!("And: [ {one}, {one} ]"), "and(StringEquals StringEquals)"),
        (
            format!("Or: [ {one}, {{ Not: {one} }}, {one} ]"),
            "or(StringEquals not(StringEquals) StringEquals)",
        ),
        (
            format!("Not: {{ And: [ {one}, {{ Or: [ {one}, {one} ] }} ] }}"),
            "not(and(StringEquals or(StringEquals StringEquals)))",
        ),
    ];
    for (condition, expected) in table {
        let branch = branch(&format!("NextStep: pause\n{condition}"), "  Default: pause");
        assert_eq!(shape(&branch.choices[0].condition), expected);
        assert_eq!(branch.default.map(|step| step.to_string()).as_deref(), Some("pause"));
    }
}

/// The User Guide asks for two conditions, one head and lists; its own examples and other people's do not
/// keep to it, and what they mean is plain.
#[test]
fn what_can_only_mean_one_thing_is_taken_with_a_warning() {
    let one = "{ Variable: a, StringEquals: b }";
    let table = [
        (format!("NextStep: pause\nOr: [ {one} ]"), "StringEquals", 9),
        (format!("NextStep: pause\nAnd: {one}"), "StringEquals", 9),
        (
            format!("NextStep: pause\nNot: {one}\nAnd: [ {one}, {one} ]"),
            "and(not(StringEquals) and(StringEquals StringEquals))",
            10,
        ),
    ];
    for (choice, expected, line) in table {
        let validation = validate(&text(&choice, ""), Portability::Here);
        let found: Vec<_> = validation
            .diagnostics
            .iter()
            .map(|diagnostic| (diagnostic.severity, diagnostic.code, diagnostic.position.line))
            .collect();
        assert_eq!(found, [(Severity::Warning, Code::Condition, line)], "{choice}");
        assert_eq!(shape(&branch(&choice, "").choices[0].condition), expected, "{choice}");
    }
}

#[test]
fn both_sides_may_be_references() {
    let choose = "name: choose\naction: aws:branch\ninputs:\n  Choices:\n  - NextStep: pause\n    Variable: \"{{ ask.Response }}\"\n    StringEquals: \"x {{ ask.ResponseCode }}\"";
    let ask = "name: ask\naction: aws:invokeWebhook\ninputs: { IntegrationName: x }";
    let runbook = accepted(&steps(&[ask, choose, PAUSE]));
    let read = runbook.outputs_read(&"ask".parse().expect("a name"));
    assert_eq!(read.into_iter().collect::<Vec<_>>(), ["Response", "ResponseCode"]);
}

#[test]
fn malformed_conditions_are_refused_where_they_stand() {
    let one = "{ Variable: a, StringEquals: b }";
    let table = [
        ("NextStep: pause".to_owned(), Code::Condition, 8),
        ("NextStep: pause\nVariable: a".to_owned(), Code::Condition, 8),
        ("NextStep: pause\nVariable: a\nStringLike: b".to_owned(), Code::UnsupportedOperator, 10),
        ("NextStep: pause\nVariable: a\nStringEquals: b\nContains: c".to_owned(), Code::Condition, 11),
        ("NextStep: pause\nStringEquals: b".to_owned(), Code::MissingProperty, 8),
        ("Variable: a\nStringEquals: b".to_owned(), Code::MissingProperty, 8),
        ("NextStep: gone\nVariable: a\nStringEquals: b".to_owned(), Code::UnknownStep, 8),
        ("NextStep: pause\nAnd: []".to_owned(), Code::Condition, 9),
        ("NextStep: pause\nOr: text".to_owned(), Code::WrongType, 9),
        (format!("NextStep: pause\nOr: [ {one}, text ]"), Code::WrongType, 9),
        ("NextStep: pause\nVariable: a\nNumericGreater: many".to_owned(), Code::WrongType, 10),
        ("NextStep: pause\nVariable: a\nNumericEquals: true".to_owned(), Code::WrongType, 10),
        ("NextStep: pause\nVariable: a\nBooleanEquals: 1".to_owned(), Code::WrongType, 10),
        ("NextStep: pause\nVariable: a\nStringEquals: [ b ]".to_owned(), Code::WrongType, 10),
        ("NextStep: pause\nNot: []".to_owned(), Code::WrongType, 9),
    ];
    for (choice, code, line) in table {
        let diagnostics = refused(&text(&choice, ""));
        assert_eq!(diagnostics.len(), 1, "{choice}: {diagnostics:?}");
        assert_eq!((diagnostics[0].code, diagnostics[0].position.line), (code, line), "{choice}");
    }
    let none = steps(&["name: choose\naction: aws:branch\ninputs: { Choices: [] }"]);
    assert_eq!(refused(&none)[0].code, Code::MissingProperty);
    let absent = steps(&["name: choose\naction: aws:branch\ninputs: { Default: pause }", PAUSE]);
    assert_eq!(refused(&absent)[0].code, Code::MissingProperty);
}
