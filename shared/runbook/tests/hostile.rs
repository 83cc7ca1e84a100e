//! The longest texts of the worst shapes: each is read or refused. Whatever takes more than its length is seen by how long
//! this takes: all of it a few seconds.

mod common;

use fleetwright_runbook::{Portability, TEXT_BYTES_MAX, UserOutput, validate};

const HEAD: &str = "schemaVersion: '0.3'\nmainSteps:\n";

fn filled(head: &str, line: impl Fn(usize) -> String) -> String {
    let mut text = head.to_owned();
    for at in 0.. {
        let next = line(at);
        if text.len() + next.len() > TEXT_BYTES_MAX {
            break;
        }
        text.push_str(&next);
    }
    text
}

fn webhook(body: &str) -> String {
    let room = TEXT_BYTES_MAX - 200;
    let body: String = body.chars().cycle().take(room).collect();
    format!(
        "{HEAD}- {{name: a, action: 'aws:invokeWebhook', inputs: {{ IntegrationName: x, Body: '{body}' }}}}\n"
    )
}

#[test]
fn nothing_takes_long() {
    let loops = (0..15).fold("{name: end, action: 'aws:pause'}".to_owned(), |inner, at| {
        format!("{{name: l{at}, action: 'aws:loop', inputs: {{Iterators: [a], Steps: [{inner}]}}}}")
    });
    let not = format!("{}Variable: a, StringEquals: b{}", "Not: {".repeat(40), "}".repeat(40));
    let choice =
        |at: usize| format!("    - {{NextStep: s{at}, Variable: '{{{{ a.b }}}}', StringEquals: x}}\n");
    let reads = |at: usize| {
        format!(
            "- {{name: s{at}, action: 'aws:invokeWebhook', inputs: {{Body: '{{{{ s{}.Response }}}}'}}}}\n",
            at + 1
        )
    };
    let last = |at: usize| {
        format!("- {{name: s{at}, action: 'aws:invokeWebhook', inputs: {{Body: '{{{{ s0.Response }}}}'}}}}\n")
    };
    let texts = [
        ("braces", webhook("{{")),
        ("closed braces", webhook("{{}}")),
        ("space before references", webhook(&format!("{}{}", " ".repeat(30_000), "{{ a.b }}".repeat(4_000)))),
        ("references to nothing", webhook("{{ a.b }} ")),
        ("references to an output that is not", webhook("{{ a.Respons }}")),
        (
            "unknown items",
            filled(&format!("{HEAD}- name: a\n  action: aws:invokeWebhook\n  inputs:\n    Body:\n"), |at| {
                format!("    - '{{{{ Gone{at} }}}}'\n")
            }),
        ),
        ("steps in a row", filled(HEAD, |at| format!("- {{name: s{at}, action: 'aws:pause'}}\n"))),
        ("each reads the next", filled(HEAD, reads)),
        ("each reads the first", filled(HEAD, last)),
        (
            "all lead to the first",
            filled(HEAD, |at| format!("- {{name: s{at}, action: 'aws:pause', onFailure: 'step:s0'}}\n")),
        ),
        (
            "choices",
            filled(&format!("{HEAD}- name: a\n  action: aws:branch\n  inputs:\n    Choices:\n"), choice),
        ),
        ("loops in loops", format!("{HEAD}- {loops}\n")),
        (
            "large patterns",
            filled("schemaVersion: '0.3'\nparameters:\n", |at| {
                format!(
                    "  p{at}: {{type: String, default: x, allowedPattern: '(.{{0,90}}\\p{{L}}{{1,90}}){{1,9}}'}}\n"
                )
            }),
        ),
        (
            "parameters",
            filled("schemaVersion: '0.3'\nparameters:\n", |at| {
                format!(
                    "  p{at}: {{type: String, default: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, allowedPattern: '(?=x)(x+x+)+\\1y'}}\n"
                )
            }),
        ),
        (
            "selectors",
            filled(
                &format!(
                    "{HEAD}- name: a\n  action: aws:executeAwsApi\n  inputs: {{Service: a, Api: b}}\n  outputs:\n"
                ),
                |at| format!("  - {{Name: o{at}, Selector: '$[?(@.a[?(@.b[?(@.c==1)])])]'}}\n"),
            ),
        ),
        (
            "unknown inputs",
            filled(&format!("{HEAD}- name: a\n  action: aws:createStack\n  inputs:\n"), |at| {
                format!("    Input{at}: x\n")
            }),
        ),
        ("unknown actions", filled(HEAD, |at| format!("- {{name: s{at}, action: 'aws:x{at}'}}\n"))),
        ("the same name", filled(HEAD, |_| "- {name: s, action: 'aws:pause', nextStep: s}\n".to_owned())),
        (
            "conditions in conditions",
            format!(
                "{HEAD}- {{name: a, action: 'aws:branch', inputs: {{Choices: [{{NextStep: b, {not}}}]}}}}\n- {{name: b, action: 'aws:pause'}}\n"
            ),
        ),
    ];
    for (name, text) in texts {
        let validation = validate(&text, Portability::Portable);
        println!("{name}: {} steps, {} said", validation.steps, validation.diagnostics.len());
    }
}

#[test]
fn no_selector_takes_long_on_a_deep_response() {
    let text = common::steps(&[
        "name: a\naction: aws:executeAwsApi\ninputs: { Service: a, Api: b }\noutputs:\n- { Name: o, Selector: '$..*..*', Type: MapList }\n- { Name: p, Selector: '$..a..a..a', Type: StringList }",
    ]);
    let outputs: Vec<UserOutput> = common::accepted(&text).first().outputs.clone();
    let mut response = serde_json::json!({ "a": "x" });
    for _ in 0..60 {
        response = serde_json::json!({ "a": response, "b": [1, 2, 3] });
    }
    for output in outputs {
        drop(output.take(&response));
    }
}
