//! A burst: a thousand nodes of twenty commands end at once, and their events come in any order.

use crate::onlooker::{Left, Onlooker};
use fleetwright_local::dynamodb::Units;
use fleetwright_protocols::{Run, Story, node_notification, steady_fleet, ticks};
use jiff::SignedDuration;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// Nodes, and so events.
pub const EVENTS: usize = 1_000;
/// Their commands.
pub const COMMANDS: usize = 20;
/// Events of a batch, as `template.yaml` has them.
pub const BATCH: usize = 250;

/// One step on all of them at once; a pause, so that what comes after it is not in the same invocation.
pub const RUNBOOK: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
      MaxConcurrency: "100%"
      MaxErrors: "100%"
  - name: pause
    action: aws:sleep
    inputs: { Duration: PT1H }
"#;

/// What it took, of DynamoDB.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Burst {
    /// Requests that fold events.
    pub fold_requests: usize,
    /// Requests until the step is closed, folds included.
    pub requests: usize,
    /// Units written until then.
    pub write_units: f64,
    /// Requests of the settles that follow, whoever makes them: what SSM says of each node, kept. Reconcile's ticks of the
    /// five minutes are among them.
    pub settle_requests: usize,
    /// Units that these write.
    pub settle_write_units: f64,
}

/// A deployment whose commands are all sent, and whose nodes have all ended, before any event of that has come.
#[must_use]
pub fn before() -> Run {
    let story = Story::new().fleet(steady_fleet(EVENTS, 20)).runbook(RUNBOOK).delivery(ticks().lost());
    let silent = |options: &mut fleetwright_local::DeploymentOptions| {
        options.command_events = false;
        options.notifications = false;
    };
    let mut run = story.deployed(silent).start();
    run.until(|cloud| cloud.ssm.ledger().commands().len() == COMMANDS);
    run.pass(SignedDuration::from_secs(40));
    run
}

/// The events of SQS that bring what happened on the nodes, in no order.
#[must_use]
pub fn batches(run: &Run) -> Vec<Value> {
    let mut messages: Vec<String> = Vec::new();
    for command in run.commands() {
        for node in command.nodes.keys() {
            messages.push(notification(&command.command_id, node, run.now()));
        }
    }
    assert_eq!(messages.len(), EVENTS);
    messages.shuffle(&mut ChaCha8Rng::seed_from_u64(7));
    messages.chunks(BATCH).map(sqs_event).collect()
}

/// A notification about a node as SNS puts it into a queue.
#[must_use]
pub fn notification(command: &str, node: &str, at: jiff::Timestamp) -> String {
    let topic = "arn:aws:sns:us-east-1:123456789012:run-command";
    json!({
        "Type": "Notification", "MessageId": "11111111-2222-4333-8444-555555555555", "TopicArn": topic,
        "Subject": "EC2 Run Command Notification us-east-1",
        "Message": node_notification(command, node, "Success", at).to_string(),
        "Timestamp": at.to_string(), "SignatureVersion": "1",
        // As long as a real one (SNS developer guide, sns-verify-signature-of-message).
        "Signature": "A".repeat(344),
        "SigningCertURL": format!("https://sns.us-east-1.amazonaws.com/SimpleNotificationService-{}.pem", "0".repeat(32)),
        "UnsubscribeURL": format!("https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={topic}:{}", "0".repeat(36)),
    })
    .to_string()
}

/// What Lambda gives a function for messages of a queue (Lambda developer guide, with-sqs).
#[must_use]
pub fn sqs_event(messages: &[String]) -> Value {
    let record = |(at, body): (usize, &String)| {
        json!({
            "messageId": format!("00000000-0000-4000-8000-{at:012}"),
            // As long as a real one.
            "receiptHandle": "A".repeat(180),
            "body": body,
            "attributes": {
                "ApproximateReceiveCount": "1", "SentTimestamp": "1773453600000", "SenderId": "AIDAIT2UOQQY3AUEKVGXU",
                "ApproximateFirstReceiveTimestamp": "1773453600012",
            },
            "messageAttributes": {}, "md5OfBody": "d41d8cd98f00b204e9800998ecf8427e", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:facts", "awsRegion": "us-east-1",
        })
    };
    json!({ "Records": messages.iter().enumerate().map(record).collect::<Vec<_>>() })
}

/// Plays the burst, batch by batch, and then lets everything settle.
#[must_use]
pub fn measure() -> Burst {
    let mut run = before();
    let batches = batches(&run);
    let onlooker = Onlooker::of(&mut run);
    for batch in batches {
        let answer = run.deployment.simulation.invoke("on-command-event", batch).expect("time passes");
        assert_eq!(answer.expect("an answer")["batchItemFailures"], json!([]), "all of it is taken");
    }
    let until_closed = onlooker.left("on-command-event");
    let requests: Vec<_> = until_closed.iter().filter(|call| call.action.starts_with("dynamodb:")).collect();
    let closed = requests.iter().position(|call| call.written.iter().any(|key| key.starts_with("EXEC#")));
    let closed = closed.expect("the step was closed") + 1;
    let is_fold = |keys: &[String]| keys.iter().all(|key| key.starts_with("CMD#"));
    let is_of_a_fold = |call: &&&Left| !call.written.is_empty() && is_fold(&call.written);
    let fold_requests = requests[..closed].iter().filter(is_of_a_fold).count();
    let writes = onlooker.writes();
    let closing = writes.iter().position(|write| write.keys.iter().any(|key| key.starts_with("EXEC#")));
    let closing = closing.expect("a commit") + 1;
    let units =
        |from: usize, to: usize| -> f64 { writes[from..to].iter().map(|write| write.write_units).sum() };
    let write_units = units(0, closing);
    run.pass(SignedDuration::from_mins(5));
    let all = onlooker.everything().iter().filter(|call| call.action.starts_with("dynamodb:")).count();
    let writes = onlooker.writes();
    let settled: f64 = writes.iter().map(|write| write.write_units).sum();
    Burst {
        fold_requests,
        requests: closed,
        write_units,
        settle_requests: all - closed,
        settle_write_units: settled - write_units,
    }
}

/// Of DynamoDB, for one way to take the same events.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Taken {
    /// Requests.
    pub requests: usize,
    /// What they cost.
    pub units: Units,
}
