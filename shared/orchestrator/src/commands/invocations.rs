//! ListCommandInvocations from our table.

use super::listing::{Shown, node_status};
use super::{CommandQuery, Page};
use crate::{Error, Orchestrator};
use fleetwright_fleet::{CommandId, InvocationResult, NodeId, PluginResult, Settlement};
use fleetwright_wire::{Command, CommandInvocation, CommandPlugin, EpochSeconds};
use std::collections::BTreeMap;

/// Commands whose invocations are read at the same time.
const COMMANDS_AT_ONCE: usize = 10;
/// Rounds of one page whose invocations do not match; then the page ends, and has one behind it.
const ROUNDS_MAX: usize = 10;
/// What stands between a command's place and the last node that was shown of it; sorts before every id.
const NODE: char = ' ';
/// What sorts behind every id.
const BEHIND: &str = "~";

/// Where a list of invocations stopped.
struct Place {
    /// Commands before this one come next; and what is left of it.
    before: String,
    /// The command at that place, and the last node of it that was shown.
    behind: Option<(String, String)>,
}

impl Place {
    fn read(place: &str) -> Self {
        match place.rsplit_once(NODE) {
            Some((command, node)) => {
                let behind = Some((command.to_owned(), node.to_owned()));
                Self { before: format!("{command}{BEHIND}"), behind }
            }
            None => Self { before: place.to_owned(), behind: None },
        }
    }
}

impl Orchestrator {
    /// Lists invocations, those of the newest command first and by node id, with their plugins if `details`. A page may
    /// hold fewer than asked for and still have one behind it. `may_match` is asked before a command's are read.
    ///
    /// # Errors
    /// [`Error::Again`] when DynamoDB was not available.
    pub async fn invocations(
        &self,
        query: &CommandQuery,
        details: bool,
        may_match: impl Fn(&Command) -> bool,
        matches: impl Fn(&CommandInvocation) -> bool,
    ) -> Result<Page<CommandInvocation>, Error> {
        let Place { mut before, behind } = Place::read(&query.start());
        let (mut found, mut last) = (Vec::new(), None);
        let few = CommandQuery { limit: query.limit.min(COMMANDS_AT_ONCE), ..query.clone() };
        let running = self.running_on(query).await?;
        for _ in 0..ROUNDS_MAX {
            let mut stretch = self.stretch(&few, &before, &running).await?;
            let ids: Vec<CommandId> = stretch.keys.iter().map(|(_, id)| id.clone()).collect();
            let mut shown = self.shown(&ids).await?;
            shown.retain(|one| may_match(&one.command));
            // Of one node its history says all but the outputs.
            let read: Vec<_> =
                shown.iter().filter(|one| details || !stretch.settled.contains_key(&one.item.id)).collect();
            let mut settlements = self.settled(&read).await?;
            for one in shown {
                let behind = behind.as_ref().filter(|(place, _)| one.item.place.as_ref() == Some(place));
                let mut results = settlements.remove(&one.item.id).map(|s| s.invocations).unwrap_or_default();
                if results.is_empty() {
                    results.extend(stretch.settled.remove(&one.item.id).map(|one| (one.node.clone(), one)));
                }
                for id in nodes(&one, &results, query.node.as_ref(), behind.map(|(_, node)| node.as_str())) {
                    let invocation = invocation(&one, results.get(&id), &id, details);
                    if !matches(&invocation) {
                        continue;
                    }
                    // One more than fits: there is a page behind this one.
                    if found.len() == query.limit {
                        return Ok(Page { found, place: last });
                    }
                    let at = one.item.place.as_deref().unwrap_or_default();
                    last = Some(format!("{at}{NODE}{id}"));
                    found.push(invocation);
                }
            }
            match stretch.next {
                Some(next) => before = next,
                None => return Ok(Page { found, place: None }),
            }
        }
        let is_full = found.len() == query.limit;
        Ok(Page { found, place: last.filter(|_| is_full).or(Some(before)) })
    }

    async fn settled(&self, shown: &[&Shown]) -> Result<BTreeMap<CommandId, Settlement>, Error> {
        let marks: Vec<_> = shown
            .iter()
            .filter_map(|one| Some((one.item.id.clone(), one.item.command.settled.clone()?)))
            .collect();
        self.table.settlements(&marks).await
    }
}

/// The nodes of a command that come next, by id.
fn nodes(
    shown: &Shown,
    results: &BTreeMap<NodeId, InvocationResult>,
    only: Option<&NodeId>,
    behind: Option<&str>,
) -> Vec<NodeId> {
    let mut nodes = shown.item.command.known_nodes();
    nodes.extend(results.keys().cloned());
    nodes.retain(|node| {
        only.is_none_or(|only| only == node) && behind.is_none_or(|behind| node.as_str() > behind)
    });
    nodes.into_iter().collect()
}

/// A node's invocation: as settled, else as reported.
fn invocation(
    shown: &Shown,
    result: Option<&InvocationResult>,
    node: &NodeId,
    details: bool,
) -> CommandInvocation {
    let Shown { item, command } = shown;
    let (status, status_details) = match result {
        Some(result) => (result.shown.status.clone(), result.shown.status_details.clone()),
        None => {
            let (status, details) = node_status(item, node);
            (status.to_owned(), details.to_owned())
        }
    };
    let plugins = result.filter(|_| details).map(|result| plugins(result, command)).unwrap_or_default();
    let shown = result.map(|result| result.shown.clone()).unwrap_or_default();
    CommandInvocation {
        command_id: command.command_id.clone(),
        instance_id: Some(node.to_string()),
        instance_name: Some(shown.instance_name),
        comment: command.comment.clone(),
        document_name: command.document_name.clone(),
        document_version: command.document_version.clone(),
        requested_date_time: command.requested_date_time,
        status: Some(status),
        status_details: Some(status_details),
        trace_output: None,
        standard_output_url: Some(shown.standard_output_url),
        standard_error_url: Some(shown.standard_error_url),
        command_plugins: Some(plugins),
        service_role: command.service_role.clone(),
        notification_config: command.notification_config.clone(),
        cloud_watch_output_config: command.cloud_watch_output_config.clone(),
    }
}

fn plugins(result: &InvocationResult, command: &Command) -> Vec<CommandPlugin> {
    let epoch = |at: jiff::Timestamp| EpochSeconds::from_millis(at.as_millisecond());
    let plugin = |plugin: &PluginResult| CommandPlugin {
        name: Some(plugin.name.clone()),
        status: Some(plugin.coarse_status.clone()),
        status_details: Some(plugin.status.clone()),
        response_code: Some(i64::from(plugin.response_code)),
        response_start_date_time: plugin.started_at.map(epoch),
        response_finish_date_time: plugin.ended_at.map(epoch),
        output: Some(plugin.output.clone()),
        standard_output_url: Some(plugin.standard_output_url.clone().unwrap_or_default()),
        standard_error_url: Some(plugin.standard_error_url.clone().unwrap_or_default()),
        output_s3_region: command.output_s3_region.clone(),
        output_s3_bucket_name: command.output_s3_bucket_name.clone(),
        output_s3_key_prefix: command.output_s3_key_prefix.clone(),
    };
    result.plugins.iter().map(plugin).collect()
}
