//! The operations on commands (SSM API reference).

use crate::page;
use crate::request::Caller;
use crate::response::service_error;
use fleetwright_fleet::{CommandId, NodeId};
use fleetwright_orchestrator::{Allowance, CLOCKS_DIFFER, CommandQuery, Orchestrator, Sender};
use fleetwright_wire::{
    CancelCommandRequest, CancelCommandResult, CommandFilter, CommandFilters, CommandList, CommandSubject,
    GetCommandInvocationRequest, GetCommandInvocationResult, ListCommandInvocationsRequest,
    ListCommandInvocationsResult, ListCommandsRequest, ListCommandsResult, SendCommandRequest,
    SendCommandResult, ServiceError,
};
use serde_json::json;

pub(crate) async fn send(
    orchestrator: &Orchestrator,
    request: &SendCommandRequest,
    caller: &Caller,
    turn: Allowance,
) -> Result<SendCommandResult, ServiceError> {
    let sender = Sender { arn: caller.arn.clone(), request_id: caller.request_id.clone() };
    let command = orchestrator.send_command(request, &sender, turn).await.map_err(service_error)?;
    Ok(SendCommandResult { command: Some(command) })
}

pub(crate) async fn cancel(
    orchestrator: &Orchestrator,
    request: CancelCommandRequest,
) -> Result<CancelCommandResult, ServiceError> {
    let id = request.command_id.unwrap_or_default();
    let id = CommandId::try_from(id).map_err(|_| ServiceError::invalid_command_id(""))?;
    let nodes = request.instance_ids.unwrap_or_default().into_iter().map(node_id);
    let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
    orchestrator.request_cancel(&id, &nodes).await.map_err(service_error)?;
    Ok(CancelCommandResult {})
}

fn node_id(text: String) -> Result<NodeId, ServiceError> {
    NodeId::try_from(text).map_err(|error| ServiceError::invalid_instance_id(error.to_string()))
}

/// What both lists are asked by.
struct Question {
    command_id: Option<String>,
    instance_id: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
    filters: Option<Vec<CommandFilter>>,
}

/// The same, understood.
struct Asked {
    query: CommandQuery,
    filters: CommandFilters,
    /// What a token of a further page is good for.
    scope: String,
}

impl Question {
    /// `None`: it names a command that cannot be.
    fn read(self, orchestrator: &Orchestrator, list: CommandList) -> Result<Option<Asked>, ServiceError> {
        let filters = CommandFilters::read(self.filters.as_deref(), list)?;
        let scope = format!("{list:?} {:?} {:?} {filters:?}", self.command_id, self.instance_id);
        let place = page::read(self.next_token.as_deref(), &scope)?;
        let node = self.instance_id.map(node_id).transpose()?;
        let Ok(command) = self.command_id.map(CommandId::try_from).transpose() else { return Ok(None) };
        let (oldest, newest) = (orchestrator.oldest(), orchestrator.now() + CLOCKS_DIFFER);
        let query = CommandQuery {
            command,
            node,
            after: filters.after().map_or(oldest, |after| after.max(oldest)),
            before: filters.before().map_or(newest, |before| before.min(newest)),
            place,
            limit: page::size(self.max_results),
        };
        Ok(Some(Asked { query, filters, scope }))
    }
}

pub(crate) async fn list(
    orchestrator: &Orchestrator,
    request: ListCommandsRequest,
) -> Result<ListCommandsResult, ServiceError> {
    let ListCommandsRequest { command_id, instance_id, max_results, next_token, filters } = request;
    let question = Question { command_id, instance_id, max_results, next_token, filters };
    let Some(Asked { query, filters, scope }) = question.read(orchestrator, CommandList::Commands)? else {
        return Ok(ListCommandsResult { commands: Some(Vec::new()), next_token: None });
    };
    let matches = |command: &_| filters.matches(&CommandSubject::from(command));
    let page = orchestrator.commands(&query, matches).await.map_err(service_error)?;
    Ok(ListCommandsResult {
        commands: Some(page.found),
        next_token: page.place.map(|place| page::write(&json!(place), &scope)),
    })
}

pub(crate) async fn list_invocations(
    orchestrator: &Orchestrator,
    request: ListCommandInvocationsRequest,
) -> Result<ListCommandInvocationsResult, ServiceError> {
    let ListCommandInvocationsRequest { command_id, instance_id, max_results, next_token, filters, details } =
        request;
    let question = Question { command_id, instance_id, max_results, next_token, filters };
    let Some(Asked { query, filters, scope }) = question.read(orchestrator, CommandList::Invocations)? else {
        return Ok(ListCommandInvocationsResult { command_invocations: Some(Vec::new()), next_token: None });
    };
    let matches = |invocation: &_| filters.matches(&CommandSubject::from(invocation));
    let may_match = |command: &_| filters.may_match(command);
    let details = details.unwrap_or(false);
    let page = orchestrator.invocations(&query, details, may_match, matches).await.map_err(service_error)?;
    Ok(ListCommandInvocationsResult {
        command_invocations: Some(page.found),
        next_token: page.place.map(|place| page::write(&json!(place), &scope)),
    })
}

pub(crate) async fn get_invocation(
    orchestrator: &Orchestrator,
    request: GetCommandInvocationRequest,
) -> Result<GetCommandInvocationResult, ServiceError> {
    let absent = || ServiceError::invocation_does_not_exist("");
    let command = CommandId::try_from(request.command_id.unwrap_or_default()).map_err(|_| absent())?;
    let node = node_id(request.instance_id.unwrap_or_default())?;
    let plugin = request.plugin_name.as_deref();
    orchestrator.invocation(&command, &node, plugin).await.map_err(service_error)
}
