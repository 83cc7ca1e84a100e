//! The index of executions by when they were started, and of commands by when they were requested.

use super::Table;
use super::attributes::{Item, Reader, text};
use super::schema::{PK, RECENT_AT, RECENT_INDEX, RECENT_MONTH, keys};
use crate::{Error, Operation};
use fleetwright_engine::ExecutionId;
use fleetwright_fleet::CommandId;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What sorts behind every id.
const BEHIND: char = '~';
/// Characters of a month, `2026-11`, and of a moment in milliseconds.
const MONTH_CHARS: usize = 7;
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

    /// When the month of a place began, if the place is not before `after`. By month, so that whoever looks through a
    /// year in which nothing happened asks a dozen times.
    pub(crate) fn month(place: &str, after: Timestamp) -> Option<Timestamp> {
        Self::moment(place).filter(|at| *at >= after)?;
        format!("{}-01T00:00:00Z", place.get(..MONTH_CHARS)?).parse().ok()
    }

    /// The place behind all that came before a month.
    pub(crate) fn before_month(month: Timestamp) -> String {
        Self::behind(month - SignedDuration::from_millis(1))
    }

    /// The partition of a month's executions.
    pub(crate) fn partition(moment: Timestamp) -> String {
        Self::partition_of(keys::EXECUTION, moment)
    }

    /// The partition of a month's items of a kind.
    pub(crate) fn partition_of(kind: &str, moment: Timestamp) -> String {
        format!("{kind}#{}", &fixed(moment)[..MONTH_CHARS])
    }
}

fn fixed(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

impl Table {
    /// Executions started in a month, before that place, the newest first.
    pub(crate) async fn recent(
        &self,
        month: Timestamp,
        before: &str,
        limit: usize,
    ) -> Result<Vec<RecentKey>, Error> {
        self.recent_items(RecentKey::partition(month), before, limit).await?.iter().map(read).collect()
    }

    /// Commands requested in a month, before that place, the newest first: their places and ids.
    pub(crate) async fn recent_commands(
        &self,
        month: Timestamp,
        before: &str,
        limit: usize,
    ) -> Result<Vec<(String, CommandId)>, Error> {
        let items = self.recent_items(RecentKey::partition_of(keys::COMMAND, month), before, limit).await?;
        items.iter().map(read_command).collect()
    }

    async fn recent_items(&self, month: String, before: &str, limit: usize) -> Result<Vec<Item>, Error> {
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(RECENT_INDEX)
            .key_condition_expression("#month = :month AND #at < :before")
            .expression_attribute_names("#month", RECENT_MONTH)
            .expression_attribute_names("#at", RECENT_AT)
            .expression_attribute_values(":month", text(month))
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
