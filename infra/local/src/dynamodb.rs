//! DynamoDB: an embedded engine in process, on the virtual clock, with the capacity of every call counted.

mod absent;
mod embedded;
mod engine;
mod keeper;
mod partitions;
mod replica;

pub use keeper::{Keeper, Refusal};
pub use partitions::written_keys;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;

use dynoxide::DynoxideError;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use engine::Engine;
use partitions::Partitions;
use replica::{Change, Replica};

use crate::clock::VirtualClock;
use crate::cloud::Violation;
use crate::fleet::Span;
use crate::protocol::Answer;

/// How often expired items are swept. The service promises a few days; readers must not rely on it either way.
const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// The tables of the embedded cloud.
pub struct DynamoDb {
    engine: Engine,
    /// Behind a cell, since who looks from outside has no more than a reference and may write as well.
    replica: Option<RefCell<Replica>>,
    partitions: Partitions,
    swept_at: Timestamp,
}

/// Capacity units (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Units {
    /// Read units.
    pub read: f64,
    /// Write units.
    pub write: f64,
}

impl DynamoDb {
    /// No tables, in memory.
    ///
    /// # Errors
    /// When the engine cannot start.
    pub fn in_memory(clock: &VirtualClock) -> Result<Self, DynoxideError> {
        Ok(Self::of(Engine::in_memory(clock)?, clock.now()))
    }

    /// No tables, in memory. What is written is seen `lag` later by reads that are not consistent and by all reads of
    /// an index, as long as they come from clients.
    ///
    /// # Errors
    /// When the engine cannot start.
    pub fn in_memory_with_lag(clock: &VirtualClock, lag: Span, seed: u64) -> Result<Self, DynoxideError> {
        let replica = Replica::new(lag, seed, clock)?;
        Ok(Self { replica: Some(RefCell::new(replica)), ..Self::in_memory(clock)? })
    }

    /// The tables in a file, which is made if it is not there. The engine has no clock but the wall's for those: it
    /// decides what has expired, which nobody may rely on, and names streams, which nobody uses.
    ///
    /// # Errors
    /// When the file cannot be made, opened or understood.
    pub fn in_file(file: &Path, now: Timestamp) -> Result<Self, DynoxideError> {
        Ok(Self::of(Engine::in_file(file)?, now))
    }

    /// No tables, kept by somebody else.
    pub fn kept_by(keeper: Box<dyn Keeper>, now: Timestamp) -> Self {
        Self::of(Engine::kept_by(keeper), now)
    }

    fn of(engine: Engine, now: Timestamp) -> Self {
        Self { engine, replica: None, partitions: Partitions::default(), swept_at: now }
    }

    /// Applies one operation of whoever looks at a simulation from outside: every read sees all that was written. Says
    /// beside the answer what it cost.
    pub fn handle(&self, operation: &str, body: &Value) -> (Answer, Units) {
        let (answer, units) = self.engine.answer(operation, body);
        if let Some(replica) = &self.replica
            && answer.error_code().is_none()
            && writes(operation)
        {
            let change = Change::Write { operation: operation.to_owned(), request: body.clone() };
            replica.borrow_mut().take(change);
        }
        (answer, units)
    }

    /// Applies one operation of a client: what need not be consistent is read as it is at the replica, if there is one,
    /// and a key that is written to too often is throttled.
    pub(crate) fn serve(&mut self, operation: &str, body: &Value, now: Timestamp) -> (Answer, Units) {
        if let Some(refused) = self.partitions.refuse(operation, body, now) {
            return (refused, Units::default());
        }
        let (answer, units) = match &self.replica {
            Some(replica) if may_be_late(operation, body) => {
                replica.borrow_mut().now().answer(operation, body)
            }
            Some(_) | None => self.handle(operation, body),
        };
        self.partitions.take(operation, body, units.write, now);
        (answer, units)
    }

    /// Changes that the replica did not take as the first database did, since this was asked last.
    pub(crate) fn take_violations(&mut self) -> Vec<Violation> {
        self.replica.as_mut().map(|replica| replica.get_mut().take_violations()).unwrap_or_default()
    }

    /// Every item of a table, in key order. For whoever looks at a simulation from outside: costs nothing, and no
    /// fault touches it.
    ///
    /// # Errors
    /// When there is no such table.
    pub fn items(&self, table: &str) -> Result<Vec<Value>, Refusal> {
        let mut items = BTreeMap::new();
        let mut start = Value::Null;
        loop {
            let mut request = json!({ "TableName": table, "ConsistentRead": true });
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let mut page = self.engine.dispatch("Scan", request)?;
            for item in page["Items"].as_array_mut().into_iter().flat_map(std::mem::take) {
                items.insert((item["pk"].to_string(), item["sk"].to_string(), items.len()), item);
            }
            start = page["LastEvaluatedKey"].take();
            if start.is_null() {
                return Ok(items.into_values().collect());
            }
        }
    }

    /// One item as it stands. For whoever looks at a simulation from outside, like [`Self::items`].
    ///
    /// # Errors
    /// When there is no such table.
    pub fn item(&self, table: &str, pk: &str, sk: &str) -> Result<Option<Value>, Refusal> {
        let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        let request = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
        let mut answer = self.engine.dispatch("GetItem", request)?;
        Ok(answer.get_mut("Item").map(Value::take).filter(Value::is_object))
    }

    /// Deletes what has expired, if it is time to.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        if now.duration_since(self.swept_at) >= SWEEP_INTERVAL {
            self.swept_at = now;
            // Nobody may rely on expiry, so nothing follows from a sweep that failed.
            let swept = self.engine.sweep();
            if let (Some(replica), Ok(items)) = (&self.replica, swept) {
                replica.borrow_mut().take(Change::Expiry { items });
            }
        }
    }
}

/// Whether an operation consumes capacity.
fn costs(operation: &str) -> bool {
    operation.ends_with("Item") || operation.ends_with("Items") || matches!(operation, "Query" | "Scan")
}

fn reads(operation: &str) -> bool {
    matches!(operation, "GetItem" | "BatchGetItem" | "TransactGetItems" | "Query" | "Scan")
}

fn writes(operation: &str) -> bool {
    matches!(
        operation,
        "CreateTable"
            | "DeleteTable"
            | "UpdateTimeToLive"
            | "PutItem"
            | "UpdateItem"
            | "DeleteItem"
            | "BatchWriteItem"
            | "TransactWriteItems"
    )
}

/// Whether a read may miss the latest writes (DynamoDB developer guide, "Read consistency"): an index can only be read
/// so, a table unless it is asked otherwise, and a transaction never.
fn may_be_late(operation: &str, body: &Value) -> bool {
    let consistent = |read: &Value| read.get("ConsistentRead").and_then(Value::as_bool).unwrap_or_default();
    match operation {
        "Query" | "Scan" => body.get("IndexName").is_some() || !consistent(body),
        "GetItem" => !consistent(body),
        // One that asks for both is answered with the latest for both, which is allowed.
        "BatchGetItem" => {
            body["RequestItems"].as_object().is_some_and(|tables| !tables.values().any(consistent))
        }
        _ => false,
    }
}

impl Units {
    fn of(operation: &str, response: &Value) -> Self {
        let consumed = response.get("ConsumedCapacity").unwrap_or(&Value::Null);
        let units = |one: &Value| one["CapacityUnits"].as_f64().unwrap_or_default();
        // One table, or one entry a table for batches and transactions.
        let total =
            consumed.as_array().map_or_else(|| units(consumed), |tables| tables.iter().map(units).sum());
        if reads(operation) { Self { read: total, write: 0.0 } } else { Self { read: 0.0, write: total } }
    }

    /// A failed condition costs what the write would have. The engine doesn't say what that is; one unit an item
    /// (two in a transaction) is its lower bound.
    fn of_refusal(code: &str, request: &Value) -> Self {
        let write = match code {
            "ConditionalCheckFailedException" => 1.0,
            "TransactionCanceledException" => {
                let items = request["TransactItems"].as_array().map_or(0, Vec::len);
                2.0 * f64::from(u32::try_from(items).unwrap_or(u32::MAX))
            }
            _ => 0.0,
        };
        Self { read: 0.0, write }
    }

    /// Adds another cost to this one.
    pub(crate) fn add(&mut self, other: Self) {
        self.read += other.read;
        self.write += other.write;
    }
}
