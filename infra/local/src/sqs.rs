//! Simple Queue Service: the queues by name, and the operations clients call on them.

mod queues;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use md5::{Digest, Md5};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::names::last_part;
use crate::protocol::Answer;
use crate::queue::{Message, Queue, QueueOptions, Received};
use crate::seed;

/// The longest delay of one message, in seconds (API reference, SendMessage).
const MAXIMUM_DELAY: u64 = 900;
/// The largest message, in bytes (the quota of 1 MiB as of 2025-08).
const MAXIMUM_SIZE: usize = 1_048_576;
/// Entries of one batch (API reference, SendMessageBatch).
const MAXIMUM_BATCH: usize = 10;

/// All queues.
pub struct Sqs {
    queues: BTreeMap<String, Queue>,
    random: ChaCha8Rng,
    /// Where clients reach it, if not at AWS' own address.
    address: Option<String>,
}

/// A message a client has sent and the model has not yet put into its queue.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The queue's name.
    pub queue: String,
    /// The message.
    pub message: Message,
    /// How long nobody may receive it.
    pub delay: Duration,
}

type Refusal = Answer;

impl Sqs {
    /// No queues.
    pub fn new(seed: u64) -> Self {
        Self { queues: BTreeMap::new(), random: seed::generator(seed, "sqs"), address: None }
    }

    /// The URLs of queues begin with this from now on, for clients that take them for addresses.
    pub fn answer_at(&mut self, address: String) {
        self.address = Some(address);
    }

    /// Creates a queue, or replaces an empty one's options.
    pub fn create(&mut self, name: &str, options: QueueOptions) {
        self.queues.insert(name.to_owned(), Queue::new(options));
    }

    /// A queue by name.
    pub fn queue(&self, name: &str) -> Option<&Queue> {
        self.queues.get(name)
    }

    /// All queues by name.
    pub fn queues(&self) -> impl Iterator<Item = (&str, &Queue)> {
        self.queues.iter().map(|(name, queue)| (name.as_str(), queue))
    }

    /// Applies one operation. What it sends comes back for the cloud to deliver, which is where faults are drawn.
    pub fn handle(&mut self, operation: &str, body: &Value, now: Timestamp) -> (Answer, Vec<Sent>) {
        let result = match operation {
            "SendMessage" => self.send(body, now).map(|sent| (told(&sent), vec![sent])),
            "SendMessageBatch" => self.send_batch(body, now),
            "ReceiveMessage" => self.receive_for_client(body, now).map(|answer| (answer, Vec::new())),
            "DeleteMessage" => self.delete_for_client(body).map(|answer| (answer, Vec::new())),
            "DeleteMessageBatch" => self.delete_batch(body).map(|answer| (answer, Vec::new())),
            "ChangeMessageVisibility" => self.change_for_client(body, now).map(|answer| (answer, Vec::new())),
            "GetQueueUrl" => self.url(body).map(|answer| (answer, Vec::new())),
            "ListQueues" => self.list(body).map(|answer| (answer, Vec::new())),
            "CreateQueue" => self.create_for_client(body).map(|answer| (answer, Vec::new())),
            "DeleteQueue" => self.delete_queue(body).map(|answer| (answer, Vec::new())),
            "PurgeQueue" => self.purge(body).map(|answer| (answer, Vec::new())),
            "GetQueueAttributes" => self.attributes(body, now).map(|answer| (answer, Vec::new())),
            other => Err(Answer::error(
                400,
                "InvalidAction",
                &format!("{other} is not part of the embedded cloud"),
            )),
        };
        match result {
            Ok((body, sent)) => (Answer::ok(body), sent),
            Err(refusal) => (refusal, Vec::new()),
        }
    }

    /// Puts a message into its queue. False when there is no such queue.
    pub(crate) fn arrive(&mut self, queue: &str, message: Message, visible_at: Timestamp) -> bool {
        match self.queues.get_mut(queue) {
            Some(queue) => {
                queue.add(message, visible_at);
                true
            }
            None => false,
        }
    }

    /// A message of a service's own: what a topic or rule puts into a queue.
    pub(crate) fn message(&mut self, body: String, now: Timestamp) -> Message {
        Message::new(seed::uuid(&mut self.random), body, now)
    }

    /// Receives up to `limit` messages; what was received too often goes to the dead-letter queue.
    pub fn receive(&mut self, name: &str, limit: usize, now: Timestamp) -> Vec<Received> {
        let Some(queue) = self.queues.get_mut(name) else { return Vec::new() };
        let (received, dead) = queue.receive(limit, now);
        let dead_letter_queue =
            queue.options.redrive.as_ref().map(|redrive| redrive.dead_letter_queue.clone());
        if let Some(dead_letters) = dead_letter_queue.and_then(|name| self.queues.get_mut(&name)) {
            dead.into_iter().for_each(|message| dead_letters.add(message, now));
        }
        received
    }

    /// Deletes by receipt; nothing happens when the receipt is void.
    pub fn delete(&mut self, name: &str, handle: &str) {
        if let Some(queue) = self.queues.get_mut(name) {
            queue.delete(handle);
        }
    }

    fn send(&mut self, body: &Value, now: Timestamp) -> Result<Sent, Refusal> {
        let queue = self.name_in(body)?;
        self.entry(&queue, body, now)
    }

    fn entry(&mut self, queue: &str, entry: &Value, now: Timestamp) -> Result<Sent, Refusal> {
        let text = text(entry, "MessageBody")?;
        if text.is_empty() || text.len() > MAXIMUM_SIZE {
            return Err(invalid("MessageBody must have 1 to 1048576 bytes"));
        }
        let seconds = entry.get("DelaySeconds").map_or(Some(0), Value::as_u64);
        let seconds = seconds.filter(|seconds| *seconds <= MAXIMUM_DELAY);
        let seconds = seconds.ok_or_else(|| invalid("DelaySeconds must be between 0 and 900"))?;
        let message = Message::new(seed::uuid(&mut self.random), text.to_owned(), now);
        Ok(Sent { queue: queue.to_owned(), message, delay: Duration::from_secs(seconds) })
    }

    fn send_batch(&mut self, body: &Value, now: Timestamp) -> Result<(Value, Vec<Sent>), Refusal> {
        let queue = self.name_in(body)?;
        let (mut successful, mut failed, mut all) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries(body)? {
            let id = text(entry, "Id")?;
            match self.entry(&queue, entry, now) {
                Ok(sent) => {
                    let mut entry = told(&sent);
                    entry["Id"] = json!(id);
                    successful.push(entry);
                    all.push(sent);
                }
                Err(refusal) => failed.push(json!({
                    "Id": id, "SenderFault": true, "Code": refusal.error_code(), "Message": refusal.body["message"],
                })),
            }
        }
        Ok((json!({ "Successful": successful, "Failed": failed }), all))
    }

    fn receive_for_client(&mut self, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let queue = self.name_in(body)?;
        let limit = body.get("MaxNumberOfMessages").map_or(Some(1), Value::as_u64);
        let limit =
            limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| (1..=10).contains(limit));
        let limit = limit.ok_or_else(|| invalid("MaxNumberOfMessages must be between 1 and 10"))?;
        let messages = self.receive(&queue, limit, now).into_iter().map(|received| {
            json!({
                "MessageId": received.message.id, "ReceiptHandle": received.handle, "Body": received.message.body,
                "MD5OfBody": md5(&received.message.body), "Attributes": attributes_of(&received.message),
            })
        });
        Ok(json!({ "Messages": messages.collect::<Vec<_>>() }))
    }

    fn delete_for_client(&mut self, body: &Value) -> Result<Value, Refusal> {
        let queue = self.name_in(body)?;
        self.delete(&queue, text(body, "ReceiptHandle")?);
        Ok(json!({}))
    }

    fn delete_batch(&mut self, body: &Value) -> Result<Value, Refusal> {
        let name = self.name_in(body)?;
        let mut successful = Vec::new();
        for entry in entries(body)? {
            let id = text(entry, "Id")?;
            self.delete(&name, text(entry, "ReceiptHandle")?);
            successful.push(json!({ "Id": id }));
        }
        Ok(json!({ "Successful": successful, "Failed": [] }))
    }

    fn change_for_client(&mut self, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let name = self.name_in(body)?;
        let handle = text(body, "ReceiptHandle")?;
        let seconds = body["VisibilityTimeout"].as_u64().filter(|seconds| *seconds <= 43_200);
        let seconds = seconds.ok_or_else(|| invalid("VisibilityTimeout must be between 0 and 43200"))?;
        if let Some(queue) = self.queues.get_mut(&name) {
            queue.change_visibility(handle, Duration::from_secs(seconds), now);
        }
        Ok(json!({}))
    }

    /// The name of the queue a request names by its URL.
    fn name_in(&self, body: &Value) -> Result<String, Refusal> {
        let name = last_part(text(body, "QueueUrl")?, '/');
        if self.queues.contains_key(name) { Ok(name.to_owned()) } else { Err(absent()) }
    }
}

/// The attributes every received message has, for clients and functions alike. Times are milliseconds as text.
pub(crate) fn attributes_of(message: &Message) -> Value {
    let first = message.first_received_at.unwrap_or(message.sent_at);
    json!({
        "ApproximateReceiveCount": message.receives.to_string(),
        "SentTimestamp": message.sent_at.as_millisecond().to_string(),
        "SenderId": crate::names::ACCOUNT,
        "ApproximateFirstReceiveTimestamp": first.as_millisecond().to_string(),
    })
}

/// The entries of a batch.
fn entries(body: &Value) -> Result<&[Value], Refusal> {
    let entries = body["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    if entries.is_empty() {
        return Err(Answer::error(400, "com.amazonaws.sqs#EmptyBatchRequest", "there are no entries"));
    }
    if entries.len() > MAXIMUM_BATCH {
        let code = "com.amazonaws.sqs#TooManyEntriesInBatchRequest";
        return Err(Answer::error(400, code, "a batch has at most 10 entries"));
    }
    Ok(entries)
}

/// What the sender of a message is told. Some SDKs compare the digest.
fn told(sent: &Sent) -> Value {
    json!({ "MessageId": sent.message.id, "MD5OfMessageBody": md5(&sent.message.body) })
}

fn md5(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text<'a>(body: &'a Value, member: &str) -> Result<&'a str, Refusal> {
    let missing = || Answer::error(400, "MissingParameter", &format!("the request must contain {member}"));
    body.get(member).and_then(Value::as_str).ok_or_else(missing)
}

fn invalid(message: &str) -> Refusal {
    Answer::error(400, "InvalidParameterValue", message)
}

fn absent() -> Refusal {
    Answer::error(400, "com.amazonaws.sqs#QueueDoesNotExist", "the specified queue does not exist")
}
