//! The results API: what became of a fleet, over plain HTTP GET.

mod commands;
mod executions;
mod health;
mod nodes;
mod openapi;
mod parameters;
mod route;
mod tables;

use crate::response::Answer;
use fleetwright_orchestrator::Orchestrator;
use fleetwright_wire::ServiceError;
use fleetwright_wire::results::Problem;
use route::{Resource, Route};
use serde::Serialize;
use tables::Format;

const JSON: &str = "application/json";
/// Where the next page of nodes or groups begins: CSV and JSON Lines have no other place for it.
const NEXT_TOKEN_HEADER: &str = "x-next-token";

/// Answers a GET. `path` and `query` are as they came, percent-encoded.
pub(crate) async fn get(orchestrator: &Orchestrator, path: &str, query: &str, accept: &str) -> Answer {
    match resource(orchestrator, path, query, accept).await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::info!(%path, code = %error.code, "refused");
            problem(error)
        }
    }
}

async fn resource(
    orchestrator: &Orchestrator,
    path: &str,
    query: &str,
    accept: &str,
) -> Result<Answer, ServiceError> {
    let Some(Route { resource, id }) = route::find(path) else {
        return Err(ServiceError::new("ResourceNotFoundException", format!("there is nothing at {path}")));
    };
    match resource {
        Resource::Executions => json(&executions::executions(orchestrator, parameters::read(query)?).await?),
        Resource::Execution => {
            let _: parameters::None = parameters::read(query)?;
            json(&executions::execution(orchestrator, &id).await?)
        }
        Resource::Steps => json(&executions::steps(orchestrator, &id, parameters::read(query)?).await?),
        Resource::Summary => {
            let _: parameters::None = parameters::read(query)?;
            json(&executions::summary(orchestrator, &id).await?)
        }
        Resource::Timeline => {
            let _: parameters::None = parameters::read(query)?;
            json(&executions::timeline(orchestrator, &id).await?)
        }
        Resource::Nodes => {
            let parameters: nodes::NodesParameters = parameters::read(query)?;
            let format = Format::of(parameters.format(), accept)?;
            tables::answer(format, &nodes::nodes(orchestrator, &id, &parameters).await?)
        }
        Resource::Groups => {
            let parameters: nodes::GroupsParameters = parameters::read(query)?;
            let format = Format::of(parameters.format(), accept)?;
            tables::answer(format, &nodes::groups(orchestrator, &id, &parameters).await?)
        }
        Resource::Command => {
            let _: parameters::None = parameters::read(query)?;
            json(&commands::summary(orchestrator, &id).await?)
        }
        Resource::Node => json(&commands::node(orchestrator, &id, parameters::read(query)?).await?),
        Resource::Health => {
            let _: parameters::None = parameters::read(query)?;
            json(&health::health(orchestrator).await?)
        }
        Resource::OpenApi => {
            let _: parameters::None = parameters::read(query)?;
            Ok(Answer::of(200, JSON, openapi::openapi().to_owned()))
        }
    }
}

fn json(body: &impl Serialize) -> Result<Answer, ServiceError> {
    Ok(Answer::of(200, JSON, text(body)?))
}

fn text(body: &impl Serialize) -> Result<String, ServiceError> {
    serde_json::to_string(body).map_err(|error| ServiceError::internal_server_error(error.to_string()))
}

fn problem(error: ServiceError) -> Answer {
    let status = match error.code.as_str() {
        "ResourceNotFoundException"
        | "AutomationExecutionNotFoundException"
        | "InvalidCommandId"
        | "InvalidInstanceId" => 404,
        "ThrottlingException" => 429,
        _ => error.http_status(),
    };
    let body = Problem { code: error.code, message: error.message };
    Answer::of(status, JSON, text(&body).unwrap_or_default())
}
