//! Starts that events ask for, and what programs hear of an end (protocols, P6).

use fleetwright_local::eventbridge::{Rule, Trigger};
use fleetwright_local::names::{queue_url, rule_arn, topic_arn};
use fleetwright_local::protocol::{Request, Service};
use fleetwright_local::sns::{Subscription, Target};
use fleetwright_protocols::{DeliveryFault, Run, Story, messages, text};
use jiff::SignedDuration;
use serde_json::{Value, json};

const PATCH_NOW: &str = include_str!("../../../examples/patch-now.yaml");
const PATCH_NOW_RULE: &str = include_str!("../../../infra/event-starts/patch-now.yaml");

/// What the rule of the documented example sends instead of the event.
fn input_template() -> String {
    let (_, after) = PATCH_NOW_RULE.split_once("InputTemplate: |\n").expect("a template");
    after.lines().map(str::trim).collect()
}

/// What EventBridge says when an instance gets the tag (Tag Editor user guide, tag-monitor).
fn tagged(node: &str, id: &str) -> Value {
    json!({
        "version": "0", "id": id, "detail-type": "Tag Change on Resource", "source": "aws.tag",
        "account": "123456789012", "time": "2026-03-14T02:00:00Z", "region": "us-east-1",
        "resources": [format!("arn:aws:ec2:us-east-1:123456789012:instance/{node}")],
        "detail": { "changed-tag-keys": ["PatchNow"], "service": "ec2", "resource-type": "instance", "version": 3,
            "tags": { "PatchNow": "yes" } },
    })
}

fn say(run: &Run, queue: &str, message: &Value) {
    let body = json!({ "QueueUrl": queue_url(queue), "MessageBody": message.to_string() });
    let request = Request { service: Service::Sqs, operation: "SendMessage".to_owned(), body };
    assert_eq!(run.cloud().handle("somebody", &request).status, 200);
}

fn executions(run: &Run) -> Vec<String> {
    let items = run.items();
    let heads = items.iter().filter(|item| text(item, "sk") == Some("EXEC"));
    heads.filter_map(|item| text(item, "pk")).map(|pk| pk.trim_start_matches("EXEC#").to_owned()).collect()
}

/// So many messages are in a dead-letter queue.
fn dead(run: &Run) -> usize {
    run.cloud().sqs.queue("prompt-dead").expect("a queue").len()
}

#[test]
fn an_instance_that_gets_the_tag_is_patched_once_however_often_the_event_comes() {
    let twice = messages().with(|_| DeliveryFault::Duplicate(2));
    let mut run = Story::new().nodes(3).delivery(twice).deploy();
    run.deployment.register_runbook("patch-now", PATCH_NOW).expect("a document SSM takes");
    let node = run.nodes()[1].clone();
    let pattern = json!({ "source": ["aws.tag"], "detail": { "changed-tag-keys": ["PatchNow"],
        "tags": { "PatchNow": [{ "exists": true }] } } });
    run.cloud().eventbridge.add(Rule {
        name: "fleetwright-patch-now".to_owned(),
        trigger: Trigger::Pattern(pattern),
        target: Target::Queue("prompt".to_owned()),
        input_template: Some(input_template()),
    });
    let now = run.now();
    run.cloud().route(&tagged(&node, "7bf73129-1428-4cd3-a780-95db273d1602"), now);
    run.pass(SignedDuration::from_mins(5));
    let started = executions(&run);
    assert_eq!(started.len(), 1, "the same event is the same start");
    run.id.clone_from(&started[0]);
    run.end();
    assert_eq!(run.execution()["ExecutedBy"], rule_arn("fleetwright-patch-now"));
    let ran: Vec<String> = run.runs().iter().map(|run| run.node.to_string()).collect();
    assert!(!ran.is_empty() && ran.iter().all(|ran| *ran == node), "{ran:?}");
    let now = run.now();
    run.cloud().route(&tagged(&node, "another"), now);
    run.pass(SignedDuration::from_mins(5));
    assert_eq!(executions(&run).len(), 2, "another event is another start");
    assert_eq!(dead(&run), 0);
}

#[test]
fn a_message_of_a_topic_starts_a_runbook() {
    let mut run = Story::new().nodes(2).deploy();
    let topic = topic_arn("starts");
    let subscription = Subscription { target: Target::Queue("prompt".to_owned()), raw: false };
    run.cloud().sns.subscribe(&topic, subscription);
    let start = json!({ "fleetwright": "start", "runbook": "Story", "parameters": { "Nodes": "$.nodes" },
        "event": { "nodes": run.nodes() } });
    let body = json!({ "TopicArn": topic, "Message": start.to_string() });
    let request = Request { service: Service::Sns, operation: "Publish".to_owned(), body };
    assert_eq!(run.cloud().handle("somebody", &request).status, 200);
    run.pass(SignedDuration::from_mins(1));
    run.find();
    run.end();
    assert_eq!((run.status().as_str(), run.execution()["ExecutedBy"].as_str()), ("Success", Some(&*topic)));
    run.check();
}

#[test]
fn a_start_that_is_refused_leaves_no_trace_but_a_dead_letter() {
    let mut run = Story::new().deploy();
    let event = json!({ "id": "1" });
    let start = |runbook: &str, parameters: &Value| {
        json!({ "fleetwright": "start", "rule": "arn:rule", "runbook": runbook, "parameters": parameters,
            "event": event })
    };
    for message in [
        start("Nowhere", &json!({})),
        start("Story", &json!({ "Unknown": "x" })),
        start("Story", &json!({ "Nodes": "$.nowhere" })),
        json!({ "fleetwright": "start", "runbook": "Story" }),
    ] {
        say(&run, "prompt", &message);
    }
    run.pass(SignedDuration::from_hours(1));
    assert_eq!((dead(&run), executions(&run).len()), (4, 0));
    assert!(run.cloud().violations.is_empty());
}

#[test]
fn a_start_whose_call_fails_is_made_when_the_message_comes_again() {
    let mut run = Story::new().nodes(2).deploy();
    run.from_now(fleetwright_protocols::on("GetDocument").first(2).crash_before());
    let start = json!({ "fleetwright": "start", "rule": "arn:rule", "runbook": "Story",
        "parameters": { "Nodes": run.nodes() }, "event": { "id": "1", "time": run.now().to_string() } });
    say(&run, "prompt", &start);
    run.pass(SignedDuration::from_mins(20));
    run.find();
    run.end();
    assert_eq!(run.status(), "Success");
    run.check();
}

#[test]
fn an_event_older_than_the_retention_starts_nothing() {
    let mut run = Story::new().deploy();
    let start = json!({ "fleetwright": "start", "rule": "arn:rule", "runbook": "Story",
        "event": { "id": "1", "time": "2020-01-01T00:00:00Z" } });
    say(&run, "prompt", &start);
    run.pass(SignedDuration::from_mins(5));
    assert_eq!((executions(&run).len(), dead(&run)), (0, 0), "acknowledged, and counted");
}

#[test]
fn an_end_is_told_as_ssm_tells_of_its_own() {
    let mut run = Story::new().deployed(|options| options.announce = true).deploy();
    run.start();
    run.end();
    run.pass(SignedDuration::from_mins(2));
    let told = run.deployment.collected("programs");
    assert_eq!(told.len(), 1);
    let event: Value = serde_json::from_str(&told[0]).expect("JSON");
    let detail = &event["detail"];
    assert_eq!(detail["ExecutionId"], run.id);
    assert_eq!((&detail["Definition"], &detail["Status"]), (&json!("Story"), &json!("Success")));
    assert_eq!(detail["DefinitionVersion"], json!(1.0));
    assert!(detail["Time"].as_f64().is_some_and(|ms| ms > 0.0), "{detail}");
    let started = detail["StartTime"].as_str().expect("text");
    assert!(started.starts_with("Mar 14, 2026 2:00:") && started.ends_with(" AM"), "{started}");
    let arn = format!("arn:aws:ssm:us-east-1:123456789012:automation-execution/{}", run.id);
    assert!(event["resources"].as_array().is_some_and(|all| all.contains(&json!(arn))), "{event}");
    run.check();
}
