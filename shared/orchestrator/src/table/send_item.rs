//! Send items: every try begins with a write that only one can win (protocols, P3).

use super::Table;
use super::attributes::{Item, Reader, json, moment, number, text, texts};
use super::result_item::pack;
use super::schema::{self, DUE_AT, DUE_SHARD, keys};
use super::update::{Update, Updated};
use crate::Error;
use crate::planted::{Bug, is_planted};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use fleetwright_engine::{
    Ended, ExecutionId, Refusal, Send, SendEnd, SendState, SendToken, Slice, WATCH_AFTER,
};
use fleetwright_fleet::CommandId;
use fleetwright_wire::Command;
use jiff::Timestamp;

const STEP: &str = "step";
const ATTEMPT: &str = "attempt";
const SLICE: &str = "slice";
const MAX_ERRORS: &str = "max_errors";
const MAX_CONCURRENCY: &str = "max_concurrency";
const STATE: &str = "state";
const REFUSAL: &str = "refusal";
pub(crate) const COMMAND_ID: &str = "command_id";
const TRIES: &str = "tries";
const REFUSED_TRIES: &str = "refused_tries";
const LAST_TRY_AT: &str = "last_try_at";
const TRIED_AT: &str = "tried_at";
const LOOKS: &str = "looks";
const HALT: &str = "halt";
const CANCELLED_AT: &str = "cancelled_at";
const END: &str = "end";
const EXTRA_COMMANDS: &str = "extra_commands";
/// What SSM said of the send's command.
pub(crate) const DESCRIPTION: &str = "description";

const TRYING: &str = "trying";
const REFUSED: &str = "refused";
const SENT: &str = "sent";
const ENDED: &str = "ended";

/// A send item as it was read, with what only the table knows.
#[derive(Debug, Clone)]
pub(crate) struct SendItem {
    pub(crate) send: Send,
    /// The command it was recorded with, also after it ended.
    pub(crate) recorded: Option<CommandId>,
}

/// What recording a command on its send came to.
#[derive(Debug, Clone)]
pub(crate) enum Recorded {
    /// It is the send's command; the send may be halted.
    Stands(Box<Send>),
    /// The send has another one, or is over without one: this one is too many.
    TooMany,
}

pub(crate) fn parse(item: &Item) -> Result<SendItem, Error> {
    let reader = Reader(item);
    reader.check_schema()?;
    let sk = reader.text(schema::SK)?;
    let unreadable = || Error::Unreadable(format!("send item {sk}"));
    let token = sk.strip_prefix(keys::SEND).and_then(SendToken::parse).ok_or_else(unreadable)?;
    let recorded: Option<CommandId> = match reader.maybe_text(COMMAND_ID)? {
        None => None,
        Some(id) => Some(id.parse().map_err(|_| unreadable())?),
    };
    let state = match (reader.text(STATE)?, recorded.clone()) {
        (ENDED, _) => SendState::Ended,
        // A command id is the truth, whatever a slower writer said of the try.
        (TRYING | REFUSED | SENT, Some(command_id)) => SendState::Sent { command_id },
        (TRYING, None) => SendState::Trying,
        (REFUSED, None) => SendState::Refused(reader.json(REFUSAL)?),
        _ => return Err(unreadable()),
    };
    let send = Send {
        token,
        step: reader.number(STEP)?,
        attempt: reader.number(ATTEMPT)?,
        slice: reader.json::<Slice>(SLICE)?,
        max_errors: reader.maybe_text(MAX_ERRORS)?.map(str::to_owned),
        max_concurrency: reader.maybe_text(MAX_CONCURRENCY)?.map(str::to_owned),
        state,
        tries: reader.number(TRIES)?,
        refused_tries: reader.number(REFUSED_TRIES)?,
        last_try_at: reader.moment(LAST_TRY_AT)?,
        tried_at: reader.moments(TRIED_AT)?,
        looks: reader.moments(LOOKS)?,
        halt: reader.flag(HALT)?,
        cancelled_at: reader.maybe_moment(CANCELLED_AT)?,
    };
    Ok(SendItem { send, recorded })
}

/// The item of a send that a commit plans.
pub(crate) fn planned(execution: &ExecutionId, send: &Send, expires: AttributeValue) -> Result<Item, Error> {
    let mut item = schema::key(&keys::execution(execution), &keys::send(&send.token));
    let mut put = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
    put(schema::SCHEMA_VERSION, number(schema::SCHEMA));
    put(schema::EXPIRES, expires);
    put(STEP, number(send.step));
    put(ATTEMPT, number(send.attempt));
    put(SLICE, json(&send.slice)?);
    put(STATE, text(TRYING));
    put(TRIES, number(send.tries));
    put(REFUSED_TRIES, number(send.refused_tries));
    put(LAST_TRY_AT, moment(send.last_try_at));
    put(TRIED_AT, AttributeValue::Ns(vec![send.last_try_at.as_millisecond().to_string()]));
    if let Some(bound) = &send.max_errors {
        put(MAX_ERRORS, text(bound));
    }
    if let Some(bound) = &send.max_concurrency {
        put(MAX_CONCURRENCY, text(bound));
    }
    Ok(item)
}

/// Ends a send as part of a commit: only if it still is what the decision saw.
pub(crate) fn end(execution: &ExecutionId, ended: &Ended) -> Result<Update, Error> {
    let send = &ended.send;
    let mut update = Update::of(&keys::execution(execution), &keys::send(&send.token))
        .set(STATE, text(ENDED))
        .set(END, json(&ended.end)?)
        .if_equals(TRIES, number(send.tries));
    update = match send.command_id() {
        Some(id) => update.if_equals(COMMAND_ID, text(id.as_str())),
        None => update.if_missing(COMMAND_ID),
    };
    // A further try has begun its watch already.
    if ended.end == SendEnd::Unknown && !send.is_watched() && !is_planted(Bug::EndedSendUnwatched) {
        update = watched_from(update, execution, send.last_try_at);
    }
    Ok(update)
}

/// Has the windows of a send's tries listed again. The execution may be over long before: the watch is the send's own.
fn watched_from(update: Update, execution: &ExecutionId, last_try_at: Timestamp) -> Update {
    update
        .set(DUE_SHARD, text(schema::due_shard(execution)))
        .set(DUE_AT, moment(last_try_at + WATCH_AFTER[0]))
}

impl Table {
    fn send(&self, execution: &ExecutionId, token: &SendToken) -> Update {
        Update::of(&keys::execution(execution), &keys::send(token))
    }

    /// Sends by token, in one read.
    pub(crate) async fn sends(
        &self,
        execution: &ExecutionId,
        tokens: &[SendToken],
    ) -> Result<Vec<SendItem>, Error> {
        let wanted: Vec<_> =
            tokens.iter().map(|token| (keys::execution(execution), keys::send(token))).collect();
        self.get_all(&wanted).await?.iter().map(parse).collect()
    }

    /// Begins a further try. Who loses this write does not send.
    pub(crate) async fn begin_try(
        &self,
        execution: &ExecutionId,
        send: &Send,
        now: Timestamp,
    ) -> Result<Option<Send>, Error> {
        let from = match send.state {
            SendState::Trying => TRYING,
            SendState::Refused(_) => REFUSED,
            SendState::Sent { .. } | SendState::Ended => return Ok(None),
        };
        let update = self
            .send(execution, &send.token)
            .set(TRIES, number(send.tries + 1))
            .set(LAST_TRY_AT, moment(now))
            .set(STATE, text(TRYING))
            .unite(TRIED_AT, Some(AttributeValue::Ns(vec![now.as_millisecond().to_string()])))
            .remove(LOOKS)
            .remove(REFUSAL)
            .if_equals(TRIES, number(send.tries))
            .if_equals(STATE, text(from))
            .if_missing(COMMAND_ID);
        let update = if is_planted(Bug::HaltUnchecked) { update } else { update.if_missing(HALT) };
        // From here two commands may exist: whichever shows up late is to be found while it still runs.
        let watched = send.unknown_tries() > 0 && !is_planted(Bug::FurtherTryUnwatched);
        let update = if watched { watched_from(update, execution, now) } else { update };
        match update.apply(self).await? {
            Updated::Applied(item) => Ok(Some(parse(&item)?.send)),
            Updated::Refused(Some(_)) if is_planted(Bug::LoserSends) => {
                Ok(Some(Send { tries: send.tries + 1, last_try_at: now, ..send.clone() }))
            }
            Updated::Refused(_) => Ok(None),
        }
    }

    /// Writes that the last try is known not executed.
    pub(crate) async fn refuse_try(
        &self,
        execution: &ExecutionId,
        send: &Send,
        refusal: &Refusal,
    ) -> Result<(), Error> {
        let update = self
            .send(execution, &send.token)
            .set(STATE, text(REFUSED))
            .set(REFUSAL, json(refusal)?)
            .set(REFUSED_TRIES, number(send.refused_tries + 1))
            .if_equals(TRIES, number(send.tries))
            .if_equals(STATE, text(TRYING))
            .if_missing(COMMAND_ID);
        update.apply(self).await.map(|_| ())
    }

    /// Records the command of a send, once.
    pub(crate) async fn record_command(
        &self,
        execution: &ExecutionId,
        token: &SendToken,
        command_id: &CommandId,
        description: Option<&Command>,
    ) -> Result<Recorded, Error> {
        let mut update = self.send(execution, token);
        if let Some(description) = description {
            update = update.set(DESCRIPTION, AttributeValue::B(Blob::new(pack(description)?)));
        }
        let update = update
            .set(COMMAND_ID, text(command_id.as_str()))
            .set(STATE, text(SENT))
            .if_differs(STATE, text(ENDED))
            .if_exists()
            .if_missing_or_equals(COMMAND_ID, text(command_id.as_str()));
        match update.apply(self).await? {
            Updated::Applied(item) => Ok(Recorded::Stands(Box::new(parse(&item)?.send))),
            Updated::Refused(Some(item)) => {
                let found = parse(&item)?;
                if found.recorded.as_ref() == Some(command_id) {
                    Ok(Recorded::Stands(Box::new(found.send)))
                } else {
                    Ok(Recorded::TooMany)
                }
            }
            Updated::Refused(None) => Ok(Recorded::TooMany),
        }
    }

    /// Keeps what SSM says of a send's command, where a crash kept that from being written with the record.
    pub(crate) async fn describe_send(
        &self,
        execution: &ExecutionId,
        token: &SendToken,
        description: &Command,
    ) -> Result<(), Error> {
        let update = self
            .send(execution, token)
            .set_once(DESCRIPTION, AttributeValue::B(Blob::new(pack(description)?)))
            .if_exists();
        update.apply(self).await.map(|_| ())
    }

    /// Remembers a command too many, to be shown.
    pub(crate) async fn report_extra_command(
        &self,
        execution: &ExecutionId,
        token: &SendToken,
        command_id: &CommandId,
    ) -> Result<(), Error> {
        let update =
            self.send(execution, token).unite(EXTRA_COMMANDS, texts([command_id.to_string()])).if_exists();
        update.apply(self).await.map(|_| ())
    }

    /// Remembers a look that found nothing new, by its scheduled time: the same look counts once.
    pub(crate) async fn add_look(
        &self,
        execution: &ExecutionId,
        send: &Send,
        scheduled: Timestamp,
    ) -> Result<Option<Send>, Error> {
        let mut look = vec![scheduled.as_millisecond().to_string()];
        if is_planted(Bug::OneLookIsAbsent) {
            look.extend([1, 2].map(|more| (scheduled.as_millisecond() + more).to_string()));
        }
        let look = AttributeValue::Ns(look);
        let update =
            self.send(execution, &send.token).unite(LOOKS, Some(look)).if_equals(TRIES, number(send.tries));
        match update.apply(self).await? {
            Updated::Applied(item) => Ok(Some(parse(&item)?.send)),
            Updated::Refused(item) => Ok(item.as_ref().map(parse).transpose()?.map(|item| item.send)),
        }
    }

    /// Lets no try begin any more; shows what is there to be cancelled.
    pub(crate) async fn halt_send(
        &self,
        execution: &ExecutionId,
        token: &SendToken,
    ) -> Result<Option<Send>, Error> {
        let update = self.send(execution, token).set(HALT, AttributeValue::Bool(true)).if_exists();
        match update.apply(self).await? {
            Updated::Applied(item) => Ok(Some(parse(&item)?.send)),
            Updated::Refused(_) => Ok(None),
        }
    }

    /// Writes that SSM accepted CancelCommand, the first time it did.
    pub(crate) async fn cancel_accepted(
        &self,
        execution: &ExecutionId,
        token: &SendToken,
        now: Timestamp,
    ) -> Result<(), Error> {
        let update = self.send(execution, token).set_once(CANCELLED_AT, moment(now)).if_exists();
        update.apply(self).await.map(|_| ())
    }

    /// When a watched send's windows are listed next; `None` ends the watch.
    pub(crate) async fn watch_next(
        &self,
        execution: &ExecutionId,
        token: &SendToken,
        next: Option<Timestamp>,
    ) -> Result<(), Error> {
        let update = self.send(execution, token).if_exists();
        let update = match next {
            Some(at) => update.set(DUE_SHARD, text(schema::due_shard(execution))).set(DUE_AT, moment(at)),
            None => update.remove(DUE_AT).remove(DUE_SHARD),
        };
        update.apply(self).await.map(|_| ())
    }
}
