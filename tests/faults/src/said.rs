//! What messages say.

use serde_json::Value;

/// What a message says, read by other code than the functions'.
pub(crate) enum Said {
    /// How a node ended, without spaces.
    Node { command: String, node: String, status: String },
    /// How a command ended.
    Command { command: String, status: String },
    /// Nothing that is kept.
    Nothing,
    /// Nobody knows.
    Poison,
}

/// Reads a message.
pub(crate) fn said(message: &str) -> Said {
    let Ok(body) = serde_json::from_str::<Value>(message) else { return Said::Poison };
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
        (Some(command), Some(node), Some(status)) => {
            Said::Node { command, node, status: status.replace(' ', "") }
        }
        (Some(command), None, Some(status)) => Said::Command { command, status: status.replace(' ', "") },
        _ => Said::Poison,
    }
}
