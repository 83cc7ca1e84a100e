//! What happens outside reaches the function that handles it.

use fleetwright_fleet::{Fact, Subject, Terminal};
use fleetwright_local::clock::START;
use fleetwright_local::eventbridge::{EventBridge, Rule, Trigger};
use fleetwright_local::names::{queue_arn, queue_url, rule_arn, topic_arn};
use fleetwright_local::sns::{Payload, Sns, Subscription, Target};
use fleetwright_orchestrator::{Incoming, read_message};
use fleetwright_template::{Ask, Policy, Resource, Stack, text};
use serde_json::{Value, json};

const COMMAND: &str = "e8d3c0e4-1f6a-4f5a-9c0e-1b2c3d4e5f60";
const NODE: &str = "i-02573cafcf0123456";
const SECRET: &str = "hunter2";
const TRACKING: [(&str, &str); 1] = [("TrackOthers", "true")];

/// As SSM writes it (Systems Manager User Guide, monitoring-systems-manager-event-examples).
fn event(kind: &str, detail: Value) -> Value {
    let mut event = json!({
        "version": "0", "id": "51c0891d-0e34-45b1-83d6-95db273d1602", "detail-type": kind, "source": "aws.ssm",
        "account": "123456789012", "time": "2026-07-10T21:51:32Z", "region": "us-east-1",
        "resources": [format!("arn:aws:ec2:us-east-1:123456789012:instance/{NODE}")],
    });
    event["detail"] = detail;
    event
}

fn command_event(status: &str) -> Value {
    let detail = json!({
        "command-id": COMMAND, "document-name": "AWS-RunShellScript", "expire-after": "2026-07-14T22:01:30.049Z",
        "parameters": { "executionTimeout": ["3600"], "commands": [format!("login {SECRET}")] },
        "requested-date-time": "2026-07-10T21:51:30.049Z", "status": status,
    });
    event("EC2 Command Status-change Notification", detail)
}

fn invocation_event(status: &str) -> Value {
    let detail = json!({
        "command-id": COMMAND, "document-name": "AWS-RunShellScript", "instance-id": NODE,
        "requested-date-time": "2026-07-10T21:51:30.049Z", "status": status,
    });
    event("EC2 Command Invocation Status-change Notification", detail)
}

/// The messages that the rules make of an event, and the ARNs of the queues they are for.
fn routed(stack: &Stack, event: &Value) -> Vec<(String, String)> {
    let mut messages = Vec::new();
    for rule in stack.of_kind("AWS::Events::Rule") {
        let Some(pattern) = rule.properties.get("EventPattern") else { continue };
        let mut bus = EventBridge::new(1, START);
        let target = Target::Queue(rule.id.clone());
        let trigger = Trigger::Pattern(pattern.clone());
        bus.add(Rule { name: rule.id.clone(), trigger, target, input_template: None });
        if !bus.route(event).is_empty() {
            for target in rule.properties["Targets"].as_array().expect("targets") {
                let arn = text(&target["Arn"]).to_owned();
                assert!(may_send(stack, &arn, "events.amazonaws.com", &rule_arn(&rule.id)));
                messages.push((arn, transformed(target, event)));
            }
        }
    }
    messages
}

/// What a target's input transformer makes of an event (EventBridge User Guide, eb-transform-target-input).
fn transformed(target: &Value, event: &Value) -> String {
    let transformer = &target["InputTransformer"];
    let mut message = text(&transformer["InputTemplate"]).to_owned();
    for (name, path) in transformer["InputPathsMap"].as_object().expect("paths") {
        let steps = text(path).strip_prefix("$.").expect("a path").split('.');
        let value = steps.fold(event, |value, step| &value[step]);
        message = message.replace(&format!("<{name}>"), &value.to_string());
    }
    message
}

/// Whether a queue takes messages of a service that acts for something.
fn may_send(stack: &Stack, queue: &str, service: &str, source: &str) -> bool {
    let policies = stack.of_kind("AWS::SQS::QueuePolicy");
    let of_queue = policies.filter(|policy| {
        let queues = policy.properties["Queues"].as_array().expect("queues");
        queues.iter().any(|url| Some(text(url)) == queue.rsplit(':').next().map(queue_url).as_deref())
    });
    let context = [("aws:SourceArn", source)];
    let ask = Ask { action: "sqs:SendMessage", resource: queue, context: &context };
    let mut policies = of_queue.map(|policy| Policy::read(&policy.properties["PolicyDocument"]));
    policies.any(|policy| policy.lets_service(service, &ask))
}

/// Whether a queue's messages go to on-command-event.
fn is_worked_off(stack: &Stack, queue: &str) -> bool {
    let is_of = |mapping: &Resource| mapping.properties["EventSourceArn"] == queue;
    let mut mappings = stack.of_kind("AWS::Lambda::EventSourceMapping").filter(is_of);
    mappings.any(|mapping| mapping.properties["FunctionName"] == "fleetwright-on-command-event")
}

fn fact(message: &str) -> Fact {
    let Ok(Incoming::Fact(fact)) = read_message(message) else { panic!("not a fact: {message}") };
    fact
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn the_end_of_a_command_reaches_on_command_event_without_its_parameters() {
    let stack = Stack::deployed(&[]);
    for (status, known) in [
        ("Success", Terminal::Success),
        ("Failed", Terminal::Failed),
        ("TimedOut", Terminal::TimedOut),
        ("Cancelled", Terminal::Cancelled),
    ] {
        let messages = routed(&stack, &command_event(status));
        let [(queue, message)] = messages.as_slice() else { panic!("{status}: {messages:?}") };
        assert_eq!(*queue, queue_arn("PromptQueue"));
        assert!(is_worked_off(&stack, queue));
        assert!(!message.contains(SECRET), "a message may end as a dead letter: {message}");
        let fact = fact(message);
        assert_eq!((fact.command_id.as_str(), fact.subject, fact.status), (COMMAND, Subject::Command, known));
        assert_eq!(fact.at.to_string(), "2026-07-10T21:51:32Z");
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn what_decides_nothing_reaches_nobody() {
    let stack = Stack::deployed(&TRACKING);
    for status in ["InProgress", "Pending", "Cancelling"] {
        assert_eq!(routed(&stack, &command_event(status)), []);
        assert_eq!(routed(&stack, &invocation_event(status)), []);
    }
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn the_end_on_a_node_is_published_in_a_role_and_reaches_on_command_event() {
    let stack = Stack::deployed(&[]);
    let environment = stack.environment("OnCommandEvent");
    let topic = environment["FLEETWRIGHT_NOTIFICATION_TOPIC_ARN"].as_str();
    let message = json!({
        "commandId": COMMAND, "documentName": "AWS-RunShellScript", "instanceId": NODE,
        "requestedDateTime": "2026-07-10T21:51:30.049Z", "status": "Success", "eventTime": "2026-07-10T21:51:32.5Z",
    });
    let subscriptions = stack.of_kind("AWS::SNS::Subscription").map(|one| one.properties);
    let subscriptions: Vec<Value> = subscriptions.filter(|one| one["TopicArn"] == topic).collect();
    let [subscription] = subscriptions.as_slice() else { panic!("{subscriptions:?}") };
    let queue = text(&subscription["Endpoint"]);
    assert_eq!(subscription["Protocol"], "sqs");
    assert!(may_send(&stack, queue, "sns.amazonaws.com", topic));
    assert!(is_worked_off(&stack, queue));
    let mut sns = Sns::new(1);
    let raw = subscription["RawMessageDelivery"].as_bool().unwrap_or_default();
    sns.subscribe(topic, Subscription { target: Target::Queue("facts".to_owned()), raw });
    let (_, published) = sns.publish(topic, None, &message.to_string(), START).expect("a topic");
    let (_, Payload::Text(body)) = &published[0] else { panic!("a queue gets text") };
    let fact = fact(body);
    assert!(matches!(&fact.subject, Subject::Node(node) if node.as_str() == NODE));
    assert_eq!(fact.status, Terminal::Success);
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn what_others_send_is_heard_of_only_if_that_is_asked_for() {
    let stack = Stack::deployed(&TRACKING);
    let messages = routed(&stack, &invocation_event("Failed"));
    let [(queue, message)] = messages.as_slice() else { panic!("{messages:?}") };
    assert!(is_worked_off(&stack, queue));
    let fact = fact(message);
    assert!(matches!(&fact.subject, Subject::Node(node) if node.as_str() == NODE));
    assert_eq!((fact.command_id.as_str(), fact.status), (COMMAND, Terminal::Failed));
    assert_eq!(routed(&Stack::deployed(&[]), &invocation_event("Failed")), []);
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn every_minute_reconcile_is_told_which_minute_it_is() {
    let stack = Stack::deployed(&[]);
    let reconcile = "arn:aws:lambda:us-east-1:123456789012:function:fleetwright-reconcile";
    let scheduled = |rule: &Resource| rule.properties["ScheduleExpression"] == "rate(1 minute)";
    let rules: Vec<Resource> = stack.of_kind("AWS::Events::Rule").filter(scheduled).collect();
    let [rule] = rules.as_slice() else { panic!("{rules:?}") };
    let targets = rule.properties["Targets"].as_array().expect("targets");
    let [target] = targets.as_slice() else { panic!("{targets:?}") };
    assert_eq!(target["Arn"], reconcile);
    // The event itself: its time is the reconciler's clock.
    for changed in ["Input", "InputPath", "InputTransformer"] {
        assert_eq!(target[changed], Value::Null);
    }
    assert_ne!(rule.properties["State"], "DISABLED");
    let mut permissions = stack.of_kind("AWS::Lambda::Permission").map(|permission| permission.properties);
    assert!(permissions.any(|permission| {
        permission["Principal"] == "events.amazonaws.com"
            && permission["FunctionName"] == "fleetwright-reconcile"
            && permission["SourceArn"] == rule_arn(&rule.id).as_str()
    }));
    let invoked = stack.of_kind("AWS::Lambda::EventInvokeConfig").map(|config| config.properties);
    let invoked: Vec<Value> = invoked.filter(|one| one["FunctionName"] == "fleetwright-reconcile").collect();
    // The next minute's tick does what this one did not (P6).
    assert_eq!(
        (&invoked[0]["MaximumRetryAttempts"], &invoked[0]["MaximumEventAgeInSeconds"]),
        (&json!(0), &json!(60))
    );
    assert_eq!(stack.resource("Reconcile").properties["ReservedConcurrentExecutions"], 1);
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn rules_and_topics_of_other_stacks_lead_to_the_prompt_queue_if_their_names_say_so() {
    let (stack, queue) = (Stack::deployed(&[]), queue_arn("PromptQueue"));
    assert!(is_worked_off(&stack, &queue));
    assert!(may_send(&stack, &queue, "events.amazonaws.com", &rule_arn("fleetwright-patch-now")));
    assert!(!may_send(&stack, &queue, "events.amazonaws.com", &rule_arn("patch-now")));
    assert!(may_send(&stack, &queue, "sns.amazonaws.com", &topic_arn("fleetwright-starts")));
    assert!(!may_send(&stack, &queue, "sns.amazonaws.com", &topic_arn("starts")));
}

#[test]
#[ignore = "cargo xtask template runs it"]
fn a_wake_reaches_on_command_event() {
    let stack = Stack::deployed(&[]);
    let url = stack.environment("ApiControl")["FLEETWRIGHT_PROMPT_QUEUE_URL"].clone();
    let queue = queue_arn(url.rsplit('/').next().expect("a name"));
    assert!(is_worked_off(&stack, &queue));
}
