//! SSM's own API, and what SSM does not answer: what became of a fleet, in numbers, by node and in groups.
//!
//! JSON 1.1 with `X-Amz-Target: AmazonSSM.…`, as the aws CLI and every SDK send it, and plain HTTP GET for the rest.

mod automation;
mod commands;
mod executions;
mod filter;
mod operation;
mod page;
mod request;
mod response;
mod results;
mod steps;

use fleetwright_orchestrator::{Allowance, Orchestrator};
use fleetwright_wire::{Endpoint, ServiceError};
use jiff::Timestamp;
use request::{Call, Request};
use response::Answer;
use serde_json::Value;

/// The AWS operations of the endpoint that reads; its role allows these and nothing else. What is read through from SSM is
/// kept.
pub const READ_OPERATIONS: &[&str] = &[
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "ssm:GetCommandInvocation",
];

/// The AWS operations of the endpoint that controls; its role allows these and nothing else.
pub const CONTROL_OPERATIONS: &[&str] = &[
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
    "ssm:GetDocument",
    "ssm:GetParameters",
    "ssm:ListCommandInvocations",
    "ssm:ListCommands",
    "ssm:SendCommand",
    "sts:AssumeRole",
];

/// Handles one request of a function URL, which is one of two endpoints: it refuses what the other one is for. Every request has an answer; there is no error to Lambda.
///
/// # Errors
/// Only if an answer could not be written as JSON.
pub async fn handle(
    orchestrator: &Orchestrator,
    endpoint: Endpoint,
    event: Value,
    deadline: Timestamp,
) -> Result<Value, serde_json::Error> {
    let answer = match Request::read(event) {
        // Boxed: the future of every operation in one is more than the compiler looks into.
        Ok(request) => Box::pin(answer(orchestrator, endpoint, request, Allowance::prompt(deadline))).await,
        Err(error) => Answer::error(&error),
    };
    serde_json::to_value(answer)
}

async fn answer(
    orchestrator: &Orchestrator,
    endpoint: Endpoint,
    request: Request,
    turn: Allowance,
) -> Answer {
    let name = request.call.name().to_owned();
    let answered = match request.call {
        call if call.endpoint() != endpoint => Err(elsewhere(&call, endpoint)),
        Call::Ssm { operation, body } => {
            operation::call(orchestrator, &operation, &body, &request.caller, turn).await
        }
        Call::Get { path, query, accept } => {
            return results::get(orchestrator, &path, &query, &accept).await;
        }
    };
    match answered {
        Ok(body) => Answer::json(200, &body),
        Err(error) => {
            tracing::info!(call = %name, code = %error.code, "refused");
            Answer::error(&error)
        }
    }
}

fn elsewhere(call: &Call, endpoint: Endpoint) -> ServiceError {
    ServiceError::access_denied(format!(
        "{} is not served by the {} endpoint; ask the {} endpoint",
        call.name(),
        endpoint.name(),
        call.endpoint().name()
    ))
}
