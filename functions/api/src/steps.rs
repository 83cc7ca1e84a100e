//! Step executions in SSM's shape, and DescribeAutomationStepExecutions.

use crate::automation::{epoch, texts};
use crate::filter;
use crate::page;
use crate::response::service_error;
use fleetwright_engine::{ExecutionId, ParentStep, Status};
use fleetwright_orchestrator::{Orchestrator, StepView};
use fleetwright_wire::{
    DescribeAutomationStepExecutionsRequest, DescribeAutomationStepExecutionsResult, FailureDetails,
    ParentStepDetails, ServiceError, StepExecution, StepExecutionFilter,
};
use jiff::Timestamp;
use serde_json::json;

/// SSM API reference, DescribeAutomationStepExecutions.
pub(crate) async fn describe(
    orchestrator: &Orchestrator,
    request: DescribeAutomationStepExecutionsRequest,
) -> Result<DescribeAutomationStepExecutionsResult, ServiceError> {
    let id = ExecutionId::new(request.automation_execution_id.unwrap_or_default());
    let most = page::size(request.max_results);
    let filters =
        request.filters.unwrap_or_default().into_iter().map(Filter::read).collect::<Result<Vec<_>, _>>()?;
    let reverse = request.reverse_order.unwrap_or(false);
    let scope = format!("steps {id} {reverse} {filters:?}");
    let after: Option<u32> = page::read(request.next_token.as_deref(), &scope)?;
    let mut views = orchestrator.steps(&id).await.map_err(service_error)?;
    if reverse {
        views.reverse();
    }
    // By ordinal: steps that begin meanwhile come behind, and are shown once.
    let is_next = |view: &StepView| match after {
        None => true,
        Some(last) if reverse => view.step.ordinal < last,
        Some(last) => view.step.ordinal > last,
    };
    let mut steps =
        views.into_iter().filter(is_next).map(|view| (view.step.ordinal, step_execution(&id, view)));
    let mut shown = Vec::new();
    let mut last = 0;
    for (ordinal, step) in steps.by_ref() {
        if filters.iter().all(|filter| filter.matches(&step)) {
            if shown.len() == most {
                let token = page::write(&json!(last), &scope);
                return Ok(DescribeAutomationStepExecutionsResult {
                    step_executions: Some(shown),
                    next_token: Some(token),
                });
            }
            shown.push(step);
            last = ordinal;
        }
    }
    Ok(DescribeAutomationStepExecutionsResult { step_executions: Some(shown), next_token: None })
}

/// What a step must be (SSM API reference, StepExecutionFilter).
#[derive(Debug)]
enum Filter {
    StartTimeBefore(Timestamp),
    StartTimeAfter(Timestamp),
    Status(Vec<String>),
    Id(Vec<String>),
    Name(Vec<String>),
    Action(Vec<String>),
    ParentId(Vec<String>),
    ParentIteration(Vec<String>),
    ParentValue(Vec<String>),
}

impl Filter {
    fn read(filter: StepExecutionFilter) -> Result<Self, ServiceError> {
        let (key, values) = (filter.key.unwrap_or_default(), filter.values.unwrap_or_default());
        let moment = || filter::moment(&key, &values);
        Ok(match key.as_str() {
            "StartTimeBefore" => Self::StartTimeBefore(moment()?),
            "StartTimeAfter" => Self::StartTimeAfter(moment()?),
            "StepExecutionStatus" => Self::Status(values),
            "StepExecutionId" => Self::Id(values),
            "StepName" => Self::Name(values),
            "Action" => Self::Action(values),
            "ParentStepExecutionId" => Self::ParentId(values),
            "ParentStepIteration" => Self::ParentIteration(values),
            "ParentStepIteratorValue" => Self::ParentValue(values),
            _ => {
                return Err(ServiceError::invalid_filter_key(format!(
                    "{key} is not a filter of step executions"
                )));
            }
        })
    }

    fn matches(&self, step: &StepExecution) -> bool {
        let one_of =
            |values: &[String], text: Option<&String>| text.is_some_and(|text| values.contains(text));
        let began = |before: bool, at: Timestamp| {
            step.execution_start_time
                .is_some_and(|began| if before { began <= epoch(at) } else { began >= epoch(at) })
        };
        let parent = step.parent_step_details.as_ref();
        match self {
            Self::StartTimeBefore(at) => began(true, *at),
            Self::StartTimeAfter(at) => began(false, *at),
            Self::Status(values) => one_of(values, step.step_status.as_ref()),
            Self::Id(values) => one_of(values, step.step_execution_id.as_ref()),
            Self::Name(values) => one_of(values, step.step_name.as_ref()),
            Self::Action(values) => one_of(values, step.action.as_ref()),
            Self::ParentId(values) => {
                one_of(values, parent.and_then(|parent| parent.step_execution_id.as_ref()))
            }
            Self::ParentIteration(values) => {
                let iteration =
                    parent.and_then(|parent| parent.iteration).map(|iteration| iteration.to_string());
                one_of(values, iteration.as_ref())
            }
            Self::ParentValue(values) => {
                one_of(values, parent.and_then(|parent| parent.iterator_value.as_ref()))
            }
        }
    }
}

/// The steps of an execution in SSM's shape, in the order they began.
pub(crate) async fn step_executions(
    orchestrator: &Orchestrator,
    id: &ExecutionId,
) -> Result<Vec<StepExecution>, ServiceError> {
    let views = orchestrator.steps(id).await.map_err(service_error)?;
    Ok(views.into_iter().map(|view| step_execution(id, view)).collect())
}

fn step_execution(id: &ExecutionId, view: StepView) -> StepExecution {
    let StepView { step, inputs, outputs, contradicted_by, definition } = view;
    let code = outputs.get("ResponseCode").and_then(|code| code.first().cloned());
    let failure_details = failure_details(&step);
    StepExecution {
        step_execution_id: Some(step_execution_id(id, step.ordinal)),
        step_name: Some(step.name.to_string()),
        action: Some(step.action),
        execution_start_time: Some(epoch(step.started_at)),
        execution_end_time: step.ended_at.map(epoch),
        step_status: Some(step.status.as_str().to_owned()),
        response_code: code,
        // SSM API reference, StepExecution.Inputs: each value is JSON text.
        inputs: Some(inputs.into_iter().map(|(name, value)| (name, value.to_string())).collect()),
        outputs: Some(outputs),
        failure_details,
        failure_message: step.failure_message,
        warning_message: (!contradicted_by.is_empty()).then(|| {
            format!(
                "Later reports contradict what was known when the step was closed; SSM was asked again: {}",
                contradicted_by.join(", ")
            )
        }),
        next_step: step.next_step.map(|name| name.to_string()),
        on_failure: Some(definition.on_failure),
        max_attempts: definition.max_attempts.map(i64::from),
        timeout_seconds: definition.timeout_seconds.map(i64::from),
        is_end: Some(definition.is_end),
        is_critical: Some(definition.is_critical),
        valid_next_steps: Some(definition.valid_next_steps),
        parent_step_details: step.parent.map(|parent| parent_step_details(id, parent)),
        ..StepExecution::default()
    }
}

/// Where and how a step failed (SSM API reference, FailureDetails), with its nodes by outcome.
fn failure_details(step: &fleetwright_engine::StepExecution) -> Option<FailureDetails> {
    match step.status {
        Status::Failed | Status::TimedOut => {}
        Status::InProgress | Status::Waiting | Status::Cancelling | Status::Success | Status::Cancelled => {
            return None;
        }
    }
    // One whose inputs do not do never got so far as to have nodes, or time.
    let began = step.counts.is_some() || step.ended_at != Some(step.started_at);
    let (stage, kind) = if began { ("Invocation", "Action") } else { ("InputValidation", "Verification") };
    let details = step.counts.map(|counts| {
        let outcomes = [
            ("SuccessCount", counts.success),
            ("FailedCount", counts.failed),
            ("TimedOutCount", counts.timed_out),
            ("UnknownCount", counts.unknown),
            ("NotRunCount", counts.not_run),
        ];
        outcomes.map(|(name, count)| (name.to_owned(), vec![count.to_string()])).into()
    });
    Some(FailureDetails {
        failure_stage: Some(stage.to_owned()),
        failure_type: Some(kind.to_owned()),
        details: Some(details.unwrap_or_default()),
    })
}

fn parent_step_details(id: &ExecutionId, parent: ParentStep) -> ParentStepDetails {
    ParentStepDetails {
        step_execution_id: Some(step_execution_id(id, parent.ordinal)),
        step_name: Some(parent.name.to_string()),
        action: Some("aws:loop".to_owned()),
        iteration: Some(i64::from(parent.iteration)),
        iterator_value: parent.iterator_value.map(|value| texts(&value).join(",")),
    }
}

/// A UUID, as SSM's, the same on every read.
fn step_execution_id(id: &ExecutionId, ordinal: u32) -> String {
    uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, format!("{id}/{ordinal}").as_bytes()).to_string()
}
