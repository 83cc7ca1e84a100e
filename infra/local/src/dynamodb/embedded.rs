//! The embedded engine, by the names and the JSON of DynamoDB's operations.

use std::path::Path;
use std::sync::Arc;

use dynoxide::storage_backend::Clock;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::keeper::{Keeper, Refusal};
use crate::clock::VirtualClock;
use crate::protocol::Answer;

/// A database of the embedded engine.
pub(super) struct Embedded(Database);

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

impl Embedded {
    pub(super) fn in_memory(clock: &VirtualClock) -> Result<Self, DynoxideError> {
        Ok(Self(Database::memory_with_clock(Arc::new(EngineClock(clock.clone())))?))
    }

    pub(super) fn in_file(file: &Path) -> Result<Self, DynoxideError> {
        let path = file.to_str();
        let path = path.ok_or_else(|| DynoxideError::InternalServerError("its name is not UTF-8".to_owned()));
        Ok(Self(Database::new(path?)?))
    }

    fn apply(&self, operation: &str, request: Value) -> Result<Value, DynoxideError> {
        let database = &self.0;
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
}

impl Keeper for Embedded {
    fn answer(&self, operation: &str, request: Value) -> Answer {
        self.apply(operation, request).map_or_else(|error| refused(&error), Answer::ok)
    }

    fn sweep(&self) -> Result<usize, Refusal> {
        self.0.sweep_ttl().map_err(|error| Refusal(refused(&error)))
    }
}

fn refused(error: &DynoxideError) -> Answer {
    let body = serde_json::from_str(&error.to_json()).unwrap_or_default();
    Answer { status: error.status_code(), body }
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
