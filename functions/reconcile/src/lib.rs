//! Every minute: finds by reading what no event told us.

use aws_lambda_events::eventbridge::EventBridgeEvent;
use fleetwright_orchestrator::Orchestrator;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The AWS operations this function uses; its role allows these and nothing else.
pub const OPERATIONS: &[&str] = &[
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:TransactWriteItems",
    "dynamodb:UpdateItem",
    "events:PutEvents",
    "sns:Publish",
    "sqs:SendMessage",
    "ssm:CancelCommand",
    "ssm:DescribeInstancePatchStates",
    "ssm:ListCommandInvocations",
    "ssm:ListCommands",
    "ssm:SendCommand",
    "sts:AssumeRole",
];

/// A tick that did not take place.
#[derive(Debug, thiserror::Error)]
pub enum TickError {
    /// Not the schedule's event, or without its time, which is the reconciler's clock.
    #[error("not a scheduled event: {0}")]
    Malformed(String),
}

/// Handles one scheduled event.
///
/// # Errors
/// [`TickError`]; the next minute's tick does what this one did not.
pub async fn handle(
    orchestrator: &Orchestrator,
    event: Value,
    deadline: Timestamp,
) -> Result<Value, TickError> {
    let event: EventBridgeEvent<Value> =
        serde_json::from_value(event).map_err(|error| TickError::Malformed(error.to_string()))?;
    let time = event.time.ok_or_else(|| TickError::Malformed("missing field `time`".to_owned()))?;
    let scheduled = Timestamp::from_second(time.timestamp())
        .map_err(|error| TickError::Malformed(format!("field `time`: {error}")))?;
    let done = orchestrator.reconcile(scheduled, deadline).await;
    tracing::info!(nominated = done.nominated, worked = done.worked, failed = done.failed, "reconciled");
    Ok(json!({ "nominated": done.nominated, "worked": done.worked, "failed": done.failed }))
}
