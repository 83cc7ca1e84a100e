//! The operations on automation executions (SSM API reference).

use crate::request::Caller;
use crate::response::service_error;
use crate::steps::step_executions;
use fleetwright_engine::{ExecutionId, Phase, Signal, SignalRequest, Status, StopType};
use fleetwright_orchestrator::{Allowance, ExecutionView, Orchestrator, StartRequest};
use fleetwright_wire::{
    AutomationExecution, EpochSeconds, GetAutomationExecutionRequest, GetAutomationExecutionResult,
    ProgressCounters, SendAutomationSignalRequest, SendAutomationSignalResult, ServiceError,
    StartAutomationExecutionRequest, StartAutomationExecutionResult, StepExecution,
    StopAutomationExecutionRequest, StopAutomationExecutionResult, Tag,
};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// SSM API reference, StartAutomationExecution.Tags.
const TAGS_MAX: usize = 5;
/// Step executions that GetAutomationExecution shows: a loop makes thousands.
const STEPS_SHOWN: usize = 500;
/// Bytes of JSON that these may have: Lambda answers with at most 6 MB, in which quotation marks are escaped once more.
const STEPS_BYTES_MAX: usize = 2_500_000;

pub(crate) async fn start(
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
        ("Mode", request.mode.as_deref().is_some_and(|mode| mode != "Auto")),
    ];
    if let Some((member, _)) = unsupported.iter().find(|(_, given)| *given) {
        // Refused, not ignored: an alarm that does not stop anything is worse than none.
        return Err(ServiceError::validation(format!(
            "{member} is not supported: whom a runbook is for and how many at once, its own steps say"
        )));
    }
    let tags = tags(request.tags.unwrap_or_default())?;
    let request = StartRequest {
        tags,
        document_name: request.document_name.unwrap_or_default(),
        document_version: request.document_version,
        parameters: request.parameters.unwrap_or_default(),
        client_token: request.client_token,
        executed_by: caller.arn.clone(),
    };
    let id = orchestrator.start(&request, turn).await.map_err(service_error)?;
    Ok(StartAutomationExecutionResult { automation_execution_id: Some(id.to_string()) })
}

/// SSM API reference, StartAutomationExecution.Tags: at most five, and a key has one value.
fn tags(tags: Vec<Tag>) -> Result<BTreeMap<String, String>, ServiceError> {
    if tags.len() > TAGS_MAX {
        return Err(ServiceError::validation(format!("Tags: an execution has at most {TAGS_MAX}")));
    }
    let mut by_key = BTreeMap::new();
    for Tag { key, value } in tags {
        let key = key.unwrap_or_default();
        if by_key.insert(key.clone(), value.unwrap_or_default()).is_some() {
            return Err(ServiceError::validation(format!("Tags: the key {key} is there twice")));
        }
    }
    Ok(by_key)
}

pub(crate) async fn stop(
    orchestrator: &Orchestrator,
    request: StopAutomationExecutionRequest,
    turn: Allowance,
) -> Result<StopAutomationExecutionResult, ServiceError> {
    let id = request.automation_execution_id.unwrap_or_default();
    let kind = match request.kind.as_deref() {
        Some("Complete") => StopType::Complete,
        _ => StopType::Cancel,
    };
    orchestrator.stop(&ExecutionId::new(id), kind, turn).await.map_err(service_error)?;
    Ok(StopAutomationExecutionResult {})
}

pub(crate) async fn signal(
    orchestrator: &Orchestrator,
    request: SendAutomationSignalRequest,
    caller: &Caller,
    turn: Allowance,
) -> Result<SendAutomationSignalResult, ServiceError> {
    let id = request.automation_execution_id.unwrap_or_default();
    let signal = match request.signal_type.as_deref() {
        Some("Approve") => Signal::Approve,
        Some("Reject") => Signal::Reject,
        Some("StartStep") => Signal::StartStep,
        Some("StopStep") => Signal::StopStep,
        Some("Resume") => Signal::Resume,
        Some("Revoke") => Signal::Revoke,
        other => {
            let name = other.unwrap_or_default();
            return Err(ServiceError::invalid_automation_signal(format!("there is no signal {name}")));
        }
    };
    let payload = request.payload.unwrap_or_default();
    let (caller, request_id) = (caller.arn.clone(), caller.request_id.clone());
    let signal = SignalRequest { signal, caller, payload, request_id, ordinal: None };
    orchestrator.signal(&ExecutionId::new(id), &signal, turn).await.map_err(service_error)?;
    Ok(SendAutomationSignalResult {})
}

pub(crate) async fn get(
    orchestrator: &Orchestrator,
    request: GetAutomationExecutionRequest,
) -> Result<GetAutomationExecutionResult, ServiceError> {
    let id = ExecutionId::new(request.automation_execution_id.unwrap_or_default());
    let view = orchestrator.execution(&id).await.map_err(service_error)?;
    let mut steps = step_executions(orchestrator, &id).await?;
    let counters = progress(&steps);
    let shown = fitting(&steps);
    let truncated = steps.len() > shown;
    steps.truncate(shown);
    Ok(GetAutomationExecutionResult {
        automation_execution: Some(execution(view, steps, counters, truncated)),
    })
}

/// How many steps, from the first, fit into an answer.
fn fitting(steps: &[StepExecution]) -> usize {
    let bytes = |step: &StepExecution| serde_json::to_vec(step).map_or(0, |json| json.len());
    let mut left = STEPS_BYTES_MAX;
    let fits = |step: &&StepExecution| {
        let rest = left.checked_sub(bytes(step));
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    steps.iter().take(STEPS_SHOWN).take_while(fits).count()
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
        variables: Some(
            execution.variables.iter().map(|(name, value)| (name.clone(), texts(value))).collect(),
        ),
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
