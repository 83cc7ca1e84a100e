//! A small deployment the tests of the embedded cloud share: a table, two queues, a topic, a toy function.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use fleetwright_local::fleet::Fleet;
use fleetwright_local::names::{queue_url, topic_arn};
use fleetwright_local::queue::{QueueOptions, Redrive};
use fleetwright_local::sns::{Subscription, Target};
use fleetwright_local::ssm::{Ssm, SsmOptions};
use fleetwright_local::{
    Environment, EventSource, Function, FunctionDefinition, Invocation, SdkClients, Simulation,
    SimulationOptions,
};
use futures::future::LocalBoxFuture;
use serde_json::{Value, json};

/// The table of the tests.
pub(crate) const TABLE: &str = "table";
/// More than any test takes, in virtual time.
pub(crate) const LIMIT: Duration = Duration::from_secs(3600);
/// What the toy function may do.
pub(crate) const OPERATIONS: &[&str] =
    &["dynamodb:UpdateItem", "dynamodb:GetItem", "sqs:SendMessage", "sns:Publish", "ssm:SendCommand"];

/// A simulation with a table, the queues `work` and `dead`, and the topic `news` that leads to `work`.
pub(crate) fn simulation(seed: u64) -> Simulation {
    let ssm = Ssm::new(Fleet::plain(1, seed), SsmOptions::exact(), seed);
    let mut simulation = Simulation::new(ssm, SimulationOptions::seeded(seed)).unwrap();
    {
        let mut cloud = simulation.cloud();
        let redrive = Redrive { dead_letter_queue: "dead".to_owned(), maximum_receives: 3 };
        cloud.sqs.create("dead", QueueOptions::default());
        cloud.sqs.create("work", QueueOptions { redrive: Some(redrive), ..QueueOptions::default() });
        let target = Target::Queue("work".to_owned());
        cloud.sns.subscribe(&topic_arn("news"), Subscription { target, raw: false });
    }
    let clients = SdkClients::new(&simulation.client("setup"));
    simulation.block_on(async move { create_table(&clients).await }, LIMIT).unwrap();
    simulation
}

async fn create_table(clients: &SdkClients) {
    let key =
        |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let attribute = |name: &str| {
        let definition = AttributeDefinition::builder().attribute_name(name);
        definition.attribute_type(ScalarAttributeType::S).build().unwrap()
    };
    let request = clients.dynamodb.create_table().table_name(TABLE).billing_mode(BillingMode::PayPerRequest);
    let request = request.attribute_definitions(attribute("pk")).attribute_definitions(attribute("sk"));
    let request = request.key_schema(key("pk", KeyType::Hash)).key_schema(key("sk", KeyType::Range));
    request.send().await.unwrap();
}

/// Lets `function` work off the queue `work`, in batches of ten gathered for two seconds.
pub(crate) fn deploy(simulation: &mut Simulation, factory: fn(&Environment) -> Arc<dyn Function>) {
    let timeout = Duration::from_secs(10);
    simulation.add_function(FunctionDefinition::new("toy", OPERATIONS, timeout, Arc::new(factory)));
    simulation.add_event_source(EventSource {
        queue: "work".to_owned(),
        function: "toy".to_owned(),
        batch_size: 10,
        batch_window: Duration::from_secs(2),
        concurrency: 2,
    });
}

/// Adds the text of every message to one set, but fails what says `poison`.
pub(crate) struct Toy(SdkClients);

impl Toy {
    /// Starts it.
    pub(crate) fn start(environment: &Environment) -> Arc<dyn Function> {
        Arc::new(Self(SdkClients::new(environment)))
    }
}

impl Function for Toy {
    fn invoke(&self, event: Value, _: Invocation) -> LocalBoxFuture<'static, Result<Value, String>> {
        let clients = self.0.clone();
        Box::pin(async move {
            let mut failures = Vec::new();
            for record in event["Records"].as_array().into_iter().flatten() {
                let text = text_of(record["body"].as_str().unwrap_or_default());
                if text == "poison" {
                    failures.push(json!({ "itemIdentifier": record["messageId"] }));
                } else {
                    add(&clients, &text).await?;
                }
            }
            Ok(json!({ "batchItemFailures": failures }))
        })
    }
}

/// The message in an SNS envelope, or the text itself.
fn text_of(body: &str) -> String {
    let envelope = serde_json::from_str::<Value>(body).unwrap_or_default();
    envelope["Message"].as_str().unwrap_or(body).to_owned()
}

/// Adds a text to the set `texts`.
pub(crate) async fn add(clients: &SdkClients, text: &str) -> Result<(), String> {
    let request = clients.dynamodb.update_item().table_name(TABLE).key("pk", s("set")).key("sk", s("set"));
    let request = request.update_expression("ADD #texts :text").expression_attribute_names("#texts", "texts");
    let request = request.expression_attribute_values(":text", AttributeValue::Ss(vec![text.to_owned()]));
    request.send().await.map(drop).map_err(|error| format!("{error:?}"))
}

/// The set `texts`, sorted.
pub(crate) fn texts(simulation: &Simulation) -> Vec<String> {
    let items = simulation.cloud().dynamodb.items(TABLE).unwrap();
    let set = items.iter().find(|item| item["pk"]["S"] == "set");
    let texts = set.and_then(|item| item["texts"]["SS"].as_array()).into_iter().flatten();
    let mut texts: Vec<String> = texts.filter_map(Value::as_str).map(str::to_owned).collect();
    texts.sort();
    texts
}

/// Sends texts to the queue `work`, one after another.
pub(crate) fn send(simulation: &mut Simulation, messages: &[&str]) {
    let clients = SdkClients::new(&simulation.client("sender"));
    let messages: Vec<String> = messages.iter().map(|text| (*text).to_owned()).collect();
    let sending = async move {
        for text in messages {
            clients.sqs.send_message().queue_url(queue_url("work")).message_body(text).send().await.unwrap();
        }
    };
    simulation.block_on(sending, LIMIT).unwrap();
}

/// A string attribute.
pub(crate) fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
