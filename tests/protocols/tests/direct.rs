//! Events that reach the function without a queue between: SNS records and EventBridge events.

use fleetwright_local::names::topic_arn;
use fleetwright_protocols::{Run, Story, steady_fleet};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// A run whose nodes are done, and of which nobody has been told: no topic, no rule.
fn done_and_unheard() -> (Run, String) {
    let mut run = Story::new()
        .fleet(steady_fleet(2, 5))
        .deployed(|options| (options.notifications, options.command_events) = (false, false))
        .start();
    run.until(|cloud| {
        cloud.ssm.ledger().commands().first().is_some_and(|command| command.ended_at.is_some())
    });
    let command_id = run.commands()[0].command_id.to_string();
    (run, command_id)
}

fn sns_event(messages: &[Value]) -> Value {
    let record = |(number, message): (usize, &Value)| {
        json!({ "EventVersion": "1.0", "EventSource": "aws:sns",
            "EventSubscriptionArn": format!("{}:subscription", topic_arn("run-command")),
            "Sns": { "Type": "Notification", "MessageId": format!("message-{number}"), "TopicArn": topic_arn("run-command"),
                "Subject": null, "Message": message.to_string(), "Timestamp": "2026-03-14T02:00:30.000Z",
                "SignatureVersion": "1", "Signature": "", "SigningCertUrl": "", "UnsubscribeUrl": "",
                "MessageAttributes": {} } })
    };
    json!({ "Records": messages.iter().enumerate().map(record).collect::<Vec<_>>() })
}

fn took_less_than_a_tick(run: &mut Run) -> bool {
    let heard = run.now();
    run.end().duration_since(heard) < SignedDuration::from_secs(30)
}

#[test]
fn sns_records_bring_an_execution_on() {
    let (mut run, command_id) = done_and_unheard();
    let nodes: Vec<String> = run.runs().iter().map(|run| run.node.to_string()).collect();
    let messages: Vec<Value> = nodes
        .iter()
        .map(|node| {
            json!({ "commandId": command_id, "documentName": "AWS-RunShellScript", "instanceId": node,
                "requestedDateTime": "2026-03-14T02:00:01.1Z", "status": "Success", "eventTime": "2026-03-14T02:00:20Z" })
        })
        .collect();
    let answer = run.deployment.simulation.invoke("on-command-event", sns_event(&messages));
    answer.expect("time passes").expect("the event is taken");
    assert!(took_less_than_a_tick(&mut run), "it was reconcile that found out");
    assert_eq!(run.status(), "Success");
    run.check();
}

#[test]
fn an_event_bridge_event_brings_an_execution_on() {
    let (mut run, command_id) = done_and_unheard();
    let event = json!({ "version": "0", "id": "51c0891d-0000-4000-8000-000000000001",
        "detail-type": "EC2 Command Status-change Notification", "source": "aws.ssm", "account": "123456789012",
        "time": "2026-03-14T02:00:20Z", "region": "us-east-1", "resources": [],
        "detail": { "command-id": command_id, "document-name": "AWS-RunShellScript", "status": "Success",
            "expire-after": "2026-03-14T04:00:01.1Z", "requested-date-time": "2026-03-14T02:00:01.1Z" } });
    let answer = run.deployment.simulation.invoke("on-command-event", event);
    answer.expect("time passes").expect("the event is taken");
    assert!(took_less_than_a_tick(&mut run), "it was reconcile that found out");
    assert_eq!(run.status(), "Success");
    run.check();
}

#[test]
fn what_is_malformed_and_came_directly_fails_the_invocation() {
    let (mut run, command_id) = done_and_unheard();
    let nameless = sns_event(&[json!({ "commandId": command_id, "status": "Success" })]);
    let failed = run.deployment.simulation.invoke("on-command-event", nameless).expect("time passes");
    assert!(failed.expect_err("it cannot be read").to_string().contains("1 of the event's messages"));
    let unknown = run.deployment.simulation.invoke("on-command-event", json!({ "hello": "world" }));
    let unknown = unknown.expect("time passes").expect_err("it is of no kind");
    assert!(unknown.to_string().contains("neither an SQS batch"), "{unknown}");
}
