//! Filters of ListCommands and ListCommandInvocations (SSM API reference, CommandFilter).

use fleetwright_wire::{CommandFilter, ServiceError};
use jiff::Timestamp;

/// One filter; a command or invocation must match all.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    /// Requested at or after.
    InvokedAfter(i64),
    /// Requested at or before.
    InvokedBefore(i64),
    /// Status or StatusDetails; `TimedOut` means both kinds.
    Status(String),
    /// Ended, or not.
    Complete(bool),
    /// The document's name.
    Document(String),
}

const COMMAND: [&str; 12] = [
    "Pending",
    "InProgress",
    "Success",
    "Cancelled",
    "Failed",
    "TimedOut",
    "AccessDenied",
    "DeliveryTimedOut",
    "ExecutionTimedOut",
    "Incomplete",
    "NoInstancesInTag",
    "LimitExceeded",
];

const INVOCATION: [&str; 13] = [
    "Pending",
    "InProgress",
    "Delayed",
    "Success",
    "Cancelled",
    "Failed",
    "TimedOut",
    "AccessDenied",
    "DeliveryTimedOut",
    "ExecutionTimedOut",
    "Undeliverable",
    "InvalidPlatform",
    "Terminated",
];

/// What a filter is held against.
pub(super) struct Subject<'a> {
    pub(super) requested_at: i64,
    pub(super) document: &'a str,
    pub(super) status: &'a str,
    pub(super) details: &'a str,
    pub(super) complete: bool,
}

impl Filter {
    /// Reads filters. Invocations have no ExecutionStage.
    pub(super) fn read(
        filters: Option<&Vec<CommandFilter>>,
        invocations: bool,
    ) -> Result<Vec<Self>, ServiceError> {
        filters.into_iter().flatten().map(|filter| Self::read_one(filter, invocations)).collect()
    }

    fn read_one(filter: &CommandFilter, invocations: bool) -> Result<Self, ServiceError> {
        let (key, value) =
            (filter.key.as_deref().unwrap_or_default(), filter.value.as_deref().unwrap_or_default());
        let wrong = |expected: &str| {
            Err(ServiceError::validation(format!(
                "The filter {key} has the value '{value}', which is not {expected}."
            )))
        };
        let statuses: &[&str] = if invocations { &INVOCATION } else { &COMMAND };
        match key {
            "InvokedAfter" | "InvokedBefore" => match value.parse::<Timestamp>() {
                Ok(at) if key == "InvokedAfter" => Ok(Self::InvokedAfter(at.as_millisecond())),
                Ok(at) => Ok(Self::InvokedBefore(at.as_millisecond())),
                Err(_) => wrong("a time such as 2018-07-07T00:00:00Z"),
            },
            "Status" if statuses.contains(&value) => Ok(Self::Status(value.to_owned())),
            "Status" => wrong(&format!("one of {}", statuses.join(", "))),
            "ExecutionStage" if invocations => Err(ServiceError::invalid_filter_key("")),
            "ExecutionStage" if value == "Executing" || value == "Complete" => {
                Ok(Self::Complete(value == "Complete"))
            }
            "ExecutionStage" => wrong("Executing or Complete"),
            "DocumentName" => Ok(Self::Document(value.to_owned())),
            _ => Err(ServiceError::invalid_filter_key("")),
        }
    }

    /// Whether it lets this through.
    pub(super) fn matches(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::InvokedAfter(at) => subject.requested_at >= *at,
            Self::InvokedBefore(at) => subject.requested_at <= *at,
            Self::Status(status) => subject.status == status || subject.details == status,
            Self::Complete(complete) => subject.complete == *complete,
            Self::Document(name) => subject.document == name,
        }
    }
}
