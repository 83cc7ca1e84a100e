//! Requests to our SendCommand: the intent is durable before the call, and an SDK's own retry finds it (protocols, P3).

use super::Table;
use super::attributes::{Item, Reader, moment, number, text};
use super::schema::{self, DUE_AT, DUE_SHARD, keys};
use super::update::{Update, Updated};
use crate::Error;
use fleetwright_fleet::CommandId;
use jiff::Timestamp;

const STATE: &str = "state";
const TRIES: &str = "tries";
const LAST_TRY_AT: &str = "last_try_at";
const COMMAND_ID: &str = "command_id";
const COMMENT: &str = "comment";
const BEGUN_BY: &str = "begun_by";

const TRYING: &str = "trying";
const REFUSED: &str = "refused";
const SENT: &str = "sent";

/// A request to our SendCommand, as far as it has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DirectItem {
    pub(crate) state: DirectState,
    /// How often the call was begun.
    pub(crate) tries: u32,
    pub(crate) last_try_at: Timestamp,
    /// The caller's comment, which SSM may hold cut short.
    pub(crate) comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DirectState {
    /// The call was begun; what came of it is not written.
    Trying,
    /// It is known not executed.
    Refused,
    /// SSM took it.
    Sent(CommandId),
}

/// What beginning to send came to.
pub(crate) enum Begun {
    /// The call is to be made.
    Now(DirectItem),
    /// Somebody else began it.
    Before(DirectItem),
}

impl Table {
    /// Begins to send, unless that was begun before and is not known to have failed. `begun_by` is new for each call.
    pub(crate) async fn begin_direct(
        &self,
        key: &str,
        begun_by: &str,
        comment: Option<&str>,
        due: Timestamp,
        now: Timestamp,
    ) -> Result<Begun, Error> {
        let tries = self.direct(key).await?.map_or(0, |item| item.tries);
        let mut update = Update::of(&keys::direct(key), keys::DIRECT)
            .living(self.retention_days, now)
            .set(STATE, text(TRYING))
            .set(BEGUN_BY, text(begun_by))
            .set(TRIES, number(tries + 1))
            .set(LAST_TRY_AT, moment(now))
            .set(DUE_SHARD, text(schema::look_shard(key)))
            .set(DUE_AT, moment(due))
            .if_missing_or_equals(STATE, text(REFUSED))
            .if_missing_or_equals(TRIES, number(tries));
        if let Some(comment) = comment {
            update = update.set(COMMENT, text(comment));
        }
        match update.apply(self).await? {
            Updated::Applied(item) => Ok(Begun::Now(parse(&item)?)),
            Updated::Refused(Some(item)) => {
                // Our own write, whose answer was lost.
                let ours = Reader(&item).maybe_text(BEGUN_BY)? == Some(begun_by);
                let found = parse(&item)?;
                Ok(if ours { Begun::Now(found) } else { Begun::Before(found) })
            }
            Updated::Refused(None) => Err(Error::Ours(format!("request {key}: refused without an item"))),
        }
    }

    pub(crate) async fn direct(&self, key: &str) -> Result<Option<DirectItem>, Error> {
        self.get(&keys::direct(key), keys::DIRECT).await?.as_ref().map(parse).transpose()
    }

    /// Writes that this try is known not executed: the same request may be made again.
    pub(crate) async fn refuse_direct(&self, key: &str, tries: u32) -> Result<(), Error> {
        let update = Update::of(&keys::direct(key), keys::DIRECT)
            .set(STATE, text(REFUSED))
            .remove(DUE_AT)
            .remove(DUE_SHARD)
            .if_equals(STATE, text(TRYING))
            .if_equals(TRIES, number(tries));
        update.apply(self).await.map(|_| ())
    }

    /// Names the command of a request, once. Answers with the one that stands.
    pub(crate) async fn record_direct(&self, key: &str, command: &CommandId) -> Result<CommandId, Error> {
        let update = Update::of(&keys::direct(key), keys::DIRECT)
            .set(STATE, text(SENT))
            .set(COMMAND_ID, text(command.as_str()))
            .remove(DUE_AT)
            .remove(DUE_SHARD)
            .if_missing_or_equals(COMMAND_ID, text(command.as_str()));
        let (Updated::Applied(item) | Updated::Refused(Some(item))) = update.apply(self).await? else {
            return Ok(command.clone());
        };
        Ok(match parse(&item)?.state {
            DirectState::Sent(standing) => standing,
            DirectState::Trying | DirectState::Refused => command.clone(),
        })
    }
}

fn parse(item: &Item) -> Result<DirectItem, Error> {
    let reader = Reader(item);
    reader.check_schema()?;
    let pk = reader.text(schema::PK)?;
    let unreadable = || Error::Unreadable(format!("item {pk}"));
    let command = match reader.maybe_text(COMMAND_ID)? {
        None => None,
        Some(id) => Some(id.parse().map_err(|_| unreadable())?),
    };
    let state = match (reader.text(STATE)?, command) {
        (TRYING | REFUSED | SENT, Some(command)) => DirectState::Sent(command),
        (TRYING, None) => DirectState::Trying,
        (REFUSED, None) => DirectState::Refused,
        _ => return Err(unreadable()),
    };
    Ok(DirectItem {
        state,
        tries: reader.number(TRIES)?,
        last_try_at: reader.moment(LAST_TRY_AT)?,
        comment: reader.maybe_text(COMMENT)?.map(str::to_owned),
    })
}
