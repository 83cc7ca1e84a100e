//! SNS notifications and EventBridge events of Run Command, to facts.

use crate::{CommandId, Fact, NodeId, Subject, Terminal};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::Error as _;

/// A notification or event that cannot be read. It fails alone, and names the place, never a value beside an id.
#[derive(Debug, thiserror::Error)]
#[error("malformed {kind}: {reason}")]
pub struct Malformed {
    kind: &'static str,
    reason: serde_json::Error,
}

/// `monitoring-sns-examples`: camelCase; `instanceId` makes it an invocation's, `instanceIds` a command's.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    command_id: CommandId,
    instance_id: Option<NodeId>,
    status: String,
    event_time: Timestamp,
    /// What is ours has this member; nothing of SSM's has.
    fleetwright: Option<serde::de::IgnoredAny>,
}

/// `monitoring-systems-manager-event-examples`: kebab-case detail.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "detail-type")]
    detail_type: String,
    time: Timestamp,
    detail: serde_json::Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Detail {
    command_id: CommandId,
    instance_id: Option<NodeId>,
    status: String,
}

fn fact(command_id: CommandId, node: Option<NodeId>, status: &str, at: Timestamp) -> Option<Fact> {
    let status = Terminal::from_wire(status)?;
    Some(Fact { command_id, subject: node.map_or(Subject::Command, Subject::Node), status, at })
}

/// Reads the `Message` of an SNS notification of Run Command. `None`: not a terminal status.
///
/// # Errors
/// [`Malformed`] when it is not such a notification.
pub fn parse_notification(message: &str) -> Result<Option<Fact>, Malformed> {
    let malformed = |reason| Malformed { kind: "Run Command notification", reason };
    let read: Notification = serde_json::from_str(message).map_err(malformed)?;
    if read.fleetwright.is_some() {
        return Err(malformed(serde_json::Error::custom("unknown field `fleetwright`")));
    }
    Ok(fact(read.command_id, read.instance_id, &read.status, read.event_time))
}

/// Reads an EventBridge event. `None`: an event of another kind, or not a terminal status.
///
/// # Errors
/// [`Malformed`] when it is a command status event with something missing or ill-formed.
pub fn parse_event(event: &serde_json::Value) -> Result<Option<Fact>, Malformed> {
    let malformed = |reason| Malformed { kind: "EventBridge event", reason };
    let read = Event::deserialize(event).map_err(malformed)?;
    let by_node = match read.detail_type.as_str() {
        "EC2 Command Status-change Notification" => false,
        "EC2 Command Invocation Status-change Notification" => true,
        _ => return Ok(None),
    };
    let detail = Detail::deserialize(&read.detail).map_err(malformed)?;
    if by_node && detail.instance_id.is_none() {
        return Err(malformed(serde_json::Error::custom("missing field `instance-id`")));
    }
    Ok(fact(detail.command_id, detail.instance_id.filter(|_| by_node), &detail.status, read.time))
}
