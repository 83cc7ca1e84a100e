//! The operations of SSM's API that are served here.

use crate::request::Caller;
use crate::{automation, commands, executions, steps};
use fleetwright_orchestrator::{Allowance, Orchestrator};
use fleetwright_wire::{ServiceError, read_request};
use serde::Serialize;
use serde_json::Value;

/// Calls an operation that tells, with a body that is held against SSM's model first: what the model requires is there.
pub(crate) async fn read(
    orchestrator: &Orchestrator,
    operation: &str,
    body: &Value,
) -> Result<Value, ServiceError> {
    match operation {
        "ListCommands" => write(commands::list(orchestrator, read_request(operation, body)?).await?),
        "ListCommandInvocations" => {
            write(commands::list_invocations(orchestrator, read_request(operation, body)?).await?)
        }
        "GetCommandInvocation" => {
            write(commands::get_invocation(orchestrator, read_request(operation, body)?).await?)
        }
        "GetAutomationExecution" => {
            write(automation::get(orchestrator, read_request(operation, body)?).await?)
        }
        "DescribeAutomationExecutions" => {
            write(executions::describe(orchestrator, read_request(operation, body)?).await?)
        }
        "DescribeAutomationStepExecutions" => {
            write(steps::describe(orchestrator, read_request(operation, body)?).await?)
        }
        other => Err(unknown(other)),
    }
}

/// Calls an operation that changes something, in the same way.
pub(crate) async fn control(
    orchestrator: &Orchestrator,
    operation: &str,
    body: &Value,
    caller: &Caller,
    turn: Allowance,
) -> Result<Value, ServiceError> {
    match operation {
        "SendCommand" => {
            write(commands::send(orchestrator, &read_request(operation, body)?, caller, turn).await?)
        }
        "CancelCommand" => write(commands::cancel(orchestrator, read_request(operation, body)?).await?),
        "StartAutomationExecution" => {
            write(automation::start(orchestrator, read_request(operation, body)?, caller, turn).await?)
        }
        "StopAutomationExecution" => {
            write(automation::stop(orchestrator, read_request(operation, body)?, turn).await?)
        }
        "SendAutomationSignal" => {
            write(automation::signal(orchestrator, read_request(operation, body)?, caller, turn).await?)
        }
        other => Err(unknown(other)),
    }
}

fn unknown(operation: &str) -> ServiceError {
    ServiceError::unknown_operation(format!("there is no operation {operation}"))
}

fn write(answer: impl Serialize) -> Result<Value, ServiceError> {
    serde_json::to_value(answer).map_err(|error| ServiceError::internal_server_error(error.to_string()))
}
