//! One database of the embedded engine, by the names and the JSON of DynamoDB's operations.

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;

use dynoxide::storage_backend::Clock;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::absent::Absent;
use super::{Units, costs, writes};
use crate::clock::VirtualClock;
use crate::protocol::Answer;

/// One database.
pub(super) struct Engine {
    database: Database,
    /// Nothing for a file: what earlier processes wrote is not known.
    absent: Option<RefCell<Absent>>,
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

impl Engine {
    pub(super) fn in_memory(clock: &VirtualClock) -> Result<Self, DynoxideError> {
        let database = Database::memory_with_clock(Arc::new(EngineClock(clock.clone())))?;
        Ok(Self { database, absent: Some(RefCell::default()) })
    }

    pub(super) fn in_file(file: &Path) -> Result<Self, DynoxideError> {
        let path = file.to_str();
        let path = path.ok_or_else(|| DynoxideError::InternalServerError("its name is not UTF-8".to_owned()));
        Ok(Self { database: Database::new(path?)?, absent: None })
    }

    /// Answers one request, and says what that cost.
    pub(super) fn answer(&self, operation: &str, body: &Value) -> (Answer, Units) {
        if operation != "Query" {
            return self.ask(operation, body);
        }
        self.known(body).unwrap_or_else(|| {
            let (answer, units) = self.ask(operation, body);
            if let Some(absent) = &self.absent {
                absent.borrow_mut().learn(body, &answer, units);
            }
            (answer, units)
        })
    }

    /// The answer to a query that is known to find nothing.
    pub(super) fn known(&self, query: &Value) -> Option<(Answer, Units)> {
        self.absent.as_ref()?.borrow().answer(query)
    }

    fn ask(&self, operation: &str, body: &Value) -> (Answer, Units) {
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

    /// Applies one operation.
    pub(super) fn dispatch(&self, operation: &str, request: Value) -> Result<Value, DynoxideError> {
        let Self { database, absent } = self;
        if let Some(absent) = absent {
            let mut absent = absent.borrow_mut();
            match operation {
                "CreateTable" | "DeleteTable" => absent.forget(),
                _ if writes(operation) => absent.bring(&request),
                _ => {}
            }
        }
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

    /// Deletes what has expired by the engine's clock; how many items that were.
    pub(super) fn sweep(&self) -> Result<usize, DynoxideError> {
        self.database.sweep_ttl()
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
