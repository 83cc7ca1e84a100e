//! SSM's own API for executions, and what SSM does not answer: a step's nodes by outcome.
//!
//! JSON 1.1 with `X-Amz-Target: AmazonSSM.…`, as the aws CLI and every SDK send it, and plain HTTP GET for the rest.

mod automation;
mod executions;
mod filter;
mod page;
mod request;
mod response;
mod steps;

use fleetwright_engine::ExecutionId;
use fleetwright_orchestrator::{Allowance, Orchestrator};
use fleetwright_wire::ServiceError;
use jiff::Timestamp;
use request::{Call, Request};
use response::Answer;
use serde_json::Value;

/// The AWS operations this function uses; its role allows these and nothing else.
pub const OPERATIONS: &[&str] = &[
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:TransactWriteItems",
    "dynamodb:UpdateItem",
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

/// Handles one request of a function URL. Every request has an answer; there is no error to Lambda.
///
/// # Errors
/// Only if an answer could not be written as JSON.
pub async fn handle(
    orchestrator: &Orchestrator,
    event: Value,
    deadline: Timestamp,
) -> Result<Value, serde_json::Error> {
    let answer = match Request::read(event) {
        // Boxed: the future of every operation in one is more than the compiler looks into.
        Ok(request) => Box::pin(answer(orchestrator, request, Allowance::prompt(deadline))).await,
        Err(error) => Answer::error(&error),
    };
    serde_json::to_value(answer)
}

async fn answer(orchestrator: &Orchestrator, request: Request, turn: Allowance) -> Answer {
    let name = request.call.name().to_owned();
    let answered = match request.call {
        Call::Ssm { operation, body } => {
            automation::call(orchestrator, &operation, body, &request.caller, turn).await
        }
        Call::Get { path } => get(orchestrator, &path).await,
    };
    match answered {
        Ok(body) => Answer::json(200, &body),
        Err(error) => {
            tracing::info!(call = %name, code = %error.code, "refused");
            Answer::error(&error)
        }
    }
}

/// `/executions/{id}/steps` and `/executions/{id}/summary`.
async fn get(orchestrator: &Orchestrator, path: &str) -> Result<Value, ServiceError> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let body = match parts.as_slice() {
        ["executions", id, "steps"] => {
            let steps = steps::step_executions(orchestrator, &ExecutionId::new(*id)).await?;
            serde_json::to_value(steps)
        }
        ["executions", id, "summary"] => {
            let fleet = orchestrator.fleet(&ExecutionId::new(*id)).await.map_err(response::service_error)?;
            serde_json::to_value(fleet)
        }
        _ => {
            return Err(ServiceError::new(
                "ResourceNotFoundException",
                format!("there is nothing at {path}"),
            ));
        }
    };
    body.map_err(|error| ServiceError::internal_server_error(error.to_string()))
}
