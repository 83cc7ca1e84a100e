//! The index of executions by when they were started, and of commands by when they were requested.

use super::Table;
use super::attributes::{Item, Reader, text};
use super::schema::{PK, RECENT_AT, RECENT_DAY, RECENT_INDEX, keys};
use crate::{Error, Operation};
use fleetwright_engine::ExecutionId;
use fleetwright_fleet::CommandId;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What sorts behind every id.
const BEHIND: char = '~';
/// Characters of a day, `2026-11-21`, and of a moment in milliseconds.
const DAY_CHARS: usize = 10;
const MOMENT_CHARS: usize = 24;

/// An execution's place in the index: when it was started, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecentKey {
    pub(crate) at: String,
    pub(crate) id: ExecutionId,
}

impl RecentKey {
    /// The place of an execution that is started. Of fixed width, so that text sorts as time does.
    pub(crate) fn new(id: &ExecutionId, started_at: Timestamp) -> Self {
        Self { at: Self::place(started_at, id.as_str()), id: id.clone() }
    }

    /// The place of what has this id and this moment.
    pub(crate) fn place(moment: Timestamp, id: &str) -> String {
        format!("{}#{id}", fixed(moment))
    }

    /// The place behind all that were started then or before.
    pub(crate) fn behind(moment: Timestamp) -> String {
        format!("{}#{BEHIND}", fixed(moment))
    }

    /// When an execution of that place was started.
    pub(crate) fn moment(place: &str) -> Option<Timestamp> {
        place.get(..MOMENT_CHARS)?.parse().ok()
    }

    /// When the day of a place began.
    pub(crate) fn day(place: &str) -> Option<Timestamp> {
        format!("{}T00:00:00Z", place.get(..DAY_CHARS)?).parse().ok()
    }

    /// The partition of a day's executions.
    pub(crate) fn partition(moment: Timestamp) -> String {
        Self::partition_of(keys::EXECUTION, moment)
    }

    /// The partition of a day's items of a kind.
    pub(crate) fn partition_of(kind: &str, moment: Timestamp) -> String {
        format!("{kind}#{}", &fixed(moment)[..DAY_CHARS])
    }
}

fn fixed(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

impl Table {
    /// Executions started on a day, before that place, the newest first.
    pub(crate) async fn recent(
        &self,
        day: Timestamp,
        before: &str,
        limit: usize,
    ) -> Result<Vec<RecentKey>, Error> {
        self.recent_items(RecentKey::partition(day), before, limit).await?.iter().map(read).collect()
    }

    /// Commands requested on a day, before that place, the newest first: their places and ids.
    pub(crate) async fn recent_commands(
        &self,
        day: Timestamp,
        before: &str,
        limit: usize,
    ) -> Result<Vec<(String, CommandId)>, Error> {
        let items = self.recent_items(RecentKey::partition_of(keys::COMMAND, day), before, limit).await?;
        items.iter().map(read_command).collect()
    }

    async fn recent_items(&self, day: String, before: &str, limit: usize) -> Result<Vec<Item>, Error> {
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(RECENT_INDEX)
            .key_condition_expression("#day = :day AND #at < :before")
            .expression_attribute_names("#day", RECENT_DAY)
            .expression_attribute_names("#at", RECENT_AT)
            .expression_attribute_values(":day", text(day))
            .expression_attribute_values(":before", text(before))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| Error::of(Operation::Query, &error))?;
        Ok(page.items.unwrap_or_default())
    }
}

fn read_command(item: &Item) -> Result<(String, CommandId), Error> {
    let reader = Reader(item);
    let pk = reader.text(PK)?;
    let id = pk.strip_prefix("CMD#").and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Error::Unreadable(format!("index item {pk}")))?;
    Ok((reader.text(RECENT_AT)?.to_owned(), id))
}

fn read(item: &Item) -> Result<RecentKey, Error> {
    let reader = Reader(item);
    let pk = reader.text(PK)?;
    let unreadable = || Error::Unreadable(format!("index item {pk}"));
    let id = ExecutionId::new(pk.strip_prefix("EXEC#").ok_or_else(unreadable)?);
    Ok(RecentKey { at: reader.text(RECENT_AT)?.to_owned(), id })
}
