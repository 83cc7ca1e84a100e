//! Topics, queues, batches, schedules: what reaches a function, when, and how often.

mod common;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use common::{LIMIT, OPERATIONS, Toy, deploy, send, simulation, texts};
use fleetwright_local::eventbridge::{Rule, Trigger};
use fleetwright_local::names::{role_arn, topic_arn};
use fleetwright_local::protocol::{Request, Service};
use fleetwright_local::sns::{Subscription, Target};
use fleetwright_local::{
    Channel, Delivery, DeliveryFault, Environment, Faults, Function, FunctionDefinition, Invocation,
    InvokeError, SdkClients, Simulation,
};
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

fn publish(simulation: &mut Simulation, messages: &'static [&'static str]) {
    let clients = SdkClients::new(&simulation.client("publisher"));
    let publishing = async move {
        for text in messages {
            clients.sns.publish().topic_arn(topic_arn("news")).message(*text).send().await.unwrap();
        }
    };
    simulation.block_on(publishing, LIMIT).unwrap();
}

fn run(simulation: &mut Simulation, seconds: u64) {
    simulation.run_until(|_| false, Duration::from_secs(seconds)).unwrap();
}

#[test]
fn a_topics_messages_reach_a_function_in_one_batch_of_a_window() {
    let mut simulation = simulation(1);
    deploy(&mut simulation, Toy::start);
    publish(&mut simulation, &["one & two", "{\"json\": \"<3\"}", "three"]);
    run(&mut simulation, 1);
    assert_eq!(texts(&simulation), [""; 0], "the window is two seconds");
    run(&mut simulation, 5);
    assert_eq!(texts(&simulation), ["one & two", "three", "{\"json\": \"<3\"}"]);
    assert_eq!(simulation.cloud().counters.functions["toy"].invocations, 1);
    assert!(simulation.cloud().sqs.queue("work").unwrap().is_empty());
}

#[test]
fn what_the_service_role_may_not_publish_reaches_nobody() {
    for (may_publish, arrive) in [(true, 1), (false, 0)] {
        let mut simulation = simulation(1);
        let ask = |service, operation: &str, body: Value| {
            let request = Request { service, operation: operation.to_owned(), body };
            let answer = simulation.cloud().handle("test", &request);
            assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
            answer.body
        };
        let now = simulation.now();
        simulation.cloud().iam.create(
            "notifier",
            "ssm.amazonaws.com",
            "sns:Publish",
            &topic_arn("news"),
            now,
        );
        if !may_publish {
            let policy = json!({ "RoleName": "notifier", "PolicyName": "notifier" });
            ask(Service::Iam, "DeleteRolePolicy", policy);
        }
        let nodes = ask(Service::Ssm, "DescribeInstanceInformation", json!({}));
        let command = json!({
            "DocumentName": "AWS-RunShellScript", "Parameters": { "commands": ["date"] },
            "InstanceIds": [nodes["InstanceInformationList"][0]["InstanceId"]],
            "ServiceRoleArn": role_arn("notifier"),
            "NotificationConfig": { "NotificationArn": topic_arn("news"), "NotificationEvents": ["Success"],
                "NotificationType": "Command" },
        });
        ask(Service::Ssm, "SendCommand", command);
        run(&mut simulation, 600);
        assert_eq!(simulation.cloud().sqs.queue("work").unwrap().len(), arrive, "{may_publish}");
    }
}

#[test]
fn only_what_failed_of_a_batch_comes_again_and_dies() {
    let mut simulation = simulation(1);
    deploy(&mut simulation, Toy::start);
    send(&mut simulation, &["a", "poison", "b"]);
    run(&mut simulation, 10);
    assert_eq!(texts(&simulation), ["a", "b"]);
    assert_eq!(simulation.cloud().sqs.queue("work").unwrap().len(), 1);
    run(&mut simulation, 120);
    let cloud = simulation.cloud();
    assert!(cloud.sqs.queue("work").unwrap().is_empty());
    let dead: Vec<_> =
        cloud.sqs.queue("dead").unwrap().messages().map(|message| message.body.as_str()).collect();
    assert_eq!(dead, ["poison"]);
    // One batch of all three, then the poison alone twice more.
    assert_eq!(cloud.counters.functions["toy"].invocations, 3);
    assert_eq!(cloud.counters.applied("dynamodb:UpdateItem"), 2);
}

#[test]
fn a_full_batch_does_not_wait_for_its_window() {
    let mut simulation = simulation(1);
    deploy(&mut simulation, Toy::start);
    send(&mut simulation, &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
    run(&mut simulation, 1);
    assert_eq!(texts(&simulation).len(), 10);
    run(&mut simulation, 4);
    assert_eq!(texts(&simulation).len(), 12);
}

/// Loses, doubles or delays by what a message says.
struct ByText;

impl Faults for ByText {
    fn on_delivery(&mut self, delivery: &Delivery<'_>) -> DeliveryFault {
        assert_eq!((delivery.channel, delivery.to), (Channel::Queue, "work"));
        match delivery.body {
            "lost" => DeliveryFault::Drop,
            "twice" => DeliveryFault::Duplicate(1),
            "late" => DeliveryFault::Delay(Duration::from_secs(100)),
            _ => DeliveryFault::Deliver,
        }
    }
}

#[test]
fn deliveries_can_be_lost_doubled_and_delayed() {
    let mut simulation = simulation(1);
    deploy(&mut simulation, Toy::start);
    simulation.set_faults(Box::new(ByText));
    send(&mut simulation, &["lost", "late", "twice", "plain"]);
    run(&mut simulation, 90);
    assert_eq!(texts(&simulation), ["plain", "twice"]);
    assert_eq!(simulation.cloud().counters.applied("dynamodb:UpdateItem"), 3);
    run(&mut simulation, 30);
    assert_eq!(texts(&simulation), ["late", "plain", "twice"]);
    assert_eq!(simulation.cloud().counters.deliveries["queue"].dropped, 1);
}

/// Remembers the events it gets, and fails every one.
struct Failing(Rc<RefCell<Vec<(String, Value)>>>);

impl Function for Failing {
    fn invoke(&self, event: Value, context: Invocation) -> LocalBoxFuture<'static, Result<Value, String>> {
        self.0.borrow_mut().push((context.request_id, event));
        Box::pin(async { Err("as always".to_owned()) })
    }
}

fn deploy_failing(simulation: &mut Simulation, retries: u32) -> Rc<RefCell<Vec<(String, Value)>>> {
    let events = Rc::new(RefCell::new(Vec::new()));
    let shared = Rc::clone(&events);
    #[expect(clippy::arc_with_non_send_sync, reason = "a simulation runs on one thread")]
    let factory = Arc::new(move |_: &Environment| Arc::new(Failing(Rc::clone(&shared))) as Arc<dyn Function>);
    let definition = FunctionDefinition::new("failing", OPERATIONS, Duration::from_secs(10), factory);
    simulation.add_function(FunctionDefinition { retries, ..definition });
    events
}

#[test]
fn an_asynchronous_event_is_tried_three_times() {
    let mut simulation = simulation(1);
    let events = deploy_failing(&mut simulation, 2);
    let target = Target::Function("failing".to_owned());
    let pattern = json!({ "source": ["fleetwright"], "detail": { "status": ["Success"] } });
    let rule =
        Rule { name: "rule".to_owned(), trigger: Trigger::Pattern(pattern), target, input_template: None };
    simulation.cloud().eventbridge.add(rule);
    let now = simulation.now();
    for status in ["Success", "InProgress"] {
        let entry = json!({ "Source": "fleetwright", "DetailType": "t", "Detail": json!({ "status": status }).to_string() });
        let body = json!({ "Entries": [entry] });
        let request = Request { service: Service::EventBridge, operation: "PutEvents".to_owned(), body };
        assert_eq!(simulation.cloud().handle("test", &request).status, 200);
    }
    run(&mut simulation, 600);
    let events = events.borrow();
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|(id, event)| *id == events[0].0 && event["detail"]["status"] == "Success"));
    assert_eq!(simulation.cloud().counters.functions["failing"].given_up, 1);
    // One minute after the first failure, two after the second; then nothing is left to happen.
    assert_eq!(simulation.now().duration_since(now).as_secs(), 180);
}

#[test]
fn the_schedule_fires_every_minute_and_names_it() {
    let mut simulation = simulation(1);
    let events = deploy_failing(&mut simulation, 0);
    let target = Target::Function("failing".to_owned());
    simulation.cloud().eventbridge.add(Rule {
        name: "tick".to_owned(),
        trigger: Trigger::EveryMinute,
        target,
        input_template: None,
    });
    run(&mut simulation, 200);
    let times: Vec<_> =
        events.borrow().iter().map(|(_, event)| event["time"].as_str().unwrap().to_owned()).collect();
    assert_eq!(times, ["2026-03-14T02:01:00Z", "2026-03-14T02:02:00Z", "2026-03-14T02:03:00Z"]);
}

#[test]
fn a_topic_reaches_a_function_directly_in_lambdas_own_envelope() {
    let mut simulation = simulation(1);
    let events = deploy_failing(&mut simulation, 0);
    let target = Target::Function("failing".to_owned());
    simulation.cloud().sns.subscribe(&topic_arn("news"), Subscription { target, raw: false });
    publish(&mut simulation, &["hello"]);
    run(&mut simulation, 10);
    let events = events.borrow();
    let record = &events[0].1["Records"][0];
    assert_eq!((&record["EventSource"], &record["Sns"]["Message"]), (&json!("aws:sns"), &json!("hello")));
    assert_eq!(record["Sns"]["Subject"], Value::Null);
    assert!(record["Sns"].get("SigningCertUrl").is_some());
}

/// Sleeps a second and names its environment.
struct Sleeper(Environment);

impl Function for Sleeper {
    fn invoke(&self, _: Value, _: Invocation) -> LocalBoxFuture<'static, Result<Value, String>> {
        let (clock, id) = (self.0.clock.clone(), self.0.id);
        Box::pin(async move {
            clock.sleep(Duration::from_secs(1)).await;
            Ok(json!(id.0))
        })
    }
}

#[test]
fn reserved_concurrency_refuses_callers_and_keeps_events_waiting() {
    let mut simulation = simulation(1);
    let factory =
        Arc::new(|environment: &Environment| Arc::new(Sleeper(environment.clone())) as Arc<dyn Function>);
    let definition = FunctionDefinition::new("sleeper", OPERATIONS, Duration::from_secs(10), factory);
    simulation.add_function(FunctionDefinition { reserved_concurrency: Some(1), ..definition });
    let (one, two) = (simulation.invoker(), simulation.invoker());
    let both =
        async move { futures::join!(one.invoke("sleeper", json!({})), two.invoke("sleeper", json!({}))) };
    let (first, second) = simulation.block_on(both, LIMIT).unwrap();
    assert!(first.is_ok());
    assert_eq!(second, Err(InvokeError::Throttled("sleeper".to_owned())));
    let target = Target::Function("sleeper".to_owned());
    simulation.cloud().sns.subscribe(&topic_arn("news"), Subscription { target, raw: false });
    publish(&mut simulation, &["a", "b", "c"]);
    run(&mut simulation, 10);
    let count = simulation.cloud().counters.functions["sleeper"];
    assert_eq!(
        (count.invocations, count.cold_starts),
        (4, 1),
        "one environment serves all, one after another"
    );
}
