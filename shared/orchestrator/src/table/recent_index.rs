//! The index of executions by when they were started.

use super::Table;
use super::attributes::{Item, Reader, text};
use super::schema::{PK, RECENT_AT, RECENT_DAY, RECENT_INDEX, keys};
use crate::{Error, Operation};
use fleetwright_engine::ExecutionId;
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
        Self { at: format!("{}#{id}", fixed(started_at)), id: id.clone() }
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

    /// The partition of a day.
    pub(crate) fn partition(moment: Timestamp) -> String {
        format!("{}#{}", keys::EXECUTION, &fixed(moment)[..DAY_CHARS])
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
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(RECENT_INDEX)
            .key_condition_expression("#day = :day AND #at < :before")
            .expression_attribute_names("#day", RECENT_DAY)
            .expression_attribute_names("#at", RECENT_AT)
            .expression_attribute_values(":day", text(RecentKey::partition(day)))
            .expression_attribute_values(":before", text(before))
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| Error::of(Operation::Query, &error))?;
        page.items.unwrap_or_default().iter().map(read).collect()
    }
}

fn read(item: &Item) -> Result<RecentKey, Error> {
    let reader = Reader(item);
    let pk = reader.text(PK)?;
    let unreadable = || Error::Unreadable(format!("index item {pk}"));
    let id = ExecutionId::new(pk.strip_prefix("EXEC#").ok_or_else(unreadable)?);
    Ok(RecentKey { at: reader.text(RECENT_AT)?.to_owned(), id })
}
