//! Takes what SSM says about commands: SNS records, EventBridge events, and SQS batches of either and of wakes.

use aws_lambda_events::sns::SnsEvent;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use fleetwright_orchestrator::{Allowance, BatchMessage, Orchestrator, TakenFacts};
use jiff::Timestamp;
use serde_json::{Value, json};

/// The AWS operations this function uses; its role allows these and nothing else.
pub const OPERATIONS: &[&str] = &[
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:TransactWriteItems",
    "dynamodb:UpdateItem",
    "events:PutEvents",
    "sns:Publish",
    "sqs:SendMessage",
    "ssm:CancelCommand",
    "ssm:DescribeInstancePatchStates",
    "ssm:GetDocument",
    "ssm:GetParameters",
    "ssm:ListCommandInvocations",
    "ssm:ListCommands",
    "ssm:SendCommand",
    "sts:AssumeRole",
];

/// An event that the function cannot answer with success.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is of no kind that was agreed upon.
    #[error("the event is neither an SQS batch, nor SNS records, nor an EventBridge event")]
    Unknown,
    /// It is of one, but cannot be read.
    #[error("malformed event: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Delivered directly, so only the whole can be delivered again.
    #[error("{0} of the event's messages were not taken")]
    NotTaken(usize),
}

/// Where an event came from: decides how failure is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Each message can come again by itself.
    Queue,
    /// Lambda delivers the whole event again.
    Direct,
}

/// Handles one event. From a queue, answers with the messages that are to come again.
///
/// # Errors
/// [`EventError`]: Lambda delivers the event again, and then puts it into the dead-letter queue.
pub async fn handle(
    orchestrator: &Orchestrator,
    event: Value,
    deadline: Timestamp,
) -> Result<Value, EventError> {
    let (source, batch) = read(event)?;
    // Boxed: the futures of all that a batch leads to in one are more than the compiler looks into.
    let taken = Box::pin(orchestrator.take(&batch, Allowance::prompt(deadline))).await;
    tracing::info!(
        messages = batch.len(),
        folded = taken.folded,
        failed = taken.failed.len(),
        too_old = taken.too_old,
        poison = taken.poison,
        "taken"
    );
    answer(source, taken)
}

fn answer(source: Source, taken: TakenFacts) -> Result<Value, EventError> {
    match source {
        Source::Queue => {
            let failure = |id: String| {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = id;
                failure
            };
            let mut response = SqsBatchResponse::default();
            response.batch_item_failures = taken.failed.into_iter().map(failure).collect();
            Ok(serde_json::to_value(response)?)
        }
        Source::Direct if taken.failed.is_empty() => Ok(json!({})),
        Source::Direct => Err(EventError::NotTaken(taken.failed.len())),
    }
}

fn read(event: Value) -> Result<(Source, Vec<BatchMessage>), EventError> {
    // An event as it is, or what a rule's input transformer made of it.
    if event.get("detail-type").is_some() || event.get("fleetwright").is_some() {
        let id = event.get("id").and_then(Value::as_str).unwrap_or("event").to_owned();
        return Ok((Source::Direct, vec![BatchMessage { id, body: event.to_string() }]));
    }
    let first = event.get("Records").and_then(|records| records.get(0)).ok_or(EventError::Unknown)?;
    // SQS writes `eventSource`, SNS `EventSource`.
    match (first.get("eventSource"), first.get("EventSource")) {
        (Some(_), None) => Ok((Source::Queue, queue_messages(serde_json::from_value(event)?)?)),
        (None, Some(_)) => Ok((Source::Direct, notifications(serde_json::from_value(event)?))),
        _ => Err(EventError::Unknown),
    }
}

/// A message without an id could not be reported alone: an unknown id in the answer brings the whole batch back.
fn queue_messages(event: SqsEvent) -> Result<Vec<BatchMessage>, EventError> {
    let message = |record: aws_lambda_events::sqs::SqsMessage| {
        let id = record.message_id.filter(|id| !id.is_empty()).ok_or(EventError::Unknown)?;
        Ok(BatchMessage { id, body: record.body.unwrap_or_default() })
    };
    event.records.into_iter().map(message).collect()
}

/// In the envelope that a queue gets: it names the message and its topic.
fn notifications(event: SnsEvent) -> Vec<BatchMessage> {
    let message = |record: aws_lambda_events::sns::SnsRecord| {
        let sns = record.sns;
        let envelope = json!({ "Type": "Notification", "TopicArn": sns.topic_arn, "MessageId": sns.message_id,
            "Timestamp": sns.timestamp, "Message": sns.message });
        BatchMessage { body: envelope.to_string(), id: sns.message_id }
    };
    event.records.into_iter().map(message).collect()
}
