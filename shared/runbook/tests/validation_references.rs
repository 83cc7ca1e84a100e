//! Wrong references, each where it stands.

mod common;

use common::{ASK, diagnostics, errors, places, shown, steps};
use fleetwright_runbook::{Code, Severity};

/// A webhook after `ask` whose body is the value; it stands in line 10 from column 11.
fn body(value: &str) -> String {
    steps(&[
        ASK,
        &format!("name: use\naction: aws:invokeWebhook\ninputs:\n  Body: {value}\n  IntegrationName: x"),
    ])
    .replace("mainSteps:", "variables: { seen: { type: Integer, default: 0 } }\nmainSteps:")
}

#[test]
fn a_reference_names_something_that_exists() {
    let unknown = Some(Code::UnknownReference);
    let table = [
        ("\"{{ Wait }}\"", None, None),
        ("\"{{ ask.Response }}\"", None, None),
        ("\"{{ ask.Response.deep.field }}\"", None, None),
        ("\"{{ask.Response[0]}}\"", None, None),
        (
            "\"{{ variable:seen }} {{ global:DATE }} {{ automation:EXECUTION_ID }} {{RESOURCE_ID}}\"",
            None,
            None,
        ),
        ("\"{{ Wiat }}\"", unknown, Some("did you mean \"Wait\"?")),
        ("\" {{ Gone }} \"", unknown, None),
        ("[ { a: \"{{ Gone }}\" } ]", unknown, None),
        ("\"{{ aks.Response }}\"", unknown, Some("did you mean \"ask\"?")),
        ("\"{{ ask.Reponse }}\"", unknown, Some("did you mean \"Response\"?")),
        ("\"{{ global:REGIN }}\"", unknown, Some("did you mean \"REGION\"?")),
        ("\"{{ automation:ID }}\"", unknown, Some("the only one is automation:EXECUTION_ID")),
        ("\"{{ variable:sene }}\"", unknown, Some("did you mean \"seen\"?")),
        ("\"{{ ssm:/a/b }}\"", Some(Code::StoreReference), None),
        // Within more text it has to be plain that a reference was meant.
        ("\"see {{ ask.Reponse }}\"", unknown, Some("did you mean \"Response\"?")),
        ("\"see {{ global:X }}\"", unknown, None),
        ("\"see {{ ssm:/a/b }}\"", Some(Code::StoreReference), None),
        ("\"see {{ Gone }} {{ gone.Output }} {{ user.name | upper }}\"", None, None),
        ("\"{{ user.name | upper }}\"", None, None),
        ("\"{{#each x}}\"", None, None),
        ("\"<b>{{ title }}</b>\"", None, None),
        ("\"line\\n{{ ask.Reponse }} {{ global:X }} {{ ssm:/a }}\"", None, None),
        ("{ \"{{ Gone }}\": 1 }", None, None),
    ];
    for (value, code, hint) in table {
        let found = errors(&body(value));
        assert_eq!(found.first().map(|d| d.code), code, "{value}: {}", shown(&found));
        assert!(
            found.len() <= 1 && found.iter().all(|d| d.position.line == 11),
            "{value}: {}",
            shown(&found)
        );
        if hint.is_some() {
            assert_eq!(found[0].hint.as_deref(), hint, "{value}");
        }
    }
}

#[test]
fn references_outside_of_steps_are_checked_too() {
    let text = |top: &str| format!("{}{top}\n", steps(&[ASK]));
    let table = [
        ("assumeRole: \"{{ Wait }}\"", vec![]),
        ("assumeRole: \"{{ ssm:role }}\"", vec![(Code::StoreReference, 7, 13)]),
        ("assumeRole: \"{{ ask.Response }}\"", vec![(Code::ReferenceOrder, 7, 13)]),
        ("assumeRole: \"{{ Rolle }}\"", vec![(Code::UnknownReference, 7, 13)]),
        ("outputs: [ ask.Response, \"{{ ask.ResponseCode }}\", ask.* ]", vec![]),
        ("outputs:\n- ask.Gone", vec![(Code::UnknownReference, 8, 3)]),
        ("outputs:\n- gone.Response", vec![(Code::UnknownReference, 8, 3)]),
        ("outputs:\n- ask", vec![(Code::UnknownReference, 8, 3)]),
        (
            "variables: { a: { type: String, default: \"{{ Gone }}\" } }",
            vec![(Code::UnknownReference, 7, 42)],
        ),
        ("variables: { a: { type: Integer, default: many } }", vec![(Code::WrongType, 7, 43)]),
    ];
    for (top, expected) in table {
        assert_eq!(places(&errors(&text(top))), expected, "{top}");
    }
}

/// A step: its name, the step it reads, and what else it says.
type Reader = (&'static str, &'static str, &'static str);

fn readers(list: &[Reader]) -> String {
    let written: Vec<String> = list
        .iter()
        .map(|(name, reads, rest)| {
            let body = if reads.is_empty() {
                String::new()
            } else {
                format!(", Body: \"{{{{ {reads}.Response }}}}\"")
            };
            format!("name: {name}\naction: aws:invokeWebhook\ninputs: {{ IntegrationName: x{body} }}\n{rest}")
        })
        .collect();
    steps(&written.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What is said of a reference, and the line.
type Said = (Severity, u32);

#[test]
fn a_reference_is_to_a_step_that_can_have_run() {
    let (refused, doubted) = (Severity::Error, Severity::Warning);
    let table: Vec<(&[Reader], Option<Said>)> = vec![
        (&[("a", "", ""), ("b", "a", "")], None),
        (&[("a", "b", ""), ("b", "", "")], Some((refused, 6))),
        (&[("a", "a", "")], Some((refused, 6))),
        // What runs first need not stand first.
        (&[("a", "", "nextStep: c"), ("b", "c", "isEnd: true"), ("c", "", "nextStep: b")], None),
        // The handler of a failure reads what the failed step left.
        (&[("a", "", "onFailure: step:c\nisEnd: true"), ("b", "", ""), ("c", "a", "")], None),
        (&[("a", "", "onFailure: step:c\nisEnd: true"), ("b", "", ""), ("c", "b", "")], None),
        // It stands earlier, and no way leads through it: SSM takes that, as a published runbook shows.
        (&[("a", "", "isEnd: true"), ("b", "a", "")], Some((doubted, 10))),
        (&[("a", "", "nextStep: c"), ("b", "", "isEnd: true"), ("c", "b", "")], Some((doubted, 14))),
        // It stands later, and no way leads from it.
        (&[("a", "c", "isEnd: true"), ("b", "", ""), ("c", "", "")], Some((refused, 6))),
        // Where that step leads is not known, and nothing is said that may not be so.
        (&[("a", "", "nextStep: gone"), ("b", "a", "")], None),
    ];
    for (list, place) in table {
        let text = readers(list);
        let found: Vec<(Code, Severity, u32)> = diagnostics(&text)
            .iter()
            .filter(|d| !matches!(d.code, Code::UnknownStep | Code::UnsupportedAction))
            .map(|d| (d.code, d.severity, d.position.line))
            .collect();
        let expected = place.map(|(severity, line)| (Code::ReferenceOrder, severity, line));
        assert_eq!(found, Vec::from_iter(expected), "{text}");
    }
}

#[test]
fn steps_of_a_loop_read_one_another_and_the_round() {
    let looping = |head: &str, reads: &str, after: &str| {
        let inner = format!(
            "  - {{ name: one, action: aws:invokeWebhook, inputs: {{ IntegrationName: x, Body: \"{{{{ {reads} }}}}\" }} }}\n  - {{ name: two, action: aws:invokeWebhook, inputs: {{ IntegrationName: x }} }}"
        );
        let last = format!(
            "name: last\naction: aws:invokeWebhook\ninputs: {{ IntegrationName: x, Body: \"{{{{ {after} }}}}\" }}"
        );
        steps(&[&format!("name: again\naction: aws:loop\ninputs:\n  {head}\n  Steps:\n{inner}"), &last])
    };
    let each = "Iterators: [ a, b ]";
    let condition =
        "LoopCondition: { Variable: \"{{ two.Response }}\", StringEquals: again }\n  MaxIterations: 3";
    let table = [
        (each, "again.CurrentIteratorValue", "two.Response", None),
        (each, "again.CurrentIteration", "one.Response", None),
        (each, "two.Response", "two.Response", None),
        (each, "last.Response", "two.Response", Some(Code::ReferenceOrder)),
        (condition, "again.CurrentIteration", "two.Response", None),
        (condition, "again.CurrentIteratorValue", "two.Response", Some(Code::UnknownReference)),
        (each, "again.Output", "two.Response", Some(Code::UnknownReference)),
    ];
    for (head, reads, after, code) in table {
        let text = looping(head, reads, after);
        let found = errors(&text);
        assert_eq!(
            found.iter().map(|d| d.code).collect::<Vec<_>>(),
            Vec::from_iter(code),
            "{text}{}",
            shown(&found)
        );
    }
}
