//! `aws:branch`, rule by rule (User Guide, automation-action-branch; facts 3.4).

mod common;

use common::{Shell, parsed, request};

const HEAD: &str = "schemaVersion: '0.3'
parameters: { Text: { type: String, default: blue }, Five: { type: String, default: '5' }, Flag: { type: String, default: 'True' }, Count: { type: Integer, default: 5 }, Yes: { type: Boolean, default: true }, Ids: { type: StringList, default: [a, b] }, Map: { type: StringMap, default: {} } }
mainSteps:
";

/// Where a branch leads by these choices: to a step called so, or to nowhere with why.
fn leads(inputs: &str, settings: &str) -> Result<String, String> {
    let step = |name: &str| {
        format!(
            "  - name: {name}\n    action: aws:sleep\n    inputs: {{ Duration: PT0S }}\n    isEnd: true\n"
        )
    };
    let branch = format!("  - name: decide\n    action: aws:branch\n{settings}    inputs: {{ {inputs} }}\n");
    let text = format!("{HEAD}{branch}{}{}{}", step("next"), step("first"), step("second"));
    let mut shell = Shell::of(parsed(&text), request());
    shell.run(common::well);
    match shell.steps().get(1) {
        Some((name, _)) => Ok(name.clone()),
        None if shell.ended().0 == "Success" => Ok("end".to_owned()),
        None => Err(shell.message("decide")),
    }
}

/// (variable, operator and constant, whether it holds; None where they cannot be compared, the source of the rule)
const OPERATORS: [(&str, &str, Option<bool>, &str); 45] = [
    ("{{ Text }}", "StringEquals: blue", Some(true), "UG"),
    ("{{ Text }}", "StringEquals: Blue", Some(false), "UG: case matters"),
    ("{{ Text }}", "StringEquals: \"{{ Text }}\"", Some(true), "oracle R8: a reference on the right"),
    ("{{ Text }}", "StringEquals: 5", Some(false), "left unquoted, it is text"),
    ("{{ Flag }}", "EqualsIgnoreCase: true", Some(true), "left unquoted, it is text"),
    ("{{ Count }}", "StringEquals: '5'", None, "3.4: types are not converted"),
    ("{{ Yes }}", "StringEquals: 'true'", None, "3.4: types are not converted"),
    ("{{ Text }}", "EqualsIgnoreCase: BLUE", Some(true), "UG"),
    ("{{ Text }}", "EqualsIgnoreCase: blu", Some(false), "UG"),
    ("{{ Flag }}", "EqualsIgnoreCase: 'true'", Some(true), "UG"),
    ("{{ Text }}", "StartsWith: bl", Some(true), "UG"),
    ("{{ Text }}", "StartsWith: lu", Some(false), "UG"),
    ("{{ Text }}", "EndsWith: ue", Some(true), "UG"),
    ("{{ Text }}", "EndsWith: lu", Some(false), "UG"),
    ("{{ Text }}", "Contains: lu", Some(true), "UG"),
    ("{{ Text }}", "Contains: x", Some(false), "UG"),
    ("{{ Ids }}", "Contains: b", Some(true), "ours: an item of a list"),
    ("{{ Ids }}", "Contains: ab", Some(false), "ours: an item of a list"),
    ("{{ Map }}", "Contains: a", None, "3.4: types are not converted"),
    ("{{ Ids }}", "StringEquals: a", None, "3.4: types are not converted"),
    ("{{ Count }}", "NumericEquals: 5", Some(true), "UG"),
    ("{{ Count }}", "NumericEquals: 5.0", Some(true), "UG: numbers"),
    ("{{ Count }}", "NumericEquals: 6", Some(false), "UG"),
    ("{{ Count }}", "NumericGreater: 4", Some(true), "UG"),
    ("{{ Count }}", "NumericGreater: 5", Some(false), "UG"),
    ("{{ Count }}", "NumericLesser: 6", Some(true), "UG"),
    ("{{ Count }}", "NumericLesser: 5", Some(false), "UG"),
    ("{{ Count }}", "NumericGreaterOrEquals: 5", Some(true), "UG"),
    ("{{ Count }}", "NumericGreaterOrEquals: 6", Some(false), "UG"),
    ("{{ Count }}", "NumericLesserOrEquals: 5", Some(true), "UG"),
    ("{{ Count }}", "NumericLesserOrEquals: 4", Some(false), "UG"),
    ("{{ Five }}", "NumericEquals: 5", Some(true), "oracle: Numeric* are loose"),
    ("{{ Count }}", "NumericEquals: '5'", Some(true), "oracle: Numeric* are loose"),
    ("{{ Five }}", "NumericGreater: '10'", Some(false), "as numbers, not as texts"),
    ("9007199254740993", "NumericGreater: 9007199254740992", Some(true), "whole numbers are exact"),
    ("{{ Text }}", "NumericEquals: 5", None, "no number"),
    ("{{ Yes }}", "NumericEquals: 1", None, "3.4: types are not converted"),
    ("{{ Ids }}", "NumericEquals: 2", None, "3.4: types are not converted"),
    ("{{ Yes }}", "BooleanEquals: true", Some(true), "UG"),
    ("{{ Yes }}", "BooleanEquals: false", Some(false), "UG"),
    ("{{ Yes }}", "BooleanEquals: 'true'", Some(true), "oracle: BooleanEquals is loose"),
    ("{{ Flag }}", "BooleanEquals: true", Some(true), "oracle: BooleanEquals is loose; UG writes True"),
    ("{{ Flag }}", "BooleanEquals: false", Some(false), "oracle: BooleanEquals is loose"),
    ("{{ Text }}", "BooleanEquals: true", None, "no Boolean"),
    ("{{ Count }}", "BooleanEquals: true", None, "3.4: types are not converted"),
];

#[test]
fn operators_compare_what_they_are_for() {
    for (variable, operator, holds, source) in OPERATORS {
        let found =
            leads(&format!("Choices: [{{ NextStep: first, Variable: \"{variable}\", {operator} }}]"), "");
        match holds {
            Some(true) => assert_eq!(found.as_deref(), Ok("first"), "{variable} {operator}: {source}"),
            Some(false) => assert_eq!(found.as_deref(), Ok("next"), "{variable} {operator}: {source}"),
            None => {
                let why = found.expect_err(operator);
                assert!(
                    why.contains("cannot compare") && !why.contains("blue"),
                    "{variable} {operator}: {why}"
                );
            }
        }
    }
}

const TRUE: &str = "Variable: \"{{ Text }}\", StringEquals: blue";
const FALSE: &str = "Variable: \"{{ Text }}\", StringEquals: red";
const FAILS: &str = "Variable: \"{{ Text }}\", NumericEquals: 1";

#[test]
fn conditions_combine_and_the_first_choice_that_holds_is_taken() {
    let choice = |next: &str, condition: &str| format!("{{ NextStep: {next}, {condition} }}");
    let many = |word: &str, conditions: &[&str]| {
        let list: Vec<String> = conditions.iter().map(|condition| format!("{{ {condition} }}")).collect();
        format!("{word}: [{}]", list.join(", "))
    };
    let not = |condition: &str| format!("Not: {{ {condition} }}");
    // (choices and default, the branch's settings, where it leads, the source of the rule)
    let table = [
        (format!("Choices: [{}]", choice("first", &many("And", &[TRUE, TRUE]))), "", "first", "UG: And"),
        (format!("Choices: [{}]", choice("first", &many("And", &[TRUE, FALSE]))), "", "next", "UG: And"),
        (format!("Choices: [{}]", choice("first", &many("Or", &[FALSE, TRUE]))), "", "first", "UG: Or"),
        (format!("Choices: [{}]", choice("first", &many("Or", &[FALSE, FALSE]))), "", "next", "UG: Or"),
        (format!("Choices: [{}]", choice("first", &not(FALSE))), "", "first", "UG: Not"),
        (
            format!("Choices: [{}]", choice("first", &not(&many("Or", &[FALSE, TRUE])))),
            "",
            "next",
            "UG: nested",
        ),
        (
            format!("Choices: [{}]", choice("first", &many("And", &[FALSE, FAILS]))),
            "",
            "next",
            "ours: what no longer matters is not asked",
        ),
        (
            format!("Choices: [{}]", choice("first", &many("Or", &[TRUE, FAILS]))),
            "",
            "first",
            "ours: what no longer matters is not asked",
        ),
        (
            format!("Choices: [{}, {}]", choice("first", TRUE), choice("second", TRUE)),
            "",
            "first",
            "UG: the first that holds",
        ),
        (
            format!("Choices: [{}, {}]", choice("first", FALSE), choice("second", TRUE)),
            "",
            "second",
            "UG: the first that holds",
        ),
        (format!("Choices: [{}], Default: second", choice("first", FALSE)), "", "second", "UG: Default"),
        (format!("Choices: [{}]", choice("first", FALSE)), "", "next", "UG: the next step of the document"),
        (
            format!("Choices: [{}]", choice("first", FALSE)),
            "    isEnd: true\n",
            "end",
            "UG example: isEnd stops where nothing matched",
        ),
        (
            format!("Choices: [{}]", choice("first", TRUE)),
            "    isEnd: true\n",
            "first",
            "UG example: isEnd stops only there",
        ),
        (
            format!("Choices: [{}], Default: second", choice("first", FALSE)),
            "    isEnd: true\n",
            "second",
            "UG: Default",
        ),
        (
            format!("Choices: [{}]", choice("first", FALSE)),
            "    nextStep: second\n",
            "second",
            "3.2: nextStep",
        ),
    ];
    for (inputs, settings, expected, source) in table {
        assert_eq!(leads(&inputs, settings).as_deref(), Ok(expected), "{inputs} {settings}: {source}");
    }
}
