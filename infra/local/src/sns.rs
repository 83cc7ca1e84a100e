//! Simple Notification Service: topics, who subscribes to them, and the envelopes they get.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::names::REGION;
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

    /// Applies one operation of a client; only Publish is known.
    pub fn handle(
        &mut self,
        operation: &str,
        body: &Value,
        now: Timestamp,
    ) -> (Answer, String, Publications) {
        let text = |member: &str| body.get(member).and_then(Value::as_str);
        let refused =
            |code: &str, message: &str| (Answer::error(400, code, message), String::new(), Vec::new());
        if operation != "Publish" {
            return refused("InvalidAction", &format!("{operation} is not part of the embedded cloud"));
        }
        let message = text("Message").unwrap_or_default();
        if message.is_empty() || message.len() > MAXIMUM_SIZE {
            return refused("InvalidParameter", "Invalid parameter: Message must have 1 to 262144 bytes");
        }
        let topic = text("TopicArn").or_else(|| text("TargetArn")).unwrap_or_default();
        match self.publish(topic, text("Subject"), message, now) {
            Some((id, publications)) => {
                (Answer::ok(json!({ "MessageId": id })), topic.to_owned(), publications)
            }
            None => (Answer::error(404, "NotFound", "Topic does not exist"), String::new(), Vec::new()),
        }
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
            let arn = format!("{topic_arn}:{index:08x}-0000-0000-0000-000000000000");
            (subscription.target.clone(), notification.payload(subscription, &arn))
        });
        Some((id, sent.collect()))
    }
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
