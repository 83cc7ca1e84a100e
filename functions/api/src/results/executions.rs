//! Executions, their steps, numbers and timelines.

use super::parameters::{limit, moment, place, token, wrong};
use crate::response::service_error;
use fleetwright_engine::{ExecutionId, Status};
use fleetwright_orchestrator::{ExecutionView, Orchestrator, RecentQuery};
use fleetwright_wire::ServiceError;
use fleetwright_wire::results::{ExecutionDetail, ExecutionList, StepList, Summary, Timeline};
use serde::Deserialize;

/// Executions and steps of a page, unless asked for otherwise, and at most.
const PAGE: u32 = 50;
const PAGE_MAX: u32 = 100;

const STATUSES: [Status; 7] = [
    Status::InProgress,
    Status::Waiting,
    Status::Cancelling,
    Status::Success,
    Status::Failed,
    Status::TimedOut,
    Status::Cancelled,
];

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct ExecutionsParameters {
    /// Only executions of this status, or of one of these, with commas between.
    #[cfg_attr(test, param(example = "Failed,TimedOut"))]
    status: Option<String>,
    /// Only executions of the runbook of this name.
    document: Option<String>,
    /// Only executions that were started then or later.
    #[cfg_attr(test, param(format = DateTime))]
    after: Option<String>,
    /// Only executions that were started then or before.
    #[cfg_attr(test, param(format = DateTime))]
    before: Option<String>,
    /// How many executions a page has at most: 50, unless said otherwise.
    #[cfg_attr(test, param(value_type = Option<u32>, minimum = 1, maximum = 100))]
    limit: Option<String>,
    /// The page before's `NextToken`.
    next: Option<String>,
}

/// Executions, the newest first. A page may hold fewer than asked for, even none, and still have one behind it.
#[cfg_attr(test, utoipa::path(get, path = "/executions", tag = "executions", params(ExecutionsParameters), responses(
    (status = 200, description = "A page of executions", body = ExecutionList),
    (status = 400, description = "A parameter that is unknown, or is not what it has to be", body = fleetwright_wire::results::Problem),
)))]
pub(super) async fn executions(
    orchestrator: &Orchestrator,
    parameters: ExecutionsParameters,
) -> Result<ExecutionList, ServiceError> {
    let ExecutionsParameters { status, document, after, before, limit: most, next } = parameters;
    let most = limit(most.as_deref(), PAGE, PAGE_MAX)?;
    let scope = format!("executions {status:?} {document:?} {after:?} {before:?}");
    let statuses = status.as_deref().map(statuses).transpose()?;
    let now = orchestrator.now();
    let query = RecentQuery {
        after: moment("after", after.as_deref())?.unwrap_or_else(|| orchestrator.oldest()),
        before: moment("before", before.as_deref())?.unwrap_or(now).min(now),
        place: place(next.as_deref(), &scope)?,
        limit: most as usize,
    };
    let matches = |view: &ExecutionView| {
        let execution = &view.execution;
        statuses.as_ref().is_none_or(|statuses| statuses.contains(&execution.status()))
            && document.as_ref().is_none_or(|name| *name == execution.document.name)
    };
    let found = orchestrator.recent_executions(&query, matches).await.map_err(service_error)?;
    Ok(ExecutionList {
        executions: found.executions.iter().map(ExecutionView::result).collect(),
        next_token: found.place.map(|place| token(&place, &scope)).transpose()?,
    })
}

fn statuses(text: &str) -> Result<Vec<Status>, ServiceError> {
    let names = || STATUSES.map(Status::as_str).join(", ");
    let status = |name: &str| {
        let found = STATUSES.into_iter().find(|status| status.as_str() == name);
        found.ok_or_else(|| wrong("status", name, &format!("one of {}", names())))
    };
    text.split(',').map(status).collect()
}

/// An execution with what went in and came out.
#[cfg_attr(test, utoipa::path(get, path = "/executions/{id}", tag = "executions",
    params(("id" = String, Path, description = "The execution")),
    responses(
        (status = 200, description = "The execution", body = ExecutionDetail),
        (status = 404, description = "There is no such execution", body = fleetwright_wire::results::Problem),
    )
))]
pub(super) async fn execution(
    orchestrator: &Orchestrator,
    id: &str,
) -> Result<ExecutionDetail, ServiceError> {
    let view = orchestrator.execution(&ExecutionId::new(id)).await.map_err(service_error)?;
    Ok(view.result_detail())
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct StepsParameters {
    /// How many steps a page has at most: 50, unless said otherwise.
    #[cfg_attr(test, param(value_type = Option<u32>, minimum = 1, maximum = 100))]
    limit: Option<String>,
    /// The page before's `NextToken`.
    next: Option<String>,
}

/// The steps of an execution in the order they began: a loop's steps once for each round.
#[cfg_attr(test, utoipa::path(get, path = "/executions/{id}/steps", tag = "executions",
    params(("id" = String, Path, description = "The execution"), StepsParameters),
    responses(
        (status = 200, description = "A page of steps", body = StepList),
        (status = 400, description = "A parameter that is unknown, or is not what it has to be", body = fleetwright_wire::results::Problem),
        (status = 404, description = "There is no such execution", body = fleetwright_wire::results::Problem),
    )
))]
pub(super) async fn steps(
    orchestrator: &Orchestrator,
    id: &str,
    parameters: StepsParameters,
) -> Result<StepList, ServiceError> {
    let most = limit(parameters.limit.as_deref(), PAGE, PAGE_MAX)?;
    let scope = format!("steps {id}");
    let from: Option<u32> = place(parameters.next.as_deref(), &scope)?;
    let id = ExecutionId::new(id);
    let found = orchestrator.result_steps(&id, from.unwrap_or(0), most).await.map_err(service_error)?;
    let (steps, next) = found;
    Ok(StepList { steps, next_token: next.map(|next| token(&next, &scope)).transpose()? })
}

/// The steps of an execution that have nodes, in numbers.
#[cfg_attr(test, utoipa::path(get, path = "/executions/{id}/summary", tag = "executions",
    params(("id" = String, Path, description = "The execution")),
    responses(
        (status = 200, description = "The numbers", body = Summary),
        (status = 404, description = "There is no such execution", body = fleetwright_wire::results::Problem),
    )
))]
pub(super) async fn summary(orchestrator: &Orchestrator, id: &str) -> Result<Summary, ServiceError> {
    orchestrator.summary(&ExecutionId::new(id)).await.map_err(service_error)
}

/// What happened in an execution, the oldest first: of its first 200 steps and their first 100 commands.
#[cfg_attr(test, utoipa::path(get, path = "/executions/{id}/timeline", tag = "executions",
    params(("id" = String, Path, description = "The execution")),
    responses(
        (status = 200, description = "What happened", body = Timeline),
        (status = 404, description = "There is no such execution", body = fleetwright_wire::results::Problem),
    )
))]
pub(super) async fn timeline(orchestrator: &Orchestrator, id: &str) -> Result<Timeline, ServiceError> {
    orchestrator.timeline(&ExecutionId::new(id)).await.map_err(service_error)
}
