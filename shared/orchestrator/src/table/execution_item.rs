//! Execution and step items.

mod overview;

pub(crate) use overview::{Overview, StepRow};

use super::Table;
use super::attributes::{Item, Reader, json, moment, number, text};
use super::recent_index::RecentKey;
use super::schema::{self, DUE_AT, DUE_INDEX, DUE_SHARD, Due, DueFor, RECENT_AT, RECENT_MONTH, keys};
use super::send_item::{self, SendItem};
use super::update::{Update, Updated, expiry};
use crate::back_off::CALLS_MAX;
use crate::error::{Known, known};
use crate::planted::{Bug, is_planted};
use crate::{Error, Operation};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use fleetwright_engine::{Execution, ExecutionId, Pending, Phase, SendToken, StepExecution};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};

pub(crate) const VERSION: &str = "version";
pub(crate) const COMMITTED_BY: &str = "committed_by";
pub(crate) const BODY: &str = "body";
pub(crate) const STATUS: &str = "status";
pub(crate) const OPEN_STEP: &str = "open_step";
/// The version of the last commit: parking raises `version`, and writes no step.
pub(crate) const COMMIT_VERSION: &str = "commit_version";
pub(crate) const PENDING: &str = "pending";
pub(crate) const PARKED: &str = "parked";
const REQUEST: &str = "request_sha256";
const CONTRADICTED_BY: &str = "contradicted_by";
const WARNINGS: &str = "warnings";
const RESUMED_AT: &str = "resumed_at";

/// Why an execution needs a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parked {
    /// In words.
    pub(crate) reason: String,
}

/// An execution as it was read, with its open step.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// Its state.
    pub(crate) execution: Execution,
    /// What the next commit must find.
    pub(crate) version: u64,
    /// Set aside until a person says what to do.
    pub(crate) parked: Option<Parked>,
    /// What makes it fail its own check, if anything: it is parked.
    pub(crate) wrong: Option<String>,
    /// When a person last let it go on.
    pub(crate) resumed_at: Option<Timestamp>,
    /// When it is due.
    pub(crate) due: Option<Timestamp>,
    /// What a person should know.
    pub(crate) warnings: Vec<String>,
}

/// An execution item alone: which step item belongs to it is not read yet.
struct Head {
    execution: Execution,
    version: u64,
    commit_version: u64,
    open_step: Option<u32>,
    parked: Option<Parked>,
    due: Option<Timestamp>,
    resumed_at: Option<Timestamp>,
    warnings: Vec<String>,
}

impl Head {
    fn parse(item: &Item) -> Result<Self, Error> {
        let reader = Reader(item);
        reader.check_schema()?;
        let mut execution: Execution = reader.json(BODY)?;
        execution.pending = pending(item)?;
        Ok(Self {
            execution,
            version: reader.number(VERSION)?,
            commit_version: reader.number(COMMIT_VERSION)?,
            open_step: reader.maybe_number(OPEN_STEP)?,
            parked: reader.maybe_text(PARKED)?.map(|reason| Parked { reason: reason.to_owned() }),
            due: reader.maybe_moment(DUE_AT)?,
            resumed_at: reader.maybe_moment(RESUMED_AT)?,
            warnings: reader.texts(WARNINGS)?.into_iter().collect(),
        })
    }

    fn with(mut self, step: Option<StepExecution>) -> Loaded {
        if let Some(step) = step {
            self.execution.phase = Phase::In(Box::new(step));
        }
        let wrong = self.execution.check().err();
        let Self { execution, version, parked, due, resumed_at, warnings, .. } = self;
        Loaded { execution, version, parked, wrong, resumed_at, due, warnings }
    }
}

fn pending(item: &Item) -> Result<BTreeMap<String, Pending>, Error> {
    let Some(value) = item.get(PENDING) else { return Ok(BTreeMap::new()) };
    let map = value.as_m().map_err(|_| Reader(item).unreadable(PENDING))?;
    map.keys().map(|key| Ok((key.clone(), Reader(map).json(key)?))).collect()
}

/// A step item: the version of the execution item it was committed with, and the step.
fn parse_step(item: &Item) -> Result<(u64, StepExecution), Error> {
    let reader = Reader(item);
    reader.check_schema()?;
    Ok((reader.number(VERSION)?, reader.json(BODY)?))
}

/// Writes a step with a commit; what others have put beside it stays.
pub(crate) fn step_update(
    execution: &ExecutionId,
    step: &StepExecution,
    version: u64,
    expires: AttributeValue,
) -> Result<Update, Error> {
    Ok(Update::of(&keys::execution(execution), &keys::step(step.ordinal))
        .set(schema::EXPIRES, expires)
        .set(VERSION, number(version))
        .set(STATUS, text(step.status.as_str()))
        .set(BODY, json(step)?))
}

impl Table {
    /// Reads an execution and its open step, and with them the sends and the step that a command said are its own.
    /// A step read from another commit than the execution is read again.
    pub(crate) async fn load(
        &self,
        id: &ExecutionId,
        step: Option<u32>,
        tokens: &[SendToken],
        now: Timestamp,
    ) -> Result<Option<(Loaded, Vec<SendItem>)>, Error> {
        let pk = keys::execution(id);
        let mut wanted = vec![(pk.clone(), keys::EXECUTION.to_owned())];
        wanted.extend(step.map(|ordinal| (pk.clone(), keys::step(ordinal))));
        wanted.extend(tokens.iter().map(|token| (pk.clone(), keys::send(token))));
        for _ in 0..TORN_READS_MAX {
            let (mut head, mut steps, mut sends) = (None, BTreeMap::new(), Vec::new());
            for item in self.get_all(&wanted).await? {
                match Reader(&item).text(schema::SK)? {
                    // DynamoDB removes what has expired within days, not at once.
                    keys::EXECUTION if Reader(&item).is_expired(now)? => {}
                    keys::EXECUTION => head = Some(Head::parse(&item)?),
                    sk if sk.starts_with(keys::STEP) => {
                        let (version, step) = parse_step(&item)?;
                        steps.insert(step.ordinal, (version, step));
                    }
                    _ => sends.push(send_item::parse(&item)?),
                }
            }
            let Some(head) = head else { return Ok(None) };
            let Some(ordinal) = head.open_step else { return Ok(Some((head.with(None), sends))) };
            if let Some((version, step)) = steps.remove(&ordinal)
                && version == head.commit_version
            {
                return Ok(Some((head.with(Some(step)), sends)));
            }
            let key = (pk.clone(), keys::step(ordinal));
            if !wanted.contains(&key) {
                wanted.push(key);
            }
        }
        Err(Error::Again(format!("execution {id} changes faster than it can be read")))
    }

    /// Creates an execution. `Ok(Some)`: it exists, with the digest of the request that made it.
    pub(crate) async fn create(
        &self,
        execution: &Execution,
        request_sha256: &str,
        now: Timestamp,
    ) -> Result<Option<String>, Error> {
        let mut item = schema::key(&keys::execution(&execution.id), keys::EXECUTION);
        let mut put = |name: &str, value: AttributeValue| item.insert(name.to_owned(), value);
        put(schema::SCHEMA_VERSION, number(schema::SCHEMA));
        put(schema::EXPIRES, expiry(self.retention_days, now));
        put(VERSION, number(1));
        put(COMMIT_VERSION, number(1));
        put(COMMITTED_BY, text("start"));
        put(BODY, json(&execution.head())?);
        put(STATUS, text(execution.status().as_str()));
        put(PENDING, AttributeValue::M(HashMap::new()));
        put(REQUEST, text(request_sha256));
        put(DUE_SHARD, text(schema::due_shard(&execution.id)));
        put(DUE_AT, moment(now));
        put(RECENT_MONTH, text(RecentKey::partition(now)));
        put(RECENT_AT, text(RecentKey::new(&execution.id, now).at));
        for failures in 1..=CALLS_MAX {
            let sent = self
                .client
                .put_item()
                .table_name(&self.name)
                .set_item(Some(item.clone()))
                .condition_expression("attribute_not_exists(#pk)")
                .expression_attribute_names("#pk", schema::PK)
                .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
                .send()
                .await;
            let Err(error) = sent else { return Ok(None) };
            match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    let missing = || Error::Again("PutItem: no item".to_owned());
                    let existing = failed.item.as_ref().ok_or_else(missing)?;
                    Reader(existing).check_schema()?;
                    return Reader(existing).text(REQUEST).map(|digest| Some(digest.to_owned()));
                }
                // Put again under the same id: if it was applied, what stands there is our own request.
                Some(_) | None if known(&error) != Known::Rejected => self.back_off.wait(failures).await,
                Some(_) | None => return Err(Error::of(Operation::PutItem, &error)),
            }
        }
        Err(Error::Again("PutItem: no answer".to_owned()))
    }

    /// The digest of the request that made an execution, if there is one.
    pub(crate) async fn request_of(&self, id: &ExecutionId) -> Result<Option<String>, Error> {
        let Some(item) = self.get(&keys::execution(id), keys::EXECUTION).await? else { return Ok(None) };
        Reader(&item).text(REQUEST).map(|digest| Some(digest.to_owned()))
    }

    /// Step executions in the order they began, each with the commands of which a later report contradicts it.
    pub(crate) async fn steps(&self, id: &ExecutionId) -> Result<Vec<(StepExecution, Vec<String>)>, Error> {
        let mut steps = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.name)
                .key_condition_expression("#pk = :pk AND begins_with(#sk, :sk)")
                .expression_attribute_names("#pk", schema::PK)
                .expression_attribute_names("#sk", schema::SK)
                .expression_attribute_values(":pk", text(keys::execution(id)))
                .expression_attribute_values(":sk", text(keys::STEP))
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| Error::of(Operation::Query, &error))?;
            for item in page.items.unwrap_or_default() {
                let contradicted_by = Reader(&item).texts(CONTRADICTED_BY)?.into_iter().collect();
                steps.push((parse_step(&item)?.1, contradicted_by));
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(steps);
            }
        }
    }

    /// Sets an execution aside, visibly, if it still is as it was when deciding failed.
    /// `false`: it has changed since.
    pub(crate) async fn park(&self, id: &ExecutionId, version: u64, reason: &str) -> Result<bool, Error> {
        let update = Update::of(&keys::execution(id), keys::EXECUTION)
            .set(PARKED, text(reason))
            .set(VERSION, number(version + 1))
            .remove(DUE_AT)
            .remove(DUE_SHARD)
            .if_equals(VERSION, number(version));
        Ok(matches!(update.apply(self).await?, Updated::Applied(_)))
    }

    /// Lets an execution that was set aside go on.
    pub(crate) async fn unpark(&self, id: &ExecutionId, now: Timestamp) -> Result<(), Error> {
        let update = Update::of(&keys::execution(id), keys::EXECUTION)
            .remove(PARKED)
            .set(RESUMED_AT, moment(now))
            .set(DUE_SHARD, text(schema::due_shard(id)))
            .set(DUE_AT, moment(now))
            .if_exists();
        update.apply(self).await.map(|_| ())
    }

    /// An effect has happened.
    pub(crate) async fn performed(&self, id: &ExecutionId, key: &str) -> Result<(), Error> {
        let update = Update::of(&keys::execution(id), keys::EXECUTION).remove_in(PENDING, key).if_exists();
        update.apply(self).await.map(|_| ())
    }

    /// Shows something with the execution that a person should know, once however often it is said.
    pub(crate) async fn warn(&self, id: &ExecutionId, warning: &str) -> Result<(), Error> {
        let update = Update::of(&keys::execution(id), keys::EXECUTION)
            .unite(WARNINGS, super::attributes::texts([warning.to_owned()]))
            .if_exists();
        update.apply(self).await.map(|_| ())
    }

    /// Shows beside a closed step that a later report contradicts its outputs.
    pub(crate) async fn contradict(
        &self,
        id: &ExecutionId,
        step: u32,
        command: &fleetwright_fleet::CommandId,
    ) -> Result<(), Error> {
        let update = Update::of(&keys::execution(id), &keys::step(step))
            .unite(CONTRADICTED_BY, super::attributes::texts([command.to_string()]))
            .if_exists();
        update.apply(self).await.map(|_| ())
    }

    /// What the due index of a shard nominates, the most overdue first.
    pub(crate) async fn nominated(&self, of: DueFor, shard: u8, until: Timestamp) -> Result<Vec<Due>, Error> {
        let page = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(DUE_INDEX)
            .key_condition_expression("#shard = :shard AND #at <= :until")
            .expression_attribute_names("#shard", DUE_SHARD)
            .expression_attribute_names("#at", DUE_AT)
            .expression_attribute_values(":shard", text(of.shard(shard)))
            .expression_attribute_values(":until", moment(until))
            .limit(NOMINATED_MAX)
            .send()
            .await
            .map_err(|error| Error::of(Operation::Query, &error))?;
        let due = |item: &Item| {
            let reader = Reader(item);
            Ok(Due {
                pk: reader.text(schema::PK)?.to_owned(),
                sk: reader.text(schema::SK)?.to_owned(),
                at: reader.moment(DUE_AT)?,
            })
        };
        page.items.unwrap_or_default().iter().map(due).collect()
    }

    /// Claims an item for a while: who loses this does not work on it.
    pub(crate) async fn claim(&self, due: &Due, until: Timestamp) -> Result<bool, Error> {
        self.move_due(&due.pk, &due.sk, due.at, Some(until)).await
    }

    /// Sets when an execution is due, unless a commit has done so since.
    pub(crate) async fn set_due(
        &self,
        id: &ExecutionId,
        claimed: Timestamp,
        due: Option<Timestamp>,
    ) -> Result<bool, Error> {
        self.move_due(&keys::execution(id), keys::EXECUTION, claimed, due).await
    }

    /// Moves an item's due, if it still is what was read.
    pub(crate) async fn move_due(
        &self,
        pk: &str,
        sk: &str,
        from: Timestamp,
        to: Option<Timestamp>,
    ) -> Result<bool, Error> {
        let update = match is_planted(Bug::IndexIsTruth) {
            true => Update::of(pk, sk).if_exists(),
            false => Update::of(pk, sk).if_equals(DUE_AT, moment(from)),
        };
        let update = match to {
            Some(to) => update.set(DUE_AT, moment(to)),
            None => update.remove(DUE_AT).remove(DUE_SHARD),
        };
        Ok(matches!(update.apply(self).await?, Updated::Applied(_)))
    }
}

/// Reads of an execution whose step came from another commit before the whole is given back.
const TORN_READS_MAX: usize = 4;
/// Items of one shard that one tick looks at.
const NOMINATED_MAX: i32 = 100;
