//! Items of a version that this release does not know: nothing is changed, every message comes again, and once the
//! items are readable again everything goes on (P6).

use crate::golden::{Golden, RELEASES, kind, put};
use crate::moments::{MOMENTS, moment};
use fleetwright_local::DeploymentError;
use fleetwright_protocols::{Run, Story, runbooks, steady_fleet, stored, text, ticks};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Five deliveries, each of which hides a message for six minutes, and some.
const DEAD_AFTER: SignedDuration = SignedDuration::from_mins(40);

/// Gives items another version; as they are then.
fn relabel(run: &Run, version: u32, which: impl Fn(&Value) -> bool) -> Vec<Value> {
    let mut items: Vec<Value> = run.items().into_iter().filter(which).collect();
    assert!(!items.is_empty(), "there is something to relabel");
    for item in &mut items {
        item["schema"] = json!({ "N": version.to_string() });
    }
    put(run, &items);
    items
}

fn is_later(item: &Value) -> bool {
    item["schema"]["N"] == "2"
}

fn later(run: &Run) -> Vec<Value> {
    run.items().into_iter().filter(is_later).collect()
}

fn server_error(answer: Result<Value, DeploymentError>) {
    match answer {
        Err(DeploymentError::Api(error)) => assert_eq!(error.code, "InternalServerError", "{error}"),
        other => panic!("it should have failed: {other:?}"),
    }
}

/// Two executions with their commands under way, on two nodes each: one is of a later release, the other a good one.
fn two() -> (Run, String) {
    let mut run = Story::new().fleet(steady_fleet(2, 30)).runbook(runbooks::TWO_STEPS).start();
    let nodes = run.nodes();
    let good = run.deployment.start("Story", &[("Nodes".to_owned(), nodes)].into()).expect("it starts");
    run.until(|cloud| cloud.ssm.ledger().commands().len() == 2);
    run.until(stored(|items| {
        items
            .iter()
            .filter(|item| text(item, "sk") == Some("CMD") && item.get("owner_token").is_some())
            .count()
            == 2
    }));
    (run, good)
}

/// Whether an item is of an execution, or of one of its commands.
fn is_of(id: &str) -> impl Fn(&Value) -> bool {
    move |item| {
        let pk = text(item, "pk").unwrap_or_default();
        pk == format!("EXEC#{id}") || text(item, "owner_execution") == Some(id)
    }
}

#[test]
fn an_execution_of_a_later_release_waits_for_it_and_holds_nobody_up() {
    let (mut run, good) = two();
    let id = run.id.clone();
    let before = relabel(&run, 2, is_of(&id));
    run.put("prompt", &json!({ "fleetwright": "wake", "execution": id }).to_string());
    // Its nodes are done in the same second as those of the good one: the same batch tells of both.
    run.deployment.run_to_end(&good, Duration::from_secs(180)).expect("nobody holds it up");
    run.pass(DEAD_AFTER);
    assert_eq!(later(&run), before, "nothing is changed: no fold, no claim, no commit");
    assert!(run.messages("prompt-dead") > 0, "the wake, and the command's end");
    assert!(run.messages("facts-dead") > 0, "what its nodes said");
    assert_eq!(run.messages("facts") + run.messages("prompt"), 0);
    let of_it = run.commands().len();
    assert_eq!(of_it, 3, "one command of the one, two of the other");

    relabel(&run, 1, is_later);
    run.end_within(Duration::from_secs(1_800));
    assert_eq!(run.status(), "Success");
    assert_eq!(run.commands().len(), 4);
}

#[test]
fn each_kind_of_item_of_an_execution_is_enough_to_leave_it_alone() {
    for sk in ["EXEC", "STEP", "SEND", "CMD"] {
        let (mut run, good) = two();
        let id = run.id.clone();
        let before = relabel(&run, 2, |item| {
            is_of(&id)(item) && text(item, "sk").is_some_and(|own| own.split('#').next() == Some(sk))
        });
        run.deployment.run_to_end(&good, Duration::from_secs(180)).expect("nobody holds it up");
        run.pass(DEAD_AFTER);
        assert_eq!(later(&run), before, "{sk}: nothing is changed");
        assert!(text(&run.item(), "parked").is_none(), "{sk}: not parked");
        assert_eq!(run.item()["version"], json!({ "N": "2" }), "{sk}: nothing was committed");
        assert!(
            run.messages("facts-dead") + run.messages("prompt-dead") > 0,
            "{sk}: the messages came again"
        );
        relabel(&run, 1, is_later);
        run.end_within(Duration::from_secs(1_800));
        assert_eq!(run.status(), "Success", "{sk}");
    }
}

#[test]
fn the_api_says_that_it_fails_and_changes_nothing() {
    let (mut run, _) = two();
    let id = run.id.clone();
    let before = relabel(&run, 2, is_of(&id));
    let of = json!({ "AutomationExecutionId": id });
    let mut signal = of.clone();
    signal["SignalType"] = json!("Resume");
    let mut start = json!({ "DocumentName": "Story", "ClientToken": "8f7c1a52-3a0e-4b8e-9c53-6d2f7a1b0c9d" });
    start["Parameters"] = json!({ "Nodes": run.nodes() });
    for (operation, body) in [
        ("GetAutomationExecution", &of),
        ("DescribeAutomationStepExecutions", &of),
        ("DescribeAutomationExecutions", &json!({})),
        ("StopAutomationExecution", &of),
        ("SendAutomationSignal", &signal),
        ("StartAutomationExecution", &start),
        ("ListCommands", &json!({})),
    ] {
        server_error(run.deployment.call(operation, body));
    }
    for rest in ["", "/steps", "/summary", "/nodes", "/groups", "/timeline"] {
        server_error(run.deployment.get(&format!("/executions/{id}{rest}")));
    }
    assert_eq!(later(&run), before);
    relabel(&run, 1, is_later);
    run.stop("Cancel");
    run.end_within(Duration::from_secs(1_800));
    assert_eq!(run.status(), "Cancelled");
}

/// Kind by kind, whatever is asked is answered as if nothing were, or not at all: never as if the item were not there.
#[test]
fn no_read_takes_an_item_of_a_later_version_for_none() {
    for moment in &MOMENTS {
        let golden = Golden::read(RELEASES[0], moment);
        let kinds: BTreeSet<String> = golden.items.iter().map(kind).collect();
        for of in kinds {
            let mut run = golden.deploy(moment, |story| story.delivery(ticks().lost()));
            let before = relabel(&run, 2, |item| kind(item) == of);
            for (now, then) in golden.ask_in(&mut run).into_iter().zip(&golden.answers) {
                let failed = now.answer == json!({ "Refused": "InternalServerError" });
                assert!(
                    failed || now == *then,
                    "{} of {of}: {} is answered {:#}",
                    moment.name,
                    now.asked,
                    now.answer
                );
            }
            assert_eq!(later(&run), before, "{}: {of}", moment.name);
        }
    }
}

/// A change to an item of a kind.
type Edit = fn(&mut Value);

/// A value that a later release gave an attribute without raising the version: retried, not dropped, and not parked.
#[test]
fn a_value_that_is_not_known_is_retried_and_nothing_is_decided() {
    let edits: [(&str, Edit); 6] = [
        ("EXEC", |item| edit(item, "body", "\"phase\":{\"At\":", "\"phase\":{\"Dreaming\":")),
        ("EXEC", |item| {
            let unknown = json!({ "kind": { "Sing": 1 }, "since": "2026-03-14T02:00:00Z" }).to_string();
            item["pending"]["M"]["sing"] = json!({ "S": unknown });
        }),
        ("STEP", |item| edit(item, "body", "\"status\":\"InProgress\"", "\"status\":\"Dozing\"")),
        ("SEND", |item| item["state"] = json!({ "S": "resting" })),
        ("CMD", |item| item["statuses"] = json!({ "SS": ["Evaporated"] })),
        ("CMD", |item| item["nodes_Evaporated"] = json!({ "SS": ["i-b38e989683c6ba8b8"] })),
    ];
    for (sk, change) in edits {
        let (mut run, good) = two();
        let (id, version) = (run.id.clone(), run.item()["version"].clone());
        let own = |item: &Value| {
            is_of(&id)(item) && text(item, "sk").is_some_and(|own| own.split('#').next() == Some(sk))
        };
        let items: Vec<Value> = run.items().into_iter().filter(own).collect();
        let mut changed = items.clone();
        changed.iter_mut().for_each(change);
        assert_ne!(changed, items, "{sk}: there is something to change");
        put(&run, &changed);
        run.deployment.run_to_end(&good, Duration::from_secs(180)).expect("nobody holds it up");
        run.pass(DEAD_AFTER);
        assert!(text(&run.item(), "parked").is_none(), "{sk}: not parked");
        assert_eq!(run.item()["version"], version, "{sk}: nothing was committed");
        assert!(
            run.messages("facts-dead") + run.messages("prompt-dead") > 0,
            "{sk}: the messages came again"
        );
        assert_eq!(run.commands().len(), 3, "{sk}: nothing was sent for it");
    }
}

fn edit(item: &mut Value, attribute: &str, from: &str, to: &str) {
    let edited = text(item, attribute).expect("text").replace(from, to);
    item[attribute] = json!({ "S": edited });
}

/// Commands that nobody's execution sent, and requests, are as well left alone by whoever looks at them by themselves.
#[test]
fn commands_and_requests_of_a_later_release_are_left_alone() {
    for name in ["direct", "others"] {
        let golden = Golden::read(RELEASES[0], moment(name));
        let mut run =
            golden.deploy(moment(name), |story| story.deployed(|options| options.invocation_events = true));
        let before = relabel(&run, 2, |_| true);
        let node = run.nodes().remove(0);
        for command in golden.ids("CMD") {
            run.say(&command, &node, "Success");
        }
        run.pass(DEAD_AFTER);
        assert_eq!(run.items(), before, "{name}");
        assert_eq!(run.messages("facts-dead"), golden.ids("CMD").len(), "{name}");
    }
}
