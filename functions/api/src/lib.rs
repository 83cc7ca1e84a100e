//! SSM's own API, and what SSM does not answer: what became of a fleet, in numbers, by node and in groups.
//!
//! JSON 1.1 with `X-Amz-Target: AmazonSSM.…`, as the aws CLI and every SDK send it, and plain HTTP GET for the rest. Two
//! endpoints, each a program of its own: none holds what it must not do, and who only looks waits for no code that sends.

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

/// Handles a request to the endpoint that reads; what changes something is refused. Every request has an answer; there is
/// no error to Lambda.
///
/// # Errors
/// Only if an answer could not be written as JSON.
pub async fn read(orchestrator: &Orchestrator, event: Value) -> Result<Value, serde_json::Error> {
    let answer = match Request::read(event).map(|request| request.call) {
        Ok(Call::Get { path, query, accept }) => {
            Box::pin(results::get(orchestrator, &path, &query, &accept)).await
        }
        Ok(Call::Ssm { operation, body }) if Endpoint::of_operation(&operation) == Endpoint::Read => {
            // Boxed: the future of every operation in one is more than the compiler looks into.
            told(&operation, Box::pin(operation::read(orchestrator, &operation, &body)).await)
        }
        Ok(call) => elsewhere(&call, Endpoint::Read),
        Err(error) => Answer::error(&error),
    };
    serde_json::to_value(answer)
}

/// Handles a request to the endpoint that controls; what only tells is refused. Every request has an answer; there is no
/// error to Lambda.
///
/// # Errors
/// Only if an answer could not be written as JSON.
pub async fn control(
    orchestrator: &Orchestrator,
    event: Value,
    deadline: Timestamp,
) -> Result<Value, serde_json::Error> {
    let turn = Allowance::prompt(deadline);
    let answer = match Request::read(event) {
        Ok(Request { call: Call::Ssm { operation, body }, caller })
            if Endpoint::of_operation(&operation) == Endpoint::Control =>
        {
            let answered = operation::control(orchestrator, &operation, &body, &caller, turn);
            told(&operation, Box::pin(answered).await)
        }
        Ok(Request { call, .. }) => elsewhere(&call, Endpoint::Control),
        Err(error) => Answer::error(&error),
    };
    serde_json::to_value(answer)
}

fn told(call: &str, answered: Result<Value, ServiceError>) -> Answer {
    answered.map_or_else(|error| refused(call, &error), |body| Answer::json(200, &body))
}

fn refused(call: &str, error: &ServiceError) -> Answer {
    tracing::info!(%call, code = %error.code, "refused");
    Answer::error(error)
}

/// What is not served by this endpoint.
fn elsewhere(call: &Call, endpoint: Endpoint) -> Answer {
    let error = ServiceError::access_denied(format!(
        "{} is not served by the {} endpoint; ask the {} endpoint",
        call.name(),
        endpoint.name(),
        call.endpoint().name()
    ));
    refused(call.name(), &error)
}
