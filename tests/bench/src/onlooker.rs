//! Counting what a function calls: when each call leaves, what it costs, and what it is about.

use fleetwright_local::dynamodb::written_keys;
use fleetwright_local::protocol::{Request, Service};
use fleetwright_local::{Applied, Call, Fault, Faults, Witness};
use fleetwright_protocols::Run;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A call on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The function or client that makes it.
    pub caller: String,
    /// Such as `dynamodb:UpdateItem`.
    pub action: String,
    /// When.
    pub at: Timestamp,
    /// The partition keys it writes to, one for each item.
    pub written: Vec<String>,
    /// How many items it asks for.
    pub items_read: usize,
}

/// A call of DynamoDB that was applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// When.
    pub at: Timestamp,
    /// The partition keys it wrote to, one for each item.
    pub keys: Vec<String>,
    /// What it cost.
    pub write_units: f64,
    /// It came too soon for its partition.
    pub throttled: bool,
}

#[derive(Debug, Default)]
struct Seen {
    left: Vec<Left>,
    writes: Vec<Write>,
}

/// Looks on; clones share what was seen.
#[derive(Debug, Clone, Default)]
pub struct Onlooker(Arc<Mutex<Seen>>);

impl Onlooker {
    /// Looks on from now on, in the place of whoever did, and of all faults.
    #[must_use]
    pub fn of(run: &mut Run) -> Self {
        let onlooker = Self::default();
        run.deployment.simulation.set_faults(Box::new(onlooker.clone()));
        run.cloud().set_witness(Box::new(onlooker.clone()));
        onlooker
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All calls, in the order they left.
    #[must_use]
    pub fn everything(&self) -> Vec<Left> {
        self.seen().left.clone()
    }

    /// Calls of a function or client, in the order they left.
    #[must_use]
    pub fn left(&self, caller: &str) -> Vec<Left> {
        self.everything().into_iter().filter(|call| call.caller == caller).collect()
    }

    /// Writes to the table, in the order they were applied.
    #[must_use]
    pub fn writes(&self) -> Vec<Write> {
        self.seen().writes.clone()
    }

    /// Forgets what was seen.
    pub fn forget(&self) {
        *self.seen() = Seen::default();
    }
}

/// How many items a read asks for by key; a query is one.
fn items_read(request: &Request) -> usize {
    match request.operation.as_str() {
        "BatchGetItem" => {
            let tables = request.body["RequestItems"].as_object().into_iter().flatten();
            tables.map(|(_, wanted)| wanted["Keys"].as_array().map_or(0, Vec::len)).sum()
        }
        "GetItem" | "Query" => 1,
        _ => 0,
    }
}

impl Faults for Onlooker {
    fn on_call(&mut self, call: &Call<'_>) -> Fault {
        let request =
            Request { service: call.service, operation: call.operation.to_owned(), body: call.body.clone() };
        self.seen().left.push(Left {
            caller: call.function.to_owned(),
            action: request.action(),
            at: call.now,
            written: written_keys(call.operation, call.body).into_iter().map(str::to_owned).collect(),
            items_read: items_read(&request),
        });
        Fault::None
    }
}

impl Witness for Onlooker {
    fn on_applied(&mut self, applied: &Applied<'_>) {
        let Request { service, operation, body } = applied.request;
        let keys: Vec<String> = written_keys(operation, body).into_iter().map(str::to_owned).collect();
        if *service == Service::DynamoDb && !keys.is_empty() {
            let throttled = applied.answer.body.to_string().contains("Throughput exceeds");
            let (at, write_units) = (applied.at, applied.units.write);
            self.seen().writes.push(Write { at, keys, write_units, throttled });
        }
    }
}
