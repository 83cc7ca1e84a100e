//! GetCommandInvocation: outputs as they are kept, else as SSM says.

use super::describe::{authors_comment, cloud_watch};
use crate::error::{Known, known, words};
use crate::{Error, Operation, Orchestrator};
use aws_sdk_ssm::operation::get_command_invocation::GetCommandInvocationOutput;
use fleetwright_fleet::{CommandId, InvocationResult, NodeId, Outcome, PluginResult, Terminal};
use fleetwright_wire::{Command, GetCommandInvocationResult};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// SSM's words for what it does not know, or no more.
const FORGOTTEN: [&str; 2] = ["InvocationDoesNotExist", "InvalidCommandId"];

/// Names of a document's steps (User Guide, documents-schemas-features).
const STEP_NAME_CHARS_MAX: usize = 128;

impl Orchestrator {
    /// What a command did on a node, with its outputs: as they are kept, else as SSM says, which is kept once final.
    ///
    /// # Errors
    /// [`Error::Refused`] with SSM's own error.
    pub async fn invocation(
        &self,
        command: &CommandId,
        node: &NodeId,
        plugin: Option<&str>,
    ) -> Result<GetCommandInvocationResult, Error> {
        // None that long is kept: no document has a step of such a name.
        let can_be = plugin.is_none_or(|name| name.chars().count() <= STEP_NAME_CHARS_MAX);
        if can_be && let Some(kept) = self.table.output(command, node, plugin).await? {
            return Ok(kept);
        }
        let sent = self
            .ssm()
            .get_command_invocation()
            .command_id(command.as_str())
            .instance_id(node.as_str())
            .set_plugin_name(plugin.map(str::to_owned))
            .send()
            .await;
        let error = match sent {
            Ok(answer) => return self.read_through(command, node, plugin, answer).await,
            Err(error) => error,
        };
        let (code, message) = words(&error);
        match known(&error) {
            // After 30 days SSM has forgotten, and what settling kept is all there is.
            Known::Rejected if FORGOTTEN.contains(&code.as_str()) => {
                let settled = self.settled_invocation(command, node, plugin).await?;
                settled.ok_or(Error::Refused { code, message })
            }
            Known::Rejected => Err(Error::Refused { code, message }),
            Known::Throttled | Known::Unknown => Err(Error::of(Operation::GetCommandInvocation, &error)),
        }
    }

    async fn read_through(
        &self,
        command: &CommandId,
        node: &NodeId,
        plugin: Option<&str>,
        answer: GetCommandInvocationOutput,
    ) -> Result<GetCommandInvocationResult, Error> {
        let status = answer.status.as_ref().and_then(|status| Terminal::from_wire(status.as_str()));
        let details = answer.status_details.as_deref().and_then(Terminal::from_wire);
        // What may have run may still be heard of.
        let is_final = status.is_some_and(|s| details.unwrap_or(s).outcome(None) != Outcome::Unknown);
        let mut result = result(answer);
        if result.comment.as_deref().is_some_and(|comment| authors_comment(comment) != comment) {
            // SSM may hold the caller's comment cut short behind our mark; ours is whole.
            let whole = self.shown(std::slice::from_ref(command)).await?.pop();
            let cut = result.comment.take().unwrap_or_default();
            result.comment =
                whole.and_then(|shown| shown.command.comment).or_else(|| Some(authors_comment(&cut)));
        }
        if is_final
            && let Err(error) = self.table.keep_output(command, node, plugin, &result, self.now()).await
        {
            tracing::warn!(command = %command, %error, "an output was not kept");
        }
        Ok(result)
    }

    async fn settled_invocation(
        &self,
        command: &CommandId,
        node: &NodeId,
        plugin: Option<&str>,
    ) -> Result<Option<GetCommandInvocationResult>, Error> {
        let Some(shown) = self.shown(std::slice::from_ref(command)).await?.pop() else { return Ok(None) };
        let Some(mark) = shown.item.command.settled.clone() else { return Ok(None) };
        let settlements = self.table.settlements(&[(command.clone(), mark)]).await?;
        let Some(invocation) = settlements.get(command).and_then(|s| s.invocations.get(node)) else {
            return Ok(None);
        };
        let found = match plugin {
            Some(name) => invocation.plugins.iter().find(|plugin| plugin.name == name),
            None => invocation.plugins.first().filter(|_| invocation.plugins.len() == 1),
        };
        let no_plugin = || Error::Refused { code: "InvalidPluginName".to_owned(), message: String::new() };
        let plugin = found.ok_or_else(no_plugin)?;
        Ok(Some(from_settled(&shown.command, invocation, plugin)))
    }
}

/// SSM's answer in our own shape.
fn result(answer: GetCommandInvocationOutput) -> GetCommandInvocationResult {
    GetCommandInvocationResult {
        command_id: answer.command_id,
        instance_id: answer.instance_id,
        comment: answer.comment,
        document_name: answer.document_name,
        document_version: answer.document_version,
        plugin_name: answer.plugin_name,
        response_code: Some(i64::from(answer.response_code)),
        execution_start_date_time: answer.execution_start_date_time,
        execution_elapsed_time: answer.execution_elapsed_time,
        execution_end_date_time: answer.execution_end_date_time,
        status: answer.status.map(|status| status.as_str().to_owned()),
        status_details: answer.status_details,
        standard_output_content: answer.standard_output_content,
        standard_output_url: answer.standard_output_url,
        standard_error_content: answer.standard_error_content,
        standard_error_url: answer.standard_error_url,
        cloud_watch_output_config: answer.cloud_watch_output_config.map(cloud_watch),
    }
}

/// What settling kept: the first 2,500 characters of both outputs in one.
fn from_settled(
    command: &Command,
    invocation: &InvocationResult,
    plugin: &PluginResult,
) -> GetCommandInvocationResult {
    let took = plugin.started_at.zip(plugin.ended_at).map(|(from, to)| to.duration_since(from).to_string());
    GetCommandInvocationResult {
        command_id: command.command_id.clone(),
        instance_id: Some(invocation.node.to_string()),
        comment: command.comment.clone(),
        document_name: command.document_name.clone(),
        document_version: command.document_version.clone(),
        plugin_name: Some(plugin.name.clone()),
        response_code: Some(i64::from(plugin.response_code)),
        execution_start_date_time: Some(plugin.started_at.map(iso).unwrap_or_default()),
        execution_elapsed_time: Some(took.unwrap_or_default()),
        execution_end_date_time: Some(plugin.ended_at.map(iso).unwrap_or_default()),
        status: Some(invocation.shown.status.clone()),
        status_details: Some(invocation.shown.status_details.clone()),
        standard_output_content: Some(plugin.output.clone()),
        standard_output_url: Some(plugin.standard_output_url.clone().unwrap_or_default()),
        standard_error_content: Some(String::new()),
        standard_error_url: Some(plugin.standard_error_url.clone().unwrap_or_default()),
        cloud_watch_output_config: command.cloud_watch_output_config.clone(),
    }
}

/// As SSM writes moments here: ISO 8601 with milliseconds.
fn iso(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
