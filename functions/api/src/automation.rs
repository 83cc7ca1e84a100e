//! The operations on automation executions (SSM API reference).

use crate::executions;
use crate::request::Caller;
use crate::response::service_error;
use crate::steps::{self, step_executions};
use fleetwright_engine::{ExecutionId, Phase, Signal, SignalRequest, Status, StopType};
use fleetwright_orchestrator::{Allowance, ExecutionView, Orchestrator, StartRequest};
use fleetwright_wire::{
    AutomationExecution, EpochSeconds, GetAutomationExecutionRequest, GetAutomationExecutionResult,
    Parameters, ProgressCounters, SendAutomationSignalRequest, SendAutomationSignalResult, ServiceError,
    StartAutomationExecutionRequest, StartAutomationExecutionResult, StepExecution,
    StopAutomationExecutionRequest, StopAutomationExecutionResult,
};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Step executions that GetAutomationExecution shows: a loop makes thousands, and Lambda answers with at most 6 MB.
const STEPS_SHOWN: usize = 500;

pub(crate) async fn call(
    orchestrator: &Orchestrator,
    operation: &str,
    body: Value,
    caller: &Caller,
    turn: Allowance,
) -> Result<Value, ServiceError> {
    match operation {
        "StartAutomationExecution" => write(start(orchestrator, read(body)?, caller, turn).await?),
        "GetAutomationExecution" => write(get(orchestrator, &read(body)?).await?),
        "StopAutomationExecution" => write(stop(orchestrator, &read(body)?, turn).await?),
        "DescribeAutomationExecutions" => write(executions::describe(orchestrator, read(body)?).await?),
        "DescribeAutomationStepExecutions" => write(steps::describe(orchestrator, read(body)?).await?),
        "SendAutomationSignal" => write(signal(orchestrator, read(body)?, caller, turn).await?),
        other => Err(ServiceError::unknown_operation(format!("there is no operation {other}"))),
    }
}

fn read<T: DeserializeOwned>(body: Value) -> Result<T, ServiceError> {
    serde_json::from_value(body).map_err(|error| ServiceError::serialization(error.to_string()))
}

fn write(answer: impl Serialize) -> Result<Value, ServiceError> {
    serde_json::to_value(answer).map_err(|error| ServiceError::internal_server_error(error.to_string()))
}

pub(crate) fn required<T>(value: Option<T>, member: &str) -> Result<T, ServiceError> {
    value.ok_or_else(|| {
        ServiceError::validation(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not \
             be null"
        ))
    })
}

async fn start(
    orchestrator: &Orchestrator,
    request: StartAutomationExecutionRequest,
    caller: &Caller,
    turn: Allowance,
) -> Result<StartAutomationExecutionResult, ServiceError> {
    let unsupported = [
        ("Targets", request.targets.is_some()),
        ("TargetMaps", request.target_maps.is_some()),
        ("TargetLocations", request.target_locations.is_some()),
        ("TargetParameterName", request.target_parameter_name.is_some()),
        ("TargetLocationsURL", request.target_locations_url.is_some()),
        ("MaxConcurrency", request.max_concurrency.is_some()),
        ("MaxErrors", request.max_errors.is_some()),
        ("AlarmConfiguration", request.alarm_configuration.is_some()),
        ("Tags", request.tags.is_some()),
        ("Mode", request.mode.as_deref().is_some_and(|mode| mode != "Auto")),
    ];
    if let Some((member, _)) = unsupported.iter().find(|(_, given)| *given) {
        // Refused, not ignored: an alarm that does not stop anything is worse than none.
        return Err(ServiceError::validation(format!(
            "{member} is not supported: whom a runbook is for and how many at once, its own steps say"
        )));
    }
    let request = StartRequest {
        document_name: required(request.document_name, "documentName")?,
        document_version: request.document_version,
        parameters: request.parameters.unwrap_or_default(),
        client_token: request.client_token,
        executed_by: caller.arn.clone(),
    };
    let id = orchestrator.start(&request, turn).await.map_err(service_error)?;
    Ok(StartAutomationExecutionResult { automation_execution_id: Some(id.to_string()) })
}

async fn stop(
    orchestrator: &Orchestrator,
    request: &StopAutomationExecutionRequest,
    turn: Allowance,
) -> Result<StopAutomationExecutionResult, ServiceError> {
    let id = required(request.automation_execution_id.clone(), "automationExecutionId")?;
    let kind = match request.kind.as_deref() {
        None | Some("Cancel") => StopType::Cancel,
        Some("Complete") => StopType::Complete,
        Some(other) => return Err(not_in(other, "type", "[Complete, Cancel]")),
    };
    orchestrator.stop(&ExecutionId::new(id), kind, turn).await.map_err(service_error)?;
    Ok(StopAutomationExecutionResult {})
}

fn not_in(value: &str, member: &str, allowed: &str) -> ServiceError {
    ServiceError::validation(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must \
         satisfy enum value set: {allowed}"
    ))
}

async fn signal(
    orchestrator: &Orchestrator,
    request: SendAutomationSignalRequest,
    caller: &Caller,
    turn: Allowance,
) -> Result<SendAutomationSignalResult, ServiceError> {
    let id = required(request.automation_execution_id, "automationExecutionId")?;
    let signal = match required(request.signal_type, "signalType")?.as_str() {
        "Approve" => Signal::Approve,
        "Reject" => Signal::Reject,
        "StartStep" => Signal::StartStep,
        "StopStep" => Signal::StopStep,
        "Resume" => Signal::Resume,
        "Revoke" => Signal::Revoke,
        other => {
            return Err(not_in(
                other,
                "signalType",
                "[Approve, Reject, StartStep, StopStep, Resume, Revoke]",
            ));
        }
    };
    let payload = request.payload.unwrap_or_default();
    check_payload(&payload)?;
    let (caller, request_id) = (caller.arn.clone(), caller.request_id.clone());
    let signal = SignalRequest { signal, caller, payload, request_id, ordinal: None };
    orchestrator.signal(&ExecutionId::new(id), &signal, turn).await.map_err(service_error)?;
    Ok(SendAutomationSignalResult {})
}

/// SSM API reference, SendAutomationSignal.Payload (AutomationParameterMap): 1 to 200 keys of 1 to 50 characters, each
/// with at most 50 values of 1 to 512.
fn check_payload(payload: &Parameters) -> Result<(), ServiceError> {
    let within = |length: usize, most: usize| (1..=most).contains(&length);
    let fits = |(key, values): (&String, &Vec<String>)| {
        within(key.chars().count(), 50)
            && values.len() <= 50
            && values.iter().all(|value| within(value.chars().count(), 512))
    };
    if payload.len() <= 200 && payload.iter().all(fits) {
        return Ok(());
    }
    Err(ServiceError::validation(
        "1 validation error detected: Value at 'payload' failed to satisfy constraint: Map must have at most 200 keys \
         of length 1 to 50, each with at most 50 values of length 1 to 512",
    ))
}

async fn get(
    orchestrator: &Orchestrator,
    request: &GetAutomationExecutionRequest,
) -> Result<GetAutomationExecutionResult, ServiceError> {
    let id = ExecutionId::new(required(request.automation_execution_id.clone(), "automationExecutionId")?);
    let view = orchestrator.execution(&id).await.map_err(service_error)?;
    let mut steps = step_executions(orchestrator, &id).await?;
    let counters = progress(&steps);
    let truncated = steps.len() > STEPS_SHOWN;
    steps.truncate(STEPS_SHOWN);
    Ok(GetAutomationExecutionResult {
        automation_execution: Some(execution(view, steps, counters, truncated)),
    })
}

fn execution(
    view: ExecutionView,
    steps: Vec<StepExecution>,
    counters: ProgressCounters,
    truncated: bool,
) -> AutomationExecution {
    let ExecutionView { execution, outputs, parked, warnings } = view;
    let (ended_at, failure, at_its_end) = match &execution.phase {
        Phase::Ended { ending, at } => {
            (Some(epoch(*at)), ending.failure_message.clone(), ending.warning.clone())
        }
        Phase::At(_) | Phase::In(_) | Phase::Ending(_) => (None, None, None),
    };
    let parameters = execution.parameters.iter().map(|(name, value)| (name.clone(), texts(value))).collect();
    AutomationExecution {
        automation_execution_id: Some(execution.id.to_string()),
        document_name: Some(execution.document.name.clone()),
        document_version: Some(execution.document.version.clone()),
        execution_start_time: Some(epoch(execution.started_at)),
        execution_end_time: ended_at,
        automation_execution_status: Some(execution.status().as_str().to_owned()),
        progress_counters: Some(counters),
        step_executions: Some(steps),
        step_executions_truncated: Some(truncated),
        parameters: Some(parameters),
        outputs: Some(outputs),
        failure_message: failure,
        warning_message: warning(parked, warnings.into_iter().chain(at_its_end)),
        mode: Some("Auto".to_owned()),
        executed_by: Some(execution.executed_by.clone()),
        current_step_name: execution.open_step().map(|step| step.name.to_string()),
        current_action: execution.open_step().map(|step| step.action.clone()),
        ..AutomationExecution::default()
    }
}

/// What a person should know.
fn warning(parked: Option<String>, others: impl Iterator<Item = String>) -> Option<String> {
    let parked = parked.map(|reason| format!("Needs attention: {reason}"));
    let warnings: Vec<String> = parked.into_iter().chain(others).collect();
    (!warnings.is_empty()).then(|| warnings.join(". "))
}

fn progress(steps: &[StepExecution]) -> ProgressCounters {
    let count = |status: Status| {
        let of = |step: &&StepExecution| step.step_status.as_deref() == Some(status.as_str());
        i64::try_from(steps.iter().filter(of).count()).ok()
    };
    ProgressCounters {
        total_steps: i64::try_from(steps.len()).ok(),
        success_steps: count(Status::Success),
        failed_steps: count(Status::Failed),
        cancelled_steps: count(Status::Cancelled),
        timed_out_steps: count(Status::TimedOut),
    }
}

pub(crate) fn epoch(at: Timestamp) -> EpochSeconds {
    EpochSeconds::from_millis(at.as_millisecond())
}

pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => {
            vec![other.to_string()]
        }
    }
}
