//! One database: its keeper, and what its use costs.

use std::cell::RefCell;
use std::path::Path;

use dynoxide::DynoxideError;
use serde_json::{Value, json};

use super::absent::Absent;
use super::embedded::Embedded;
use super::keeper::{Keeper, Refusal};
use super::{Units, costs, writes};
use crate::clock::VirtualClock;
use crate::protocol::Answer;

/// One database.
pub(super) struct Engine {
    keeper: Box<dyn Keeper>,
    /// Nothing for a file: what earlier processes wrote is not known.
    absent: Option<RefCell<Absent>>,
}

impl Engine {
    /// An empty database, whoever keeps it.
    pub(super) fn kept_by(keeper: Box<dyn Keeper>) -> Self {
        Self { keeper, absent: Some(RefCell::default()) }
    }

    pub(super) fn in_memory(clock: &VirtualClock) -> Result<Self, DynoxideError> {
        Ok(Self::kept_by(Box::new(Embedded::in_memory(clock)?)))
    }

    pub(super) fn in_file(file: &Path) -> Result<Self, DynoxideError> {
        Ok(Self { keeper: Box::new(Embedded::in_file(file)?), absent: None })
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
            Err(refusal) => {
                let units = Units::of_refusal(refusal.code(), body);
                (refusal.0, units)
            }
        }
    }

    /// Applies one operation.
    pub(super) fn dispatch(&self, operation: &str, request: Value) -> Result<Value, Refusal> {
        if let Some(absent) = &self.absent {
            let mut absent = absent.borrow_mut();
            match operation {
                "CreateTable" | "DeleteTable" => absent.forget(),
                _ if writes(operation) => absent.bring(&request),
                _ => {}
            }
        }
        let answer = self.keeper.answer(operation, request);
        if answer.error_code().is_some() { Err(Refusal(answer)) } else { Ok(answer.body) }
    }

    /// Deletes what has expired by the keeper's clock; how many items that were.
    pub(super) fn sweep(&self) -> Result<usize, Refusal> {
        self.keeper.sweep()
    }
}
