//! A commit: one transaction, conditional on what was read (protocols, P1).

use super::attributes::{Reader, json, moment, number, text};
use super::execution_item::{
    BODY, COMMIT_VERSION, COMMITTED_BY, OPEN_STEP, PARKED, PENDING, STATUS, VERSION, step_update,
};
use super::schema::{self, DUE_AT, DUE_SHARD, keys};
use super::send_item;
use super::update::{Update, expiry};
use super::{Loaded, Table};
use crate::back_off::CALLS_MAX;
use crate::error::{Known, known};
use crate::planted::{Bug, is_planted};
use crate::{Error, Operation};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, Put, TransactWriteItem};
use fleetwright_engine::{Decision, Execution, Phase};
use jiff::Timestamp;

/// Actions of one transaction (DynamoDB takes 100; the rest is room for what an upgrade may add).
const ACTIONS_MAX: usize = 80;

/// A decision, ready to be written.
#[derive(Debug)]
pub(crate) struct Commit<'a> {
    /// What was read.
    pub(crate) before: &'a Loaded,
    /// What was decided.
    pub(crate) decision: &'a Decision,
    /// A random mark: a failed condition that shows it means the commit had succeeded.
    pub(crate) mark: String,
    /// When.
    pub(crate) now: Timestamp,
}

/// How a commit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Committed {
    /// It stands.
    Yes,
    /// Somebody else was faster: read again, decide again.
    Lost,
    /// It must not be written: a mistake of ours.
    Illegal(String),
}

impl Table {
    /// Writes a decision, or finds that somebody else was faster.
    pub(crate) async fn commit(&self, commit: &Commit<'_>) -> Result<Committed, Error> {
        let execution = &commit.decision.execution;
        if let Err(wrong) = execution.check() {
            return Ok(Committed::Illegal(wrong));
        }
        let actions = self.actions(commit).await?;
        if actions.len() > ACTIONS_MAX {
            return Ok(Committed::Illegal(format!("a commit would have {} actions", actions.len())));
        }
        for failures in 1..=CALLS_MAX {
            let sent =
                self.client.transact_write_items().set_transact_items(Some(actions.clone())).send().await;
            match sent {
                Ok(_) => return Ok(Committed::Yes),
                Err(SdkError::ServiceError(error)) if error.err().is_transaction_canceled_exception() => {
                    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error.into_err()
                    else {
                        return Err(Error::Ours("a cancelled transaction without reasons".to_owned()));
                    };
                    return outcome(cancelled.cancellation_reasons(), &commit.mark);
                }
                Err(error) if known(&error) != Known::Rejected => self.back_off.wait(failures).await,
                Err(error) => return Err(Error::of(Operation::TransactWriteItems, &error)),
            }
        }
        Err(Error::Again("TransactWriteItems: no answer".to_owned()))
    }

    async fn actions(&self, commit: &Commit<'_>) -> Result<Vec<TransactWriteItem>, Error> {
        let decision = commit.decision;
        let id = &decision.execution.id;
        let version = commit.before.version + 1;
        let expires = expiry(self.retention_days, commit.now);
        let mut actions = vec![
            TransactWriteItem::builder()
                .update(execution_update(commit, version)?.in_transaction(self)?)
                .build(),
        ];
        let open = decision.execution.open_step();
        for step in decision.closed.iter().chain(&decision.begun).chain(open) {
            let update = step_update(id, step, version, expires.clone())?.in_transaction(self)?;
            actions.push(TransactWriteItem::builder().update(update).build());
        }
        for ended in &decision.ended {
            let update = send_item::end(id, ended)?.in_transaction(self)?;
            actions.push(TransactWriteItem::builder().update(update).build());
        }
        for send in &decision.planned {
            actions.push(self.put(send_item::planned(id, send, expires.clone())?, true)?);
        }
        for item in self.write_lists(id, &decision.lists, &expires).await? {
            actions.push(self.put(item, false)?);
        }
        Ok(actions)
    }

    fn put(&self, item: super::Item, new: bool) -> Result<TransactWriteItem, Error> {
        let put = Put::builder().table_name(&self.name).set_item(Some(item));
        let put = if new {
            put.condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", schema::PK)
        } else {
            put
        };
        let put = put.build().map_err(|error| Error::Ours(error.to_string()))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

fn execution_update(commit: &Commit<'_>, version: u64) -> Result<Update, Error> {
    let (before, decision) = (&commit.before.execution, commit.decision);
    let after: &Execution = &decision.execution;
    let mut update = Update::of(&keys::execution(&after.id), keys::EXECUTION)
        .set(VERSION, number(version))
        .set(COMMIT_VERSION, number(version))
        .remove(PARKED)
        .set(COMMITTED_BY, text(&commit.mark))
        .set(BODY, json(&after.head())?)
        .set(STATUS, text(after.status().as_str()));
    if !is_planted(Bug::VersionUnchecked) {
        update = update.if_equals(VERSION, number(commit.before.version));
    }
    update = match &after.phase {
        Phase::In(step) => update.set(OPEN_STEP, number(step.ordinal)),
        Phase::At(_) | Phase::Ending(_) | Phase::Ended { .. } => update.remove(OPEN_STEP),
    };
    update = match decision.due {
        Some(due) => update.set(DUE_SHARD, text(schema::due_shard(&after.id))).set(DUE_AT, moment(due)),
        None => update.remove(DUE_SHARD).remove(DUE_AT),
    };
    for (key, pending) in &after.pending {
        if !before.pending.contains_key(key) {
            update = update.set_in(PENDING, key, json(pending)?);
        }
    }
    for key in before.pending.keys() {
        if !after.pending.contains_key(key) {
            update = update.remove_in(PENDING, key);
        }
    }
    Ok(update)
}

/// The execution's own condition comes first: if it failed on a commit with our mark, that commit was ours.
fn outcome(reasons: &[CancellationReason], mark: &str) -> Result<Committed, Error> {
    let first = reasons.first().and_then(|reason| reason.item.as_ref());
    if first.is_some_and(|item| Reader(item).maybe_text(COMMITTED_BY) == Ok(Some(mark))) {
        return Ok(Committed::Yes);
    }
    for item in reasons.iter().filter_map(|reason| reason.item.as_ref()) {
        Reader(item).check_schema()?;
    }
    let mut lost = false;
    for code in reasons.iter().filter_map(|reason| reason.code.as_deref()) {
        match code {
            "None" => {}
            "TransactionConflict" if is_planted(Bug::ConflictIsSuccess) => return Ok(Committed::Yes),
            "ConditionalCheckFailed" | "TransactionConflict" => lost = true,
            "ThrottlingError" | "ProvisionedThroughputExceeded" => {
                return Err(Error::Again(format!("TransactWriteItems: {code}")));
            }
            other => return Err(Error::Ours(format!("TransactWriteItems: {other}"))),
        }
    }
    if lost { Ok(Committed::Lost) } else { Err(Error::Again("TransactWriteItems was cancelled".to_owned())) }
}
