//! Which settle of a command stands, and how far one has come that does not yet.

use super::record::placed;
use super::{
    CURSOR, CommandItem, EMPTY_READS, EXPIRES_AFTER, GENERATION, HEAD, SETTLED_FACTS, SETTLED_PARTS,
    SETTLING_UNTIL, SILENT_SINCE, SettleCursor, SettledHead, applied,
};
use crate::Error;
use crate::table::Table;
use crate::table::attributes::{Reader, json, moment, number, text};
use crate::table::schema::{DUE_AT, DUE_SHARD, keys};
use crate::table::update::{Update, Updated};
use aws_sdk_dynamodb::types::AttributeValue;
use fleetwright_fleet::{CommandId, SettledMark};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Which settle is to stand, and what SSM said with it.
#[derive(Debug)]
pub(crate) struct ToSettle<'a> {
    pub(crate) mark: &'a SettledMark,
    pub(crate) head: Option<&'a SettledHead>,
    pub(crate) requested_at: Timestamp,
}

impl Table {
    /// Makes a settle the one that is read, unless one that knew at least as much stands. The item as it is then, which
    /// may know more by now; `None`: another one stands.
    pub(crate) async fn mark_settled(
        &self,
        id: &CommandId,
        to: ToSettle<'_>,
    ) -> Result<Option<CommandItem>, Error> {
        let ToSettle { mark, head, requested_at } = to;
        let mut update = placed(Update::of(&keys::command(id), keys::COMMAND), id, requested_at);
        if let Some(head) = head {
            update = update.set(HEAD, json(head)?);
        }
        let update = update
            .set(GENERATION, text(&mark.generation))
            .set(SETTLED_FACTS, number(mark.facts))
            .set(SETTLED_PARTS, number(mark.parts))
            .remove(CURSOR)
            .remove(SETTLING_UNTIL)
            .remove(DUE_AT)
            .remove(DUE_SHARD)
            .if_missing_or_less(SETTLED_FACTS, number(mark.facts));
        match update.apply(self).await? {
            Updated::Applied(item) => CommandItem::parse(&item).map(Some),
            // An answer that was lost: this very settle stands.
            Updated::Refused(Some(item)) if item.get(GENERATION) == Some(&text(&mark.generation)) => {
                CommandItem::parse(&item).map(Some)
            }
            Updated::Refused(_) => Ok(None),
        }
    }

    /// Remembers a read of SSM that found no invocation: two of them make an empty command believable.
    pub(crate) async fn remember_empty_read(
        &self,
        id: &CommandId,
        read_at: Timestamp,
    ) -> Result<BTreeSet<Timestamp>, Error> {
        let read = AttributeValue::Ns(vec![read_at.as_millisecond().to_string()]);
        let update = Update::of(&keys::command(id), keys::COMMAND).unite(EMPTY_READS, Some(read));
        Ok(CommandItem::parse(&applied(update.apply(self).await?)?)?.empty_reads)
    }

    /// Remembers that SSM could not be read when nothing more was waited for; since when that is so.
    pub(crate) async fn remember_silence(&self, id: &CommandId, now: Timestamp) -> Result<Timestamp, Error> {
        let update = Update::of(&keys::command(id), keys::COMMAND).set_once(SILENT_SINCE, moment(now));
        Reader(&applied(update.apply(self).await?)?).moment(SILENT_SINCE)
    }

    /// What SSM says of when the command is over, where a guess stood.
    pub(crate) async fn correct_expiry(&self, id: &CommandId, expires_after: Timestamp) -> Result<(), Error> {
        let update = Update::of(&keys::command(id), keys::COMMAND)
            .set(EXPIRES_AFTER, moment(expires_after))
            .if_exists();
        update.apply(self).await.map(|_| ())
    }

    /// Claims a settle until then; `false`: somebody else holds it.
    pub(crate) async fn claim_settle(
        &self,
        id: &CommandId,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<bool, Error> {
        let update = Update::of(&keys::command(id), keys::COMMAND)
            .set(SETTLING_UNTIL, moment(until))
            .if_missing_or_less(SETTLING_UNTIL, moment(now));
        Ok(match update.apply(self).await? {
            Updated::Applied(_) => true,
            // An answer that was lost: it is ours.
            Updated::Refused(item) => {
                item.is_some_and(|item| item.get(SETTLING_UNTIL) == Some(&moment(until)))
            }
        })
    }

    /// Gives a settle back that is not done.
    pub(crate) async fn release_settle(&self, id: &CommandId, until: Timestamp) -> Result<(), Error> {
        let update = Update::of(&keys::command(id), keys::COMMAND)
            .remove(SETTLING_UNTIL)
            .if_equals(SETTLING_UNTIL, moment(until));
        update.apply(self).await.map(|_| ())
    }

    /// Takes up where a settle stopped; `false`: another one has.
    pub(crate) async fn take_cursor(&self, id: &CommandId, cursor: &SettleCursor) -> Result<bool, Error> {
        let update =
            Update::of(&keys::command(id), keys::COMMAND).remove(CURSOR).if_equals(CURSOR, json(cursor)?);
        Ok(matches!(update.apply(self).await?, Updated::Applied(_)))
    }

    /// Keeps where a settle stopped.
    pub(crate) async fn keep_cursor(&self, id: &CommandId, cursor: &SettleCursor) -> Result<(), Error> {
        let update = Update::of(&keys::command(id), keys::COMMAND).set(CURSOR, json(cursor)?).if_exists();
        update.apply(self).await.map(|_| ())
    }
}
