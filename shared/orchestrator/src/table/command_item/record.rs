//! Whose a command is, what it was asked for, and where it stands among all.

use super::{
    ASKED, BY_TARGETS, CANCELLING, CHUNKED, CommandItem, DESCRIBED, EXPIRES_AFTER, Expiry, GENERATION,
    LAST_FACT_AT, OWNER_EXECUTION, OWNER_STEP, OWNER_TOKEN, Owner, applied,
};
use crate::Error;
use crate::planted::{Bug, is_planted};
use crate::table::Table;
use crate::table::attributes::{moment, number, text, texts};
use crate::table::recent_index::RecentKey;
use crate::table::schema::{self, DUE_AT, DUE_SHARD, keys};
use crate::table::update::{Update, Updated};
use aws_sdk_dynamodb::types::AttributeValue;
use fleetwright_fleet::{CommandId, NodeId};
use jiff::Timestamp;

impl Table {
    /// Adds whose send it is to whatever is already known of the command; the answer shows whether it is over.
    pub(crate) async fn record_owner(
        &self,
        id: &CommandId,
        owner: &Owner,
        nodes: Option<&[NodeId]>,
        expires_after: Expiry,
        requested_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<CommandItem, Error> {
        let mut update = Update::of(&keys::command(id), keys::COMMAND)
            .living(self.retention_days, now)
            .set(OWNER_EXECUTION, text(owner.execution.as_str()))
            .set(OWNER_STEP, number(owner.step))
            .set(OWNER_TOKEN, text(owner.token.as_str()))
            .set_known_or_guess(EXPIRES_AFTER, moment(expires_after.at), expires_after.known);
        if let Some(at) = requested_at {
            update = placed(update, id, at).set(DESCRIBED, AttributeValue::Bool(true));
        }
        if is_planted(Bug::OwnerNotAdded) {
            update = update.if_missing(LAST_FACT_AT);
        }
        CommandItem::parse(&applied(asking(update, nodes).apply(self).await?)?)
    }

    /// Makes known a command that no execution sent. It is looked at by itself then.
    pub(crate) async fn record_described(
        &self,
        id: &CommandId,
        nodes: Option<&[NodeId]>,
        expires_after: Expiry,
        requested_at: Timestamp,
        due: Timestamp,
        now: Timestamp,
    ) -> Result<CommandItem, Error> {
        let update = Update::of(&keys::command(id), keys::COMMAND)
            .living(self.retention_days, now)
            .set(DESCRIBED, AttributeValue::Bool(true))
            .set(DUE_SHARD, text(schema::look_shard(id.as_str())))
            .set(DUE_AT, moment(due))
            .set_known_or_guess(EXPIRES_AFTER, moment(expires_after.at), expires_after.known)
            .if_missing(OWNER_EXECUTION);
        match asking(placed(update, id, requested_at), nodes).apply(self).await? {
            Updated::Applied(item) => CommandItem::parse(&item),
            // An execution's after all.
            Updated::Refused(Some(item)) => CommandItem::parse(&item),
            Updated::Refused(None) => Err(Error::Ours(format!("command {id}: refused without an item"))),
        }
    }

    /// Has a command looked at that nobody is known to have sent, unless that is so already.
    pub(crate) async fn track(&self, id: &CommandId, due: Timestamp) -> Result<(), Error> {
        let update = Update::of(&keys::command(id), keys::COMMAND)
            .set(DUE_SHARD, text(schema::look_shard(id.as_str())))
            .set(DUE_AT, moment(due))
            .if_missing(OWNER_EXECUTION)
            .if_missing(DUE_AT)
            .if_missing(GENERATION);
        update.apply(self).await.map(|_| ())
    }

    /// Has a command heard out that an execution no longer waits for, unless it is settled. Whoever looks at it at this
    /// moment, and may not know yet, does not take that away: its `due` is another one then.
    pub(crate) async fn hear_out(&self, id: &CommandId, due: Timestamp, now: Timestamp) -> Result<(), Error> {
        let update = Update::of(&keys::command(id), keys::COMMAND)
            .living(self.retention_days, now)
            .set(DUE_SHARD, text(schema::look_shard(id.as_str())))
            .set(DUE_AT, moment(due))
            .if_missing(GENERATION);
        update.apply(self).await.map(|_| ())
    }

    /// Moves when a command is looked at, if that still is what was read.
    pub(crate) async fn move_command_due(
        &self,
        id: &CommandId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<bool, Error> {
        self.move_due(&keys::command(id), keys::COMMAND, from, Some(to)).await
    }

    /// Nobody knows any more whether what SSM says of it is kept.
    pub(crate) async fn forget_description(&self, id: &CommandId) -> Result<(), Error> {
        let update = Update::of(&keys::command(id), keys::COMMAND).remove(DESCRIBED).if_exists();
        update.apply(self).await.map(|_| ())
    }

    /// Remembers that CancelCommand of a whole command was accepted.
    pub(crate) async fn mark_cancelling(&self, id: &CommandId) -> Result<(), Error> {
        let update = Update::of(&keys::command(id), keys::COMMAND)
            .set(CANCELLING, AttributeValue::Bool(true))
            .if_exists();
        update.apply(self).await.map(|_| ())
    }
}

/// Whom a command goes to; none: its Targets.
fn asking(update: Update, nodes: Option<&[NodeId]>) -> Update {
    let Some(nodes) = nodes else {
        return update.set(BY_TARGETS, AttributeValue::Bool(true)).set(CHUNKED, AttributeValue::Bool(true));
    };
    match texts(nodes.iter().map(ToString::to_string)) {
        Some(nodes) => update.set(ASKED, nodes),
        None => update,
    }
}

/// Gives a command its place among all, once.
pub(super) fn placed(update: Update, id: &CommandId, requested_at: Timestamp) -> Update {
    update
        .set_once(schema::RECENT_MONTH, text(RecentKey::partition_of(keys::COMMAND, requested_at)))
        .set_once(schema::RECENT_AT, text(RecentKey::place(requested_at, id.as_str())))
}
