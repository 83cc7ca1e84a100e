//! Commands and nodes, whoever sent them anything.

use super::parameters::{limit, place, token};
use crate::response::service_error;
use fleetwright_fleet::{CommandId, NodeId};
use fleetwright_orchestrator::Orchestrator;
use fleetwright_wire::ServiceError;
use fleetwright_wire::results::{CommandSummary, NodeHistory};
use serde::Deserialize;

/// Commands of a page, unless asked for otherwise, and at most.
const PAGE: u32 = 20;
const PAGE_MAX: u32 = 50;

/// A command in numbers.
#[cfg_attr(test, utoipa::path(get, path = "/commands/{id}/summary", operation_id = "command", tag = "commands",
    params(("id" = String, Path, description = "The command")),
    responses(
        (status = 200, description = "The numbers", body = CommandSummary),
        (status = 404, description = "There is no such command", body = fleetwright_wire::results::Problem),
    )
))]
pub(super) async fn summary(orchestrator: &Orchestrator, id: &str) -> Result<CommandSummary, ServiceError> {
    let id: CommandId =
        id.parse().map_err(|_| ServiceError::invalid_command_id(format!("there is no command {id}")))?;
    orchestrator.command_summary(&id).await.map_err(service_error)
}

#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(utoipa::IntoParams))]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, into_params(parameter_in = Query))]
pub(super) struct NodeParameters {
    /// How many commands a page has at most: 20, unless said otherwise.
    #[cfg_attr(test, param(value_type = Option<u32>, minimum = 1, maximum = 50))]
    limit: Option<String>,
    /// The page before's `NextToken`.
    next: Option<String>,
}

/// What a node went through, the newest first: its settled commands, and those of the newest that run on it.
#[cfg_attr(test, utoipa::path(get, path = "/nodes/{id}", tag = "nodes",
    params(("id" = String, Path, description = "The node"), NodeParameters),
    responses(
        (status = 200, description = "A page of its commands", body = NodeHistory),
        (status = 400, description = "A parameter that is unknown, or is not what it has to be", body = fleetwright_wire::results::Problem),
        (status = 404, description = "No node has such an id", body = fleetwright_wire::results::Problem),
    )
))]
pub(super) async fn node(
    orchestrator: &Orchestrator,
    id: &str,
    parameters: NodeParameters,
) -> Result<NodeHistory, ServiceError> {
    let node: NodeId = id.parse().map_err(|error| ServiceError::invalid_instance_id(format!("{error}")))?;
    let most = limit(parameters.limit.as_deref(), PAGE, PAGE_MAX)? as usize;
    let scope = format!("node {node}");
    let place = place(parameters.next.as_deref(), &scope)?;
    let found = orchestrator.node_commands(&node, place, most).await.map_err(service_error)?;
    let (commands, place) = found;
    Ok(NodeHistory {
        instance_id: node.to_string(),
        commands,
        next_token: place.map(|place| token(&place, &scope)).transpose()?,
    })
}
