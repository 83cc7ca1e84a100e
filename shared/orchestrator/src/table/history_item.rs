//! What each node went through: one small item per node and settled command, written by settle in batches.

use super::Table;
use super::attributes::{Item, Reader, json, number, text};
use super::recent_index::RecentKey;
use super::schema::{self, PK, SK, keys};
use super::update::expiry;
use crate::{Error, Operation};
use fleetwright_fleet::{CommandId, InvocationResult, NodeId, PluginResult};
use jiff::Timestamp;

const INVOCATION: &str = "invocation";

/// A settled command in a node's history.
#[derive(Debug, Clone)]
pub(crate) struct HistoryEntry {
    /// Its place among all commands.
    pub(crate) place: String,
    pub(crate) command: CommandId,
    /// What it did there, without outputs.
    pub(crate) invocation: InvocationResult,
}

/// A stretch of a node's history.
#[derive(Debug, Clone)]
pub(crate) struct History {
    pub(crate) entries: Vec<HistoryEntry>,
    /// Whether there are older ones.
    pub(crate) more: bool,
}

impl Table {
    /// Writes a command into the history of its nodes. A later settle writes the same items again.
    pub(crate) async fn write_history<'a>(
        &self,
        command: &CommandId,
        requested_at: Timestamp,
        invocations: impl Iterator<Item = &'a InvocationResult>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let place = RecentKey::place(requested_at, command.as_str());
        let item = |invocation: &InvocationResult| -> Result<Item, Error> {
            let mut item = schema::key(&keys::history(&invocation.node), &place);
            item.insert(schema::SCHEMA_VERSION.to_owned(), number(schema::SCHEMA));
            item.insert(schema::EXPIRES.to_owned(), expiry(self.retention_days, now));
            item.insert(INVOCATION.to_owned(), json(&without_outputs(invocation))?);
            Ok(item)
        };
        self.write_all(invocations.map(item).collect::<Result<_, _>>()?).await
    }

    /// Whether the settled command at that place went to a node.
    pub(crate) async fn was_on(&self, node: &NodeId, place: &str) -> Result<bool, Error> {
        Ok(self.get(&keys::history(node), place).await?.is_some())
    }

    /// The settled commands of a node before a place, the newest first.
    pub(crate) async fn history(
        &self,
        node: &NodeId,
        after: Timestamp,
        before: &str,
        limit: usize,
    ) -> Result<History, Error> {
        let after = RecentKey::place(after, "");
        if after.as_str() > before {
            return Ok(History { entries: Vec::new(), more: false });
        }
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("#pk = :node AND #sk BETWEEN :after AND :before")
            .expression_attribute_names("#pk", PK)
            .expression_attribute_names("#sk", SK)
            .expression_attribute_values(":node", text(keys::history(node)))
            .expression_attribute_values(":after", text(after))
            .expression_attribute_values(":before", text(before))
            .scan_index_forward(false)
            .consistent_read(true)
            // One more: the place itself is no part of what lies before it.
            .limit(i32::try_from(limit + 1).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| Error::of(Operation::Query, &error))?;
        let items = page.items.unwrap_or_default();
        let mut entries = items.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        entries.retain(|entry| entry.place != before);
        let more = entries.len() > limit || page.last_evaluated_key.is_some_and(|key| !key.is_empty());
        entries.truncate(limit);
        Ok(History { entries, more })
    }
}

fn read(item: &Item) -> Result<HistoryEntry, Error> {
    let reader = Reader(item);
    reader.check_schema()?;
    let place = reader.text(SK)?;
    let id = place.split_once('#').and_then(|(_, id)| id.parse().ok());
    let command = id.ok_or_else(|| Error::Unreadable(format!("history item {place}")))?;
    Ok(HistoryEntry { place: place.to_owned(), command, invocation: reader.json(INVOCATION)? })
}

fn without_outputs(invocation: &InvocationResult) -> InvocationResult {
    let plugin = |plugin: &PluginResult| PluginResult {
        output: String::new(),
        output_sha256: String::new(),
        ..plugin.clone()
    };
    InvocationResult { plugins: invocation.plugins.iter().map(plugin).collect(), ..invocation.clone() }
}
