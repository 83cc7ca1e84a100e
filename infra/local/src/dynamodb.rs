//! DynamoDB: an embedded engine in process, on the virtual clock, with the capacity of every call counted.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use dynoxide::storage_backend::Clock;
use dynoxide::{Database, DynoxideError};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::clock::VirtualClock;
use crate::protocol::Answer;

/// How often expired items are swept. The service promises a few days; readers must not rely on it either way.
const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_hours(1);

/// The tables of the embedded cloud.
pub struct DynamoDb {
    database: Database,
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

/// The engine reads whole seconds from our clock.
struct EngineClock(VirtualClock);

impl Clock for EngineClock {
    fn now_unix_secs(&self) -> u64 {
        u64::try_from(self.0.now().as_second()).unwrap_or_default()
    }

    fn now_unix_secs_f64(&self) -> f64 {
        self.0.now().as_duration().as_secs_f64()
    }
}

impl DynamoDb {
    /// No tables, in memory.
    ///
    /// # Errors
    /// When the engine cannot start.
    pub fn in_memory(clock: &VirtualClock) -> Result<Self, DynoxideError> {
        let engine_clock = Arc::new(EngineClock(clock.clone()));
        Ok(Self { database: Database::memory_with_clock(engine_clock)?, swept_at: clock.now() })
    }

    /// The tables in a file, which is made if it is not there. The engine has no clock but the wall's for those: it
    /// decides what has expired, which nobody may rely on, and names streams, which nobody uses.
    ///
    /// # Errors
    /// When the file cannot be made, opened or understood.
    pub fn in_file(file: &Path, now: Timestamp) -> Result<Self, DynoxideError> {
        let path = file.to_str();
        let path = path.ok_or_else(|| DynoxideError::InternalServerError("its name is not UTF-8".to_owned()));
        Ok(Self { database: Database::new(path?)?, swept_at: now })
    }

    /// Applies one operation; says beside the answer what it cost.
    pub fn handle(&self, operation: &str, body: &Value) -> (Answer, Units) {
        let mut request = body.clone();
        let asked =
            request.get("ReturnConsumedCapacity").and_then(Value::as_str).is_some_and(|mode| mode != "NONE");
        if !asked && costs(operation) {
            request["ReturnConsumedCapacity"] = json!("TOTAL");
        }
        match self.dispatch(operation, request) {
            Ok(mut response) => {
                let units = Units::of(operation, &response);
                if !asked && let Some(members) = response.as_object_mut() {
                    members.remove("ConsumedCapacity");
                }
                (Answer::ok(response), units)
            }
            Err(error) => {
                let units = Units::of_refusal(&error, body);
                let body = serde_json::from_str(&error.to_json()).unwrap_or_default();
                (Answer { status: error.status_code(), body }, units)
            }
        }
    }

    fn dispatch(&self, operation: &str, request: Value) -> Result<Value, DynoxideError> {
        let database = &self.database;
        match operation {
            "CreateTable" => written(database.create_table(read(request)?)?),
            "DeleteTable" => written(database.delete_table(read(request)?)?),
            "DescribeTable" => written(database.describe_table(read(request)?)?),
            "ListTables" => written(database.list_tables(read(request)?)?),
            "PutItem" => written(database.put_item(read(request)?)?),
            "GetItem" => written(database.get_item(read(request)?)?),
            "DeleteItem" => written(database.delete_item(read(request)?)?),
            "UpdateItem" => written(database.update_item(read(request)?)?),
            "Query" => written(database.query(read(request)?)?),
            "Scan" => written(database.scan(read(request)?)?),
            "BatchGetItem" => written(database.batch_get_item(read(request)?)?),
            "BatchWriteItem" => written(database.batch_write_item(read(request)?)?),
            "TransactWriteItems" => written(database.transact_write_items(read(request)?)?),
            "TransactGetItems" => written(database.transact_get_items(read(request)?)?),
            "UpdateTimeToLive" => written(database.update_time_to_live(read(request)?)?),
            "DescribeTimeToLive" => written(database.describe_time_to_live(read(request)?)?),
            other => {
                Err(DynoxideError::ValidationException(format!("{other} is not part of the embedded cloud")))
            }
        }
    }

    /// Every item of a table, in key order. For whoever looks at a simulation from outside: costs nothing, and no
    /// fault touches it.
    ///
    /// # Errors
    /// When there is no such table.
    pub fn items(&self, table: &str) -> Result<Vec<Value>, DynoxideError> {
        let mut items = BTreeMap::new();
        let mut start = Value::Null;
        loop {
            let mut request = json!({ "TableName": table, "ConsistentRead": true });
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let mut page = self.dispatch("Scan", request)?;
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
    pub fn item(&self, table: &str, pk: &str, sk: &str) -> Result<Option<Value>, DynoxideError> {
        let key = json!({ "pk": { "S": pk }, "sk": { "S": sk } });
        let request = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
        let mut answer = self.dispatch("GetItem", request)?;
        Ok(answer.get_mut("Item").map(Value::take).filter(Value::is_object))
    }

    /// Deletes what has expired, if it is time to.
    pub(crate) fn sweep(&mut self, now: Timestamp) {
        if now.duration_since(self.swept_at) >= SWEEP_INTERVAL {
            self.swept_at = now;
            // Nobody may rely on expiry, so nothing follows from a sweep that failed.
            let _ = self.database.sweep_ttl();
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
    fn of_refusal(error: &DynoxideError, request: &Value) -> Self {
        let write = if let DynoxideError::ConditionalCheckFailedException(..) = error {
            1.0
        } else if let DynoxideError::TransactionCanceledException(..) = error {
            let items = request["TransactItems"].as_array().map_or(0, Vec::len);
            2.0 * f64::from(u32::try_from(items).unwrap_or(u32::MAX))
        } else {
            0.0
        };
        Self { read: 0.0, write }
    }

    /// Adds another cost to this one.
    pub(crate) fn add(&mut self, other: Self) {
        self.read += other.read;
        self.write += other.write;
    }
}

/// The engine's own reader marks what DynamoDB would call a validation error; the rest are malformed requests.
fn read<T: DeserializeOwned>(request: Value) -> Result<T, DynoxideError> {
    serde_json::from_value(request).map_err(|error| {
        let message = error.to_string();
        match message.strip_prefix("VALIDATION:") {
            Some(message) => DynoxideError::ValidationException(message.to_owned()),
            None => DynoxideError::SerializationException(message),
        }
    })
}

fn written(response: impl Serialize) -> Result<Value, DynoxideError> {
    serde_json::to_value(response).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
