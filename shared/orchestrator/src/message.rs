//! What a message is: a fact or a wake.

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
    /// JSON of no kind we know.
    #[error("the message is neither a Run Command notification, nor an EventBridge event, nor a wake")]
    Unknown,
}

/// Reads a message body: an SNS notification (in its SQS envelope, or raw), an EventBridge event, or a wake.
///
/// # Errors
/// [`Poison`] for everything else.
pub fn read_message(body: &str) -> Result<Incoming, Poison> {
    let value: Value = serde_json::from_str(body).map_err(Poison::NotJson)?;
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let fact = |fact: Option<Fact>| fact.map_or(Incoming::Nothing, Incoming::Fact);
    if text("fleetwright") == Some("wake") {
        return text("execution").map(|id| Incoming::Wake(ExecutionId::new(id))).ok_or(Poison::Unknown);
    }
    if value.get("detail-type").is_some() {
        return Ok(fact(parse_event(&value)?));
    }
    if let (Some("Notification"), Some(message)) = (text("Type"), text("Message")) {
        return Ok(fact(parse_notification(message)?));
    }
    if value.get("commandId").is_some() {
        return Ok(fact(parse_notification(body)?));
    }
    Err(Poison::Unknown)
}
