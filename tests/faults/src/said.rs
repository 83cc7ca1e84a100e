//! What messages say.

use crate::weather::SentMessage;
use serde_json::Value;

/// What a message says, read by other code than the functions'.
pub(crate) enum Said {
    Node { command: String, node: String, status: String },
    Command { command: String },
    Nothing,
    Poison,
}

/// Reads a message.
pub(crate) fn said(message: &SentMessage) -> Said {
    let Ok(body) = serde_json::from_str::<Value>(&message.body) else { return Said::Poison };
    let own = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let over = |status: &Option<String>| {
        let running = ["Pending", "InProgress", "Delayed", "Cancelling"];
        status.as_deref().is_some_and(|status| !running.contains(&status))
    };
    let (command, node, status) = if body["fleetwright"] == "wake" {
        return Said::Nothing;
    } else if body["detail"].is_object() {
        let detail = &body["detail"];
        (own(&detail["command-id"]), own(&detail["instance-id"]), own(&detail["status"]))
    } else {
        let inner = body["Message"].as_str().and_then(|text| serde_json::from_str(text).ok());
        let inner: Value = inner.unwrap_or(body);
        (own(&inner["commandId"]), own(&inner["instanceId"]), own(&inner["status"]))
    };
    match (command, node, status) {
        (Some(_), _, status @ Some(_)) if !over(&status) => Said::Nothing,
        (Some(command), Some(node), Some(status)) => Said::Node { command, node, status },
        (Some(command), None, Some(_)) => Said::Command { command },
        _ => Said::Poison,
    }
}
