//! Who keeps the tables: the embedded engine, unless somebody brings another.

use serde_json::Value;
use thiserror::Error;

use crate::protocol::Answer;

/// Whoever answers as DynamoDB, operation by operation.
pub trait Keeper: Send {
    /// Answers one operation as the service would: with its JSON, and with its errors.
    fn answer(&self, operation: &str, request: Value) -> Answer;

    /// Deletes what has expired by virtual time; how many items that were. Who has a clock of his own deletes nothing:
    /// no reader may rely on it.
    ///
    /// # Errors
    /// When it cannot be done.
    fn sweep(&self) -> Result<usize, Refusal> {
        Ok(0)
    }
}

/// An error that a keeper answered.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{}: {}", self.code(), self.message())]
pub struct Refusal(pub(super) Answer);

impl Refusal {
    /// Its name, without the namespace.
    pub fn code(&self) -> &str {
        self.0.error_code().unwrap_or("Unknown")
    }

    /// What it says. The service writes the member's name with either initial.
    pub fn message(&self) -> &str {
        let message = self.0.body.get("message").or_else(|| self.0.body.get("Message"));
        message.and_then(Value::as_str).unwrap_or_default()
    }
}
