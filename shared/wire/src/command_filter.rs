//! Filters of ListCommands and ListCommandInvocations (SSM API reference, CommandFilter).

use crate::{Command, CommandFilter, CommandInvocation, EpochSeconds, ServiceError};
use jiff::Timestamp;

/// Which of the two lists is asked for: they know other statuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandList {
    /// ListCommands.
    Commands,
    /// ListCommandInvocations.
    Invocations,
}

impl CommandList {
    /// The statuses a filter may name, coarse and fine; `TimedOut` means both kinds.
    const fn statuses(self) -> &'static [&'static str] {
        match self {
            Self::Commands => &[
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
            ],
            Self::Invocations => &[
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
            ],
        }
    }
}

/// Filters that were read; what is listed matches all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandFilters(Vec<Filter>);

#[derive(Debug, Clone, PartialEq)]
enum Filter {
    /// Requested at or after, in milliseconds since 1970.
    InvokedAfter(i64),
    /// Requested at or before.
    InvokedBefore(i64),
    /// Status or StatusDetails.
    Status(String),
    /// Ended, or not.
    Complete(bool),
    /// The document's name, never its ARN.
    Document(String),
}

impl Filter {
    fn lets_through(&self, subject: &CommandSubject<'_>) -> bool {
        match self {
            Self::InvokedAfter(at) => subject.requested_at >= *at,
            Self::InvokedBefore(at) => subject.requested_at <= *at,
            Self::Status(status) => subject.status == status || subject.details == status,
            Self::Complete(complete) => subject.is_complete() == *complete,
            Self::Document(name) => subject.document == name,
        }
    }
}

/// What filters are held against.
#[derive(Debug, Clone, Copy)]
pub struct CommandSubject<'a> {
    /// When it was requested, in milliseconds since 1970.
    pub requested_at: i64,
    /// The document's name.
    pub document: &'a str,
    /// The coarse status.
    pub status: &'a str,
    /// The finer one.
    pub details: &'a str,
}

impl CommandSubject<'_> {
    /// Whether nothing more will happen.
    fn is_complete(&self) -> bool {
        matches!(self.status, "Success" | "Cancelled" | "Failed" | "TimedOut")
    }
}

impl<'a> From<&'a Command> for CommandSubject<'a> {
    fn from(command: &'a Command) -> Self {
        Self {
            requested_at: command.requested_date_time.map_or(0, EpochSeconds::as_millis),
            document: command.document_name.as_deref().unwrap_or_default(),
            status: command.status.as_deref().unwrap_or_default(),
            details: command.status_details.as_deref().unwrap_or_default(),
        }
    }
}

impl<'a> From<&'a CommandInvocation> for CommandSubject<'a> {
    fn from(invocation: &'a CommandInvocation) -> Self {
        Self {
            requested_at: invocation.requested_date_time.map_or(0, EpochSeconds::as_millis),
            document: invocation.document_name.as_deref().unwrap_or_default(),
            status: invocation.status.as_deref().unwrap_or_default(),
            details: invocation.status_details.as_deref().unwrap_or_default(),
        }
    }
}

impl CommandFilters {
    /// Whether an invocation of this command may match: what all of them have in common does.
    #[must_use]
    pub fn may_match(&self, command: &Command) -> bool {
        let subject = CommandSubject::from(command);
        self.0.iter().all(|filter| match filter {
            Filter::Status(_) | Filter::Complete(_) => true,
            Filter::InvokedAfter(_) | Filter::InvokedBefore(_) | Filter::Document(_) => {
                filter.lets_through(&subject)
            }
        })
    }

    /// Reads filters, whose members are there.
    ///
    /// # Errors
    /// `InvalidFilterKey` for one the list does not know, `ValidationException` for a value the key does not know.
    pub fn read(filters: Option<&[CommandFilter]>, list: CommandList) -> Result<Self, ServiceError> {
        filters.into_iter().flatten().map(|filter| read(filter, list)).collect::<Result<_, _>>().map(Self)
    }

    /// Whether all of them let this through.
    #[must_use]
    pub fn matches(&self, subject: &CommandSubject<'_>) -> bool {
        self.0.iter().all(|filter| filter.lets_through(subject))
    }

    /// What is listed was requested at this time or later, if a filter says so.
    #[must_use]
    pub fn after(&self) -> Option<Timestamp> {
        let times = self.0.iter().filter_map(|filter| match filter {
            Filter::InvokedAfter(at) => Some(*at),
            Filter::InvokedBefore(_) | Filter::Status(_) | Filter::Complete(_) | Filter::Document(_) => None,
        });
        times.max().and_then(|at| Timestamp::from_millisecond(at).ok())
    }

    /// What is listed was requested at this time or before, if a filter says so.
    #[must_use]
    pub fn before(&self) -> Option<Timestamp> {
        let times = self.0.iter().filter_map(|filter| match filter {
            Filter::InvokedBefore(at) => Some(*at),
            Filter::InvokedAfter(_) | Filter::Status(_) | Filter::Complete(_) | Filter::Document(_) => None,
        });
        times.min().and_then(|at| Timestamp::from_millisecond(at).ok())
    }
}

fn read(filter: &CommandFilter, list: CommandList) -> Result<Filter, ServiceError> {
    let (key, value) =
        (filter.key.as_deref().unwrap_or_default(), filter.value.as_deref().unwrap_or_default());
    let wrong = |expected: &str| {
        ServiceError::validation(format!(
            "The filter {key} has the value '{value}', which is not {expected}."
        ))
    };
    let time = || {
        let at = value.parse::<Timestamp>().map_err(|_| wrong("a time such as 2018-07-07T00:00:00Z"))?;
        Ok(at.as_millisecond())
    };
    match (key, list) {
        ("InvokedAfter", _) => time().map(Filter::InvokedAfter),
        ("InvokedBefore", _) => time().map(Filter::InvokedBefore),
        ("Status", _) if list.statuses().contains(&value) => Ok(Filter::Status(value.to_owned())),
        ("Status", _) => Err(wrong(&format!("one of {}", list.statuses().join(", ")))),
        ("ExecutionStage", CommandList::Commands) => match value {
            "Executing" => Ok(Filter::Complete(false)),
            "Complete" => Ok(Filter::Complete(true)),
            _ => Err(wrong("Executing or Complete")),
        },
        ("DocumentName", _) => Ok(Filter::Document(value.to_owned())),
        _ => Err(ServiceError::invalid_filter_key("")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(filters: &[(&str, &str)], list: CommandList) -> Result<CommandFilters, ServiceError> {
        let filters: Vec<CommandFilter> = filters
            .iter()
            .map(|(key, value)| CommandFilter {
                key: Some((*key).to_owned()),
                value: Some((*value).to_owned()),
            })
            .collect();
        CommandFilters::read(Some(&filters), list)
    }

    const LATE: CommandSubject<'_> = CommandSubject {
        requested_at: 1_530_921_600_000,
        document: "AWS-RunShellScript",
        status: "TimedOut",
        details: "DeliveryTimedOut",
    };

    #[test]
    fn what_is_listed_matches_every_filter() {
        for (filters, expected) in [
            (&[][..], true),
            (&[("Status", "TimedOut")][..], true),
            (&[("Status", "DeliveryTimedOut")], true),
            (&[("Status", "ExecutionTimedOut")], false),
            (&[("ExecutionStage", "Complete"), ("DocumentName", "AWS-RunShellScript")], true),
            (&[("ExecutionStage", "Executing")], false),
            (&[("DocumentName", "AWS-RunPatchBaseline")], false),
            (&[("InvokedAfter", "2018-07-07T00:00:00Z"), ("InvokedBefore", "2018-07-07T00:00:00Z")], true),
            (&[("InvokedAfter", "2018-07-07T00:00:00.001Z")], false),
            (&[("InvokedBefore", "2018-07-06T23:59:59Z")], false),
        ] {
            let filters = read(filters, CommandList::Commands).expect("filters");
            assert_eq!(filters.matches(&LATE), expected, "{filters:?}");
        }
    }

    #[test]
    fn each_list_knows_its_own_keys_and_statuses() {
        use CommandList::{Commands, Invocations};
        for (filter, list, code) in [
            (("ExecutionStage", "Complete"), Invocations, "InvalidFilterKey"),
            (("Owner", "me"), Commands, "InvalidFilterKey"),
            (("Status", "Undeliverable"), Commands, "ValidationException"),
            (("Status", "Incomplete"), Invocations, "ValidationException"),
            (("Status", "Cancelling"), Commands, "ValidationException"),
            (("InvokedAfter", "yesterday"), Commands, "ValidationException"),
            (("ExecutionStage", "Over"), Commands, "ValidationException"),
        ] {
            assert_eq!(read(&[filter], list).expect_err("not a filter").code, code, "{filter:?}");
        }
        assert!(read(&[("Status", "Undeliverable")], Invocations).is_ok());
        assert!(read(&[("Status", "Incomplete")], Commands).is_ok());
    }
}
