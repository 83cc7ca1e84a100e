//! DescribeAutomationExecutions.

use crate::automation::epoch;
use crate::filter;
use crate::page;
use crate::response::service_error;
use fleetwright_engine::Phase;
use fleetwright_orchestrator::{ExecutionView, Orchestrator, RecentQuery};
use fleetwright_wire::{
    AutomationExecutionFilter, AutomationExecutionMetadata, DescribeAutomationExecutionsRequest,
    DescribeAutomationExecutionsResult, ServiceError,
};
use jiff::Timestamp;
use serde_json::json;

/// Keys that no execution here ever matches: there are no children, groups and change requests.
const NEVER: [&str; 4] = ["ParentExecutionId", "TargetResourceGroup", "AutomationSubtype", "OpsItemId"];

/// SSM API reference, DescribeAutomationExecutions.
pub(crate) async fn describe(
    orchestrator: &Orchestrator,
    request: DescribeAutomationExecutionsRequest,
) -> Result<DescribeAutomationExecutionsResult, ServiceError> {
    let limit = page::size(request.max_results);
    let filters =
        request.filters.unwrap_or_default().into_iter().map(Filter::read).collect::<Result<Vec<_>, _>>()?;
    let scope = format!("executions {filters:?}");
    let now = orchestrator.now();
    let query = RecentQuery {
        after: filters.iter().filter_map(Filter::after).max().unwrap_or_else(|| orchestrator.oldest()),
        before: filters.iter().filter_map(Filter::before).min().unwrap_or(now).min(now),
        place: page::read(request.next_token.as_deref(), &scope)?,
        limit,
    };
    let matches = |view: &ExecutionView| filters.iter().all(|filter| filter.matches(view));
    let found = orchestrator.recent_executions(&query, matches).await.map_err(service_error)?;
    Ok(DescribeAutomationExecutionsResult {
        automation_execution_metadata_list: Some(found.executions.into_iter().map(metadata).collect()),
        next_token: found.place.map(|place| page::write(&json!(place), &scope)),
    })
}

/// What an execution must be (SSM API reference, AutomationExecutionFilter).
#[derive(Debug)]
enum Filter {
    Id(Vec<String>),
    DocumentNamePrefix(Vec<String>),
    Status(Vec<String>),
    CurrentAction(Vec<String>),
    StartTimeBefore(Timestamp),
    StartTimeAfter(Timestamp),
    Type(Vec<String>),
    TagKey(Vec<String>),
    Never,
}

impl Filter {
    fn read(filter: AutomationExecutionFilter) -> Result<Self, ServiceError> {
        let (key, values) = (filter.key.unwrap_or_default(), filter.values.unwrap_or_default());
        let moment = || filter::moment(&key, &values);
        Ok(match key.as_str() {
            "ExecutionId" => Self::Id(values),
            "DocumentNamePrefix" => Self::DocumentNamePrefix(values),
            "ExecutionStatus" => Self::Status(values),
            "CurrentAction" => Self::CurrentAction(values),
            "StartTimeBefore" => Self::StartTimeBefore(moment()?),
            "StartTimeAfter" => Self::StartTimeAfter(moment()?),
            "AutomationType" => Self::Type(values),
            "TagKey" => Self::TagKey(values),
            key if NEVER.contains(&key) => Self::Never,
            _ => {
                return Err(ServiceError::invalid_filter_key(format!("{key} is not a filter of executions")));
            }
        })
    }

    fn matches(&self, view: &ExecutionView) -> bool {
        let execution = &view.execution;
        let is = |values: &[String], text: &str| values.iter().any(|value| value == text);
        match self {
            Self::Id(values) => is(values, execution.id.as_str()),
            Self::DocumentNamePrefix(values) => {
                values.iter().any(|prefix| execution.document.name.starts_with(prefix.as_str()))
            }
            Self::Status(values) => is(values, execution.status().as_str()),
            Self::CurrentAction(values) => execution.open_step().is_some_and(|step| is(values, &step.action)),
            Self::StartTimeBefore(at) => execution.started_at <= *at,
            Self::StartTimeAfter(at) => execution.started_at >= *at,
            Self::Type(values) => is(values, "Local"),
            Self::TagKey(values) => values.iter().any(|key| execution.tags.contains_key(key)),
            Self::Never => false,
        }
    }

    const fn after(&self) -> Option<Timestamp> {
        match self {
            Self::StartTimeAfter(at) => Some(*at),
            Self::Id(_)
            | Self::DocumentNamePrefix(_)
            | Self::Status(_)
            | Self::CurrentAction(_)
            | Self::StartTimeBefore(_)
            | Self::Type(_)
            | Self::TagKey(_)
            | Self::Never => None,
        }
    }

    const fn before(&self) -> Option<Timestamp> {
        match self {
            Self::StartTimeBefore(at) => Some(*at),
            Self::Id(_)
            | Self::DocumentNamePrefix(_)
            | Self::Status(_)
            | Self::CurrentAction(_)
            | Self::StartTimeAfter(_)
            | Self::Type(_)
            | Self::TagKey(_)
            | Self::Never => None,
        }
    }
}

fn metadata(view: ExecutionView) -> AutomationExecutionMetadata {
    let ExecutionView { execution, outputs, .. } = view;
    let status = execution.status().as_str().to_owned();
    let step = execution.open_step().map(|step| (step.name.to_string(), step.action.clone()));
    let (ended_at, failure) = match execution.phase {
        Phase::Ended { ending, at } => (Some(epoch(at)), ending.failure_message),
        Phase::At(_) | Phase::In(_) | Phase::Ending(_) => (None, None),
    };
    let (current_step_name, current_action) = step.unzip();
    AutomationExecutionMetadata {
        automation_execution_id: Some(execution.id.to_string()),
        document_name: Some(execution.document.name),
        document_version: Some(execution.document.version),
        automation_execution_status: Some(status),
        execution_start_time: Some(epoch(execution.started_at)),
        execution_end_time: ended_at,
        executed_by: Some(execution.executed_by),
        outputs: Some(outputs),
        mode: Some("Auto".to_owned()),
        current_step_name,
        current_action,
        failure_message: failure,
        automation_type: Some("Local".to_owned()),
        ..AutomationExecutionMetadata::default()
    }
}
