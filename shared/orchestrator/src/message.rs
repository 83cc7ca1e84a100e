//! What a message is: a fact, a wake, or a start.

use crate::event_start::{Envelope, EventStart, MalformedStart, START};
use fleetwright_engine::ExecutionId;
use fleetwright_fleet::{Fact, Malformed, parse_event, parse_notification};
use serde_json::Value;

/// A message, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// Somebody reports a terminal status.
    Fact(Fact),
    /// Look at this execution.
    Wake(ExecutionId),
    /// Start a runbook.
    Start(EventStart),
    /// Nothing that concerns us: a status that is not terminal, an event of another kind.
    Nothing,
}

/// A message that cannot be read. It fails alone.
#[derive(Debug, thiserror::Error)]
pub enum Poison {
    /// Not JSON.
    #[error("the message is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// One of ours or SSM's, with something missing or ill-formed.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// A start with something missing or ill-formed.
    #[error(transparent)]
    Start(#[from] MalformedStart),
    /// JSON of no kind we know.
    #[error(
        "the message is neither a Run Command notification, nor an EventBridge event, nor a wake, nor a start"
    )]
    Unknown,
}

/// Reads a message body: an SNS notification (in its SQS envelope, or raw), an EventBridge event, a wake or a start.
///
/// # Errors
/// [`Poison`] for everything else.
pub fn read_message(body: &str) -> Result<Incoming, Poison> {
    let value: Value = serde_json::from_str(body).map_err(Poison::NotJson)?;
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let fact = |fact: Option<Fact>| fact.map_or(Incoming::Nothing, Incoming::Fact);
    match text("fleetwright") {
        Some("wake") => {
            return text("execution").map(|id| Incoming::Wake(ExecutionId::new(id))).ok_or(Poison::Unknown);
        }
        Some(START) => return Ok(Incoming::Start(EventStart::parse(&value, Envelope::default())?)),
        Some(_) | None => {}
    }
    if value.get("detail-type").is_some() {
        return Ok(fact(parse_event(&value)?));
    }
    if let (Some("Notification"), Some(message)) = (text("Type"), text("Message")) {
        // Facts come by the thousand, starts one by one: these are read twice.
        let malformed = match parse_notification(message) {
            Ok(read) => return Ok(fact(read)),
            Err(malformed) => malformed,
        };
        let inner: Option<Value> = serde_json::from_str(message).ok();
        let start = inner.filter(|inner| inner["fleetwright"] == START).ok_or(malformed)?;
        let envelope =
            Envelope { topic_arn: text("TopicArn"), message_id: text("MessageId"), at: text("Timestamp") };
        return Ok(Incoming::Start(EventStart::parse(&start, envelope)?));
    }
    if value.get("commandId").is_some() {
        return Ok(fact(parse_notification(body)?));
    }
    Err(Poison::Unknown)
}
