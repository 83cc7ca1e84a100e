//! The operations of SSM's API that are served here.

use crate::request::Caller;
use crate::{automation, commands, executions, steps};
use fleetwright_orchestrator::{Allowance, Orchestrator};
use fleetwright_wire::{ServiceError, read_request};
use serde::Serialize;
use serde_json::Value;

/// Calls an operation with a body that is held against SSM's model first: what the model requires is there.
pub(crate) async fn call(
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
        "ListCommands" => write(commands::list(orchestrator, read_request(operation, body)?).await?),
        "ListCommandInvocations" => {
            write(commands::list_invocations(orchestrator, read_request(operation, body)?).await?)
        }
        "GetCommandInvocation" => {
            write(commands::get_invocation(orchestrator, read_request(operation, body)?).await?)
        }
        "StartAutomationExecution" => {
            write(automation::start(orchestrator, read_request(operation, body)?, caller, turn).await?)
        }
        "GetAutomationExecution" => {
            write(automation::get(orchestrator, read_request(operation, body)?).await?)
        }
        "StopAutomationExecution" => {
            write(automation::stop(orchestrator, read_request(operation, body)?, turn).await?)
        }
        "SendAutomationSignal" => {
            write(automation::signal(orchestrator, read_request(operation, body)?, caller, turn).await?)
        }
        "DescribeAutomationExecutions" => {
            write(executions::describe(orchestrator, read_request(operation, body)?).await?)
        }
        "DescribeAutomationStepExecutions" => {
            write(steps::describe(orchestrator, read_request(operation, body)?).await?)
        }
        other => Err(ServiceError::unknown_operation(format!("there is no operation {other}"))),
    }
}

fn write(answer: impl Serialize) -> Result<Value, ServiceError> {
    serde_json::to_value(answer).map_err(|error| ServiceError::internal_server_error(error.to_string()))
}
