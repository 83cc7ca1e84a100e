//! The nodes of an execution, one by one and in groups.

use super::parameters::{limit, place, token, wrong};
use crate::response::service_error;
use fleetwright_engine::ExecutionId;
use fleetwright_orchestrator::{GroupsQuery, NodesQuery, Orchestrator, StatusChoice, StepChoice};
use fleetwright_wire::ServiceError;
use fleetwright_wire::results::{GroupList, NodeList};
use serde::Deserialize;

/// Nodes of a page, unless asked for otherwise, and at most.
const NODES: u32 = 100;
const NODES_MAX: u32 = 1_000;
/// Groups of a page, unless asked for otherwise, and at most.
const GROUPS: u32 = 50;
const GROUPS_MAX: u32 = 200;

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct NodesParameters {
    /// Only nodes of this status, or of one of these, with commas between: an outcome such as `Failed`, a finer status of
    /// SSM's such as `DeliveryTimedOut`, or `NotSuccess`: over, and not well.
    #[cfg_attr(test, param(example = "Failed,DeliveryTimedOut"))]
    status: Option<String>,
    /// Only of the step of this ordinal, or of the steps of this name.
    step: Option<String>,
    /// `slowest`: the slowest first over all steps, of the nodes whose duration is known.
    sort: Option<String>,
    /// How many nodes a page has at most: 100, unless said otherwise. It has fewer where their outputs are long.
    #[cfg_attr(test, param(value_type = Option<u32>, minimum = 1, maximum = 1000))]
    limit: Option<String>,
    /// The page before's `NextToken`, or `x-next-token`.
    next: Option<String>,
    /// `json`, `csv` or `jsonl`; else the Accept header says it.
    format: Option<String>,
}

impl NodesParameters {
    pub(super) fn format(&self) -> Option<&str> {
        self.format.as_deref()
    }
}

/// The nodes of an execution, step by step, the worst outcome first, in pages. A page may hold fewer nodes than asked
/// for, even none, and still have one behind it. Of a step that is not over pages go by node id, so that new results
/// neither hide a node nor show one twice; within a page the worst comes first.
///
/// JSON, or CSV (RFC 4180, one header line) or JSON Lines by `format` or the Accept header. These are pages as well: the
/// next page's token is in the header `x-next-token`.
#[cfg_attr(test, utoipa::path(get, path = "/executions/{id}/nodes", tag = "nodes",
    params(("id" = String, Path, description = "The execution"), NodesParameters),
    responses(
        (status = 200, description = "A page of nodes",
            content((NodeList = "application/json"), (String = "text/csv"), (String = "application/x-ndjson")),
            headers(("x-next-token" = String, description = "Where the next page begins, if there is one"))),
        (status = 400, description = "A parameter that is unknown, or is not what it has to be", body = fleetwright_wire::results::Problem),
        (status = 404, description = "There is no such execution", body = fleetwright_wire::results::Problem),
    )
))]
pub(super) async fn nodes(
    orchestrator: &Orchestrator,
    id: &str,
    parameters: &NodesParameters,
) -> Result<NodeList, ServiceError> {
    let NodesParameters { status, step, sort, limit: most, next, format: _ } = parameters;
    let scope = format!("nodes {id} {status:?} {step:?} {sort:?}");
    let slowest = match sort.as_deref() {
        None => false,
        Some("slowest") => true,
        Some(other) => return Err(wrong("sort", other, "slowest")),
    };
    let query = NodesQuery {
        step: step.as_deref().map(StepChoice::from),
        statuses: status.as_deref().map_or_else(|| Ok(Vec::new()), statuses)?,
        slowest,
        limit: limit(most.as_deref(), NODES, NODES_MAX)? as usize,
        place: place(next.as_deref(), &scope)?,
    };
    let (nodes, place) = orchestrator.nodes(&ExecutionId::new(id), &query).await.map_err(service_error)?;
    Ok(NodeList { nodes, next_token: place.map(|place| token(&place, &scope)).transpose()? })
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct GroupsParameters {
    /// Only nodes of these statuses, as for nodes: `NotSuccess`, unless said otherwise. `all`: of any.
    status: Option<String>,
    /// Only of the step of this ordinal, or of the steps of this name.
    step: Option<String>,
    /// How many groups a page has at most: 50, unless said otherwise.
    #[cfg_attr(test, param(value_type = Option<u32>, minimum = 1, maximum = 200))]
    limit: Option<String>,
    /// The page before's `NextToken`, or `x-next-token`.
    next: Option<String>,
    /// `json`, `csv` or `jsonl`; else the Accept header says it.
    format: Option<String>,
}

impl GroupsParameters {
    pub(super) fn format(&self) -> Option<&str> {
        self.format.as_deref()
    }
}

/// Nodes that ended alike and said the same, in the order of the steps, of a step the largest group first. Outputs are
/// compared without what is the node's own or the moment's: ids, host names, addresses, times and the like.
///
/// JSON, or CSV (RFC 4180, one header line) or JSON Lines by `format` or the Accept header. These are pages as well: the
/// next page's token is in the header `x-next-token`.
#[cfg_attr(test, utoipa::path(get, path = "/executions/{id}/groups", tag = "nodes",
    params(("id" = String, Path, description = "The execution"), GroupsParameters),
    responses(
        (status = 200, description = "A page of groups",
            content((GroupList = "application/json"), (String = "text/csv"), (String = "application/x-ndjson")),
            headers(("x-next-token" = String, description = "Where the next page begins, if there is one"))),
        (status = 400, description = "A parameter that is unknown, or is not what it has to be", body = fleetwright_wire::results::Problem),
        (status = 404, description = "There is no such execution", body = fleetwright_wire::results::Problem),
    )
))]
pub(super) async fn groups(
    orchestrator: &Orchestrator,
    id: &str,
    parameters: &GroupsParameters,
) -> Result<GroupList, ServiceError> {
    let GroupsParameters { status, step, limit: most, next, format: _ } = parameters;
    let scope = format!("groups {id} {status:?} {step:?}");
    let query = GroupsQuery {
        step: step.as_deref().map(StepChoice::from),
        statuses: match status.as_deref() {
            None => vec![StatusChoice::NotSuccess],
            Some("all") => Vec::new(),
            Some(text) => statuses(text)?,
        },
        limit: limit(most.as_deref(), GROUPS, GROUPS_MAX)? as usize,
        place: place(next.as_deref(), &scope)?,
    };
    let (groups, place) = orchestrator.groups(&ExecutionId::new(id), &query).await.map_err(service_error)?;
    Ok(GroupList { groups, next_token: place.map(|place| token(&place, &scope)).transpose()? })
}

fn statuses(text: &str) -> Result<Vec<StatusChoice>, ServiceError> {
    let expected = "an outcome (Success, Failed, TimedOut, Unknown, NotRun, InProgress), a status of SSM's such as \
                    DeliveryTimedOut, or NotSuccess";
    text.split(',').map(|name| name.parse().map_err(|_| wrong("status", name, expected))).collect()
}
