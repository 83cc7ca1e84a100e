//! Simple Notification Service: topics, who subscribes to them, and the envelopes they get.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::lambda_api::function_arn;
use crate::names::{ACCOUNT, REGION, last_part, queue_arn, topic_arn};
use crate::protocol::Answer;
use crate::seed;

/// The largest message, in bytes (API reference, Publish).
const MAXIMUM_SIZE: usize = 262_144;

/// Who gets what a topic or rule sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A queue, by name.
    Queue(String),
    /// A function, by name; invoked asynchronously.
    Function(String),
}

impl Target {
    /// The name of the queue or function.
    pub fn name(&self) -> &str {
        match self {
            Self::Queue(name) | Self::Function(name) => name,
        }
    }
}

/// What a target gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// The text of a queue's message.
    Text(String),
    /// A function's event.
    Event(Value),
}

/// One subscription of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The subscriber.
    pub target: Target,
    /// Whether a queue gets the bare message instead of an envelope (`RawMessageDelivery`).
    pub raw: bool,
}

/// All topics.
pub struct Sns {
    topics: BTreeMap<String, Vec<Subscription>>,
    random: ChaCha8Rng,
}

/// One accepted message.
struct Notification<'a> {
    id: String,
    topic: &'a str,
    subject: Option<&'a str>,
    message: &'a str,
    at: Timestamp,
}

/// What a topic sends to whom.
pub type Publications = Vec<(Target, Payload)>;

impl Sns {
    /// No topics.
    pub fn new(seed: u64) -> Self {
        Self { topics: BTreeMap::new(), random: seed::generator(seed, "sns") }
    }

    /// Creates a topic by its ARN; nothing happens if it is there.
    pub fn create(&mut self, topic_arn: &str) {
        self.topics.entry(topic_arn.to_owned()).or_default();
    }

    /// Subscribes to a topic, which is created if it isn't there.
    pub fn subscribe(&mut self, topic_arn: &str, subscription: Subscription) {
        self.topics.entry(topic_arn.to_owned()).or_default().push(subscription);
    }

    /// Applies one operation of a client. What is published comes back with its topic for the cloud to deliver.
    pub fn handle(
        &mut self,
        operation: &str,
        body: &Value,
        now: Timestamp,
    ) -> (Answer, String, Publications) {
        let answer = match operation {
            "Publish" => return self.publish_for_client(body, now),
            "CreateTopic" => self.create_for_client(body),
            "ListTopics" => {
                let topics = self.topics.keys().map(|arn| json!({ "TopicArn": arn }));
                Answer::ok(json!({ "Topics": topics.collect::<Vec<_>>() }))
            }
            "Subscribe" => self.subscribe_for_client(body),
            "ListSubscriptionsByTopic" => self.subscriptions_for_client(body),
            other => {
                Answer::error(400, "InvalidAction", &format!("{other} is not part of the embedded cloud"))
            }
        };
        (answer, String::new(), Vec::new())
    }

    fn publish_for_client(&mut self, body: &Value, now: Timestamp) -> (Answer, String, Publications) {
        let message = text(body, "Message").unwrap_or_default();
        if message.is_empty() || message.len() > MAXIMUM_SIZE {
            let refusal = invalid("Message must have 1 to 262144 bytes");
            return (refusal, String::new(), Vec::new());
        }
        let topic = text(body, "TopicArn").or_else(|| text(body, "TargetArn")).unwrap_or_default();
        match self.publish(topic, text(body, "Subject"), message, now) {
            Some((id, publications)) => {
                (Answer::ok(json!({ "MessageId": id })), topic.to_owned(), publications)
            }
            None => (absent(), String::new(), Vec::new()),
        }
    }

    fn create_for_client(&mut self, body: &Value) -> Answer {
        let name = text(body, "Name").unwrap_or_default();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if !(1..=256).contains(&name.len()) || !name.bytes().all(fits) {
            return invalid("Name must have 1 to 256 letters, digits, hyphens and underscores");
        }
        let arn = topic_arn(name);
        self.create(&arn);
        Answer::ok(json!({ "TopicArn": arn }))
    }

    /// Subscribes a queue: others than queues cannot be reached from here.
    fn subscribe_for_client(&mut self, body: &Value) -> Answer {
        let topic = text(body, "TopicArn").unwrap_or_default();
        let Some(subscriptions) = self.topics.get_mut(topic) else { return absent() };
        let (Some("sqs"), Some(endpoint)) = (text(body, "Protocol"), text(body, "Endpoint")) else {
            return invalid("Protocol must be sqs, and Endpoint the ARN of a queue");
        };
        // The query protocol numbers the entries of a map.
        let raw = (1..=10).any(|entry| {
            let part = |name: &str| text(body, &format!("Attributes.entry.{entry}.{name}"));
            part("key") == Some("RawMessageDelivery") && part("value") == Some("true")
        });
        let target = Target::Queue(last_part(endpoint, ':').to_owned());
        let arn = subscription_arn(topic, subscriptions.len());
        subscriptions.push(Subscription { target, raw });
        Answer::ok(json!({ "SubscriptionArn": arn }))
    }

    /// All of them: there is only one page.
    fn subscriptions_for_client(&self, body: &Value) -> Answer {
        let topic = text(body, "TopicArn").unwrap_or_default();
        let Some(subscriptions) = self.topics.get(topic) else { return absent() };
        let listed = subscriptions.iter().enumerate().map(|(index, subscription)| {
            let (protocol, endpoint) = match &subscription.target {
                Target::Queue(queue) => ("sqs", queue_arn(queue)),
                Target::Function(function) => ("lambda", function_arn(function)),
            };
            json!({ "SubscriptionArn": subscription_arn(topic, index), "Owner": ACCOUNT, "TopicArn": topic,
                "Protocol": protocol, "Endpoint": endpoint })
        });
        Answer::ok(json!({ "Subscriptions": listed.collect::<Vec<_>>() }))
    }

    /// Accepts a message for a topic: its id, and what goes to whom. Nothing when there is no such topic.
    pub fn publish(
        &mut self,
        topic_arn: &str,
        subject: Option<&str>,
        message: &str,
        at: Timestamp,
    ) -> Option<(String, Publications)> {
        let subscriptions = self.topics.get(topic_arn)?;
        let id = seed::uuid(&mut self.random);
        let notification = Notification { id: id.clone(), topic: topic_arn, subject, message, at };
        let sent = subscriptions.iter().enumerate().map(|(index, subscription)| {
            let arn = subscription_arn(topic_arn, index);
            (subscription.target.clone(), notification.payload(subscription, &arn))
        });
        Some((id, sent.collect()))
    }
}

fn subscription_arn(topic: &str, index: usize) -> String {
    format!("{topic}:{index:08x}-0000-0000-0000-000000000000")
}

fn text<'a>(body: &'a Value, member: &str) -> Option<&'a str> {
    body.get(member).and_then(Value::as_str)
}

fn invalid(message: &str) -> Answer {
    Answer::error(400, "InvalidParameter", &format!("Invalid parameter: {message}"))
}

fn absent() -> Answer {
    Answer::error(404, "NotFound", "Topic does not exist")
}

impl Notification<'_> {
    fn payload(&self, subscription: &Subscription, arn: &str) -> Payload {
        match &subscription.target {
            Target::Queue(_) if subscription.raw => Payload::Text(self.message.to_owned()),
            Target::Queue(_) => {
                Payload::Text(self.envelope("SigningCertURL", "UnsubscribeURL", arn).to_string())
            }
            Target::Function(_) => Payload::Event(self.records(arn)),
        }
    }

    /// The envelope's fields, whose spelling differs between queues and functions.
    fn envelope(&self, certificate: &str, unsubscribe: &str, arn: &str) -> Value {
        let mut envelope = json!({
            "Type": "Notification",
            "MessageId": self.id,
            "TopicArn": self.topic,
            "Message": self.message,
            "Timestamp": format!("{:.3}", self.at),
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
        });
        envelope[certificate] =
            json!(format!("https://sns.{REGION}.amazonaws.com/SimpleNotificationService-0.pem"));
        envelope[unsubscribe] =
            json!(format!("https://sns.{REGION}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={arn}"));
        if let Some(subject) = self.subject {
            envelope["Subject"] = json!(subject);
        }
        envelope
    }

    fn records(&self, arn: &str) -> Value {
        let mut sns = self.envelope("SigningCertUrl", "UnsubscribeUrl", arn);
        sns["Subject"] = json!(self.subject);
        sns["MessageAttributes"] = json!({});
        json!({ "Records": [{
            "EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": arn, "Sns": sns,
        }] })
    }
}
