//! `aws:updateVariable`, rule by rule (User Guide, automation-action-update-variable; facts 3.4).

mod common;

use common::{Shell, parsed, request};
use fleetwright_engine::{Answer, AnswerStatus, Start};
use serde_json::json;
use std::collections::BTreeMap;

const HEAD: &str = "schemaVersion: '0.3'
parameters:
  Text: { type: String, default: blue }
  Empty: { type: String, default: '' }
  Seven: { type: String, default: '7' }
  Yes: { type: String, default: 'true' }
  Count: { type: Integer, default: 3 }
  Flag: { type: Boolean, default: true }
  Ids: { type: StringList, default: [a, b] }
  Map: { type: StringMap, default: { Key: a } }
variables:
  text: { type: String, default: 'x' }
  texts: { type: StringList, default: [] }
  count: { type: Integer, default: 1 }
  flag: { type: Boolean, default: false }
  maps: { type: MapList, default: [] }
  map: { type: StringMap, default: {} }
  given: { type: String, default: \"{{ Text }}\" }
  unset: { type: String }
";

fn shell(steps: &str) -> Shell {
    Shell::of(parsed(&format!("{HEAD}mainSteps:\n{steps}")), request())
}

fn update(name: &str, value: &str) -> String {
    format!(
        "  - name: set\n    action: aws:updateVariable\n    inputs: {{ Name: 'variable:{name}', Value: {value} }}\n"
    )
}

const NOT_ITS_TYPE: Option<&str> = Some("not of the variable's type");

/// A step that has a number to tell that no parameter could be.
const TELL: &str = "  - name: tell
    action: aws:executeAwsApi
    inputs: { Service: a, Api: b }
    outputs: [{ Name: Share, Selector: '$.Share', Type: Integer }]
";

/// (variable, value, why it is refused, if it is, the source of the rule)
const VALUES: [(&str, &str, Option<&str>, &str); 20] = [
    ("text", "red", None, "UG: the type must match"),
    ("text", "\"{{ Text }}\"", None, "3.3: a reference has its own type"),
    ("text", "\"{{ Text }} and more\"", None, "3.3: text around it makes text"),
    ("text", "\"{{ Count }}\"", NOT_ITS_TYPE, "UG: no conversion"),
    ("text", "\"{{ Flag }}\"", NOT_ITS_TYPE, "UG: no conversion"),
    ("text", "\"{{ Empty }}\"", Some("0 characters"), "UG: a String has at least 1 character"),
    ("texts", "[a, b]", None, "UG: StringList"),
    ("texts", "\"{{ Ids }}\"", None, "3.3: a reference has its own type"),
    ("texts", "[]", None, "UG: a StringList has at least 0 items"),
    ("texts", "[\"{{ Count }}\"]", NOT_ITS_TYPE, "UG: no conversion"),
    ("texts", "\"{{ Text }}\"", NOT_ITS_TYPE, "UG: no conversion"),
    ("count", "7", None, "UG: Integer"),
    ("count", "\"{{ Seven }}\"", NOT_ITS_TYPE, "3.1: Integer rejects \"3\""),
    ("count", "\"{{ tell.Share }}\"", NOT_ITS_TYPE, "UG: Integer"),
    ("flag", "true", None, "UG: Boolean"),
    ("flag", "\"{{ Yes }}\"", NOT_ITS_TYPE, "3.1: Boolean rejects \"true\""),
    ("maps", "[{ Key: a }]", None, "UG: MapList"),
    ("maps", "\"{{ Map }}\"", NOT_ITS_TYPE, "UG: no conversion"),
    ("map", "{ Key: a }", None, "UG: StringMap"),
    (
        "map",
        "\"{{ variable:unset }}\"",
        Some("{{ variable:unset }} has no value"),
        "ours: unset until it is set",
    ),
];

#[test]
fn a_variable_keeps_its_type() {
    for (name, value, refused, source) in VALUES {
        let text = format!("{HEAD}mainSteps:\n{TELL}{}", update(name, value));
        let answered = ["tell".parse().expect("a step name")].into();
        let mut shell = Shell::of(parsed(&text), Start { answered, ..request() });
        let before = shell.execution.variables.clone();
        shell.look().expect("decides");
        let outputs = [("Share".to_owned(), json!(7.5))].into();
        let answer = Answer { outputs, ..shell.reply(AnswerStatus::Success) };
        shell.answer(&answer).expect("is taken");
        shell.run(common::well);
        match refused {
            None => {
                assert_eq!(shell.ended().0, "Success", "{name} {value}: {source}: {}", shell.message("set"));
            }
            Some(why) => {
                assert!(
                    shell.message("set").contains(why),
                    "{name} {value}: {source}: {}",
                    shell.message("set")
                );
                assert_eq!((shell.ended().0, &shell.execution.variables), ("Failed", &before));
            }
        }
    }
}

/// (variable, what repeats, how often, whether it is taken, the source of the rule); the value is a parameter's, for
/// a runbook with a value beyond these bounds in it is refused.
const BOUNDS: [(&str, &str, usize, bool, &str); 8] = [
    ("text", "x", 512, true, "UG: a String has at most 512 characters"),
    ("text", "x", 513, false, "UG: a String has at most 512 characters"),
    ("texts", "a,", 50, true, "UG: a StringList has at most 50 items"),
    ("texts", "a,", 51, false, "UG: a StringList has at most 50 items"),
    ("maps", "{ k: v },", 200, true, "UG: a MapList has at most 200 items"),
    ("maps", "{ k: v },", 201, false, "UG: a MapList has at most 200 items"),
    ("map", "k", 50, true, "UG: a key has at most 50 characters"),
    ("map", "k", 51, false, "UG: a key has at most 50 characters"),
];

#[test]
fn values_have_the_documented_bounds() {
    for (name, what, count, taken, source) in BOUNDS {
        let many = what.repeat(count);
        let (kind, value) = match name {
            "map" => ("StringMap", format!("{{ {many}: v }}")),
            "maps" => ("MapList", format!("[{many}]")),
            "texts" => ("StringList", format!("[{many}]")),
            _ => ("String", many),
        };
        let given = format!("parameters:\n  Given: {{ type: {kind}, default: {value} }}");
        let head = HEAD.replace("parameters:", &given);
        let text = format!("{head}mainSteps:\n{}", update(name, "\"{{ Given }}\""));
        let mut shell = Shell::of(parsed(&text), request());
        shell.run(common::well);
        assert_eq!(shell.ended().0, if taken { "Success" } else { "Failed" }, "{name} {count}: {source}");
    }
}

#[test]
fn a_variable_is_what_was_set_last_and_nothing_before() {
    let step = |name: &str, variable: &str| {
        format!(
            "  - name: {name}\n    action: aws:branch\n    inputs: {{ Choices: [{{ NextStep: end, Variable: \"{{{{ variable:{variable} }}}}\", StringEquals: red }}] }}\n    onFailure: Continue\n"
        )
    };
    let end = "  - name: end\n    action: aws:sleep\n    inputs: { Duration: PT0S }\n";
    let mut unset = shell(&(step("ask", "unset") + end));
    unset.run(common::well);
    assert_eq!(unset.message("ask"), "{{ variable:unset }} has no value");
    let mut set = shell(&(update("unset", "red") + &step("ask", "unset") + &step("skipped", "text") + end));
    set.run(common::well);
    let ran: Vec<String> = set.steps().into_iter().map(|(name, _)| name).collect();
    assert_eq!(ran, ["set", "ask", "end"]);
}

#[test]
fn a_default_may_refer_to_a_parameter() {
    let given = BTreeMap::from([("Text".to_owned(), vec!["green".to_owned()])]);
    let runbook = parsed(&format!("{HEAD}mainSteps:\n{}", update("count", "1")));
    let shell = Shell::of(runbook, Start { parameters: given, ..request() });
    assert_eq!(shell.execution.variables["given"], json!("green"));
}

#[test]
fn a_value_that_leaves_no_room_fails_the_step_and_not_the_execution_item() {
    let long = "x".repeat(400);
    let maps = |count: usize| format!("[{}]", vec![format!("{{ k: '{long}' }}"); count].join(", "));
    for (count, status) in [(50, "Success"), (150, "Failed")] {
        let mut shell = shell(&update("maps", &maps(count)));
        shell.run(common::well);
        assert_eq!(shell.ended().0, status);
        assert_eq!(
            shell.message("set").contains("too large"),
            status == "Failed",
            "{}",
            shell.message("set")
        );
    }
}
