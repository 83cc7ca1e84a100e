//! Somebody who looks on while a simulation runs, and changes nothing.

use jiff::Timestamp;

use crate::dynamodb::{DynamoDb, Units};
use crate::protocol::{Answer, Request};
use crate::ssm::Ledger;

/// Looks on. It is told of every AWS call at the moment its service has applied it, whatever the caller hears of it.
pub trait Witness: Send {
    /// A call was applied, or refused by its service.
    fn on_applied(&mut self, applied: &Applied<'_>);
}

/// One applied call, and the world right after it.
#[derive(Clone, Copy)]
pub struct Applied<'a> {
    /// The calling function, or the name of the client outside any function.
    pub caller: &'a str,
    /// What was asked.
    pub request: &'a Request,
    /// What the service answered.
    pub answer: &'a Answer,
    /// What DynamoDB charges for it.
    pub units: Units,
    /// The tables.
    pub dynamodb: &'a DynamoDb,
    /// What really ran.
    pub ledger: &'a Ledger,
    /// True virtual time.
    pub at: Timestamp,
}
