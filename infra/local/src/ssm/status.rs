//! Statuses of invocations and commands, and how a command's follows from its invocations'.

use CommandStatus as C;
use StatusDetails as D;
use std::fmt;

/// StatusDetails of an invocation (SSM API reference, CommandInvocation.StatusDetails; user guide, "Understanding
/// command statuses").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StatusDetails {
    /// Not sent yet, or not received.
    Pending,
    /// Runs on the node.
    InProgress,
    /// Is being cancelled.
    Cancelling,
    /// All steps ended with 0.
    Success,
    /// A step ended with another code.
    Failed,
    /// The agent stopped it at its execution timeout.
    ExecutionTimedOut,
    /// The command expired without an answer; it may have run.
    DeliveryTimedOut,
    /// Cancelled before or while it ran.
    Cancelled,
    /// SSM could not deliver it.
    Undeliverable,
    /// Not sent, because the command exceeded MaxErrors.
    Terminated,
    /// The document doesn't support the node's platform.
    InvalidPlatform,
    /// The caller may not run it there.
    AccessDenied,
}

/// How many different details there are.
const KINDS: usize = 12;

impl StatusDetails {
    /// As SSM writes it, without spaces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Cancelling => "Cancelling",
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::ExecutionTimedOut => "ExecutionTimedOut",
            Self::DeliveryTimedOut => "DeliveryTimedOut",
            Self::Cancelled => "Cancelled",
            Self::Undeliverable => "Undeliverable",
            Self::Terminated => "Terminated",
            Self::InvalidPlatform => "InvalidPlatform",
            Self::AccessDenied => "AccessDenied",
        }
    }

    /// The coarse Status. What is neither success nor timeout nor cancelled is Failed.
    pub const fn status(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Cancelling => "Cancelling",
            Self::Success => "Success",
            Self::ExecutionTimedOut | Self::DeliveryTimedOut => "TimedOut",
            Self::Cancelled => "Cancelled",
            Self::Failed
            | Self::Undeliverable
            | Self::Terminated
            | Self::InvalidPlatform
            | Self::AccessDenied => "Failed",
        }
    }

    /// Whether it stays.
    pub const fn terminal(self) -> bool {
        !matches!(self, Self::Pending | Self::InProgress | Self::Cancelling)
    }

    /// Whether it counts to MaxErrors and ErrorCount.
    pub const fn error(self) -> bool {
        matches!(self, Self::Failed | Self::ExecutionTimedOut)
    }

    /// Whether it counts to CompletedCount: the list in Command.CompletedCount names neither InvalidPlatform nor
    /// AccessDenied.
    pub const fn completed(self) -> bool {
        self.terminal() && !matches!(self, Self::InvalidPlatform | Self::AccessDenied)
    }

    /// Whether it ended without having begun, by SSM's own doing.
    pub const fn unstarted(self) -> bool {
        matches!(self, Self::Terminated | Self::Undeliverable | Self::InvalidPlatform | Self::AccessDenied)
    }
}

impl fmt::Display for StatusDetails {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// StatusDetails of a command (SSM API reference, Command.StatusDetails).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CommandStatus {
    /// Not sent to any node.
    Pending,
    /// Sent to at least one node.
    InProgress,
    /// Is being cancelled.
    Cancelling,
    /// Ended well, as SSM sees it.
    Success,
    /// More failures than MaxErrors, or nothing could be delivered.
    Failed,
    /// More execution timeouts than MaxErrors.
    ExecutionTimedOut,
    /// More delivery timeouts than MaxErrors.
    DeliveryTimedOut,
    /// Tried everywhere, not Success everywhere, and not enough failures for Failed.
    Incomplete,
    /// Cancelled before it had completed.
    Cancelled,
    /// The targets matched no node.
    NoInstancesInTag,
    /// More targets than the account may have pending.
    LimitExceeded,
}

impl CommandStatus {
    /// As SSM writes it in StatusDetails.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Cancelling => "Cancelling",
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::ExecutionTimedOut => "ExecutionTimedOut",
            Self::DeliveryTimedOut => "DeliveryTimedOut",
            Self::Incomplete => "Incomplete",
            Self::Cancelled => "Cancelled",
            Self::NoInstancesInTag => "NoInstancesInTag",
            Self::LimitExceeded => "LimitExceeded",
        }
    }

    /// The coarse Status. A command without nodes is Success (clients in the field look at the details to tell).
    pub const fn status(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Cancelling => "Cancelling",
            Self::Success | Self::NoInstancesInTag => "Success",
            Self::Failed | Self::Incomplete | Self::LimitExceeded => "Failed",
            Self::ExecutionTimedOut | Self::DeliveryTimedOut => "TimedOut",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Whether it stays.
    pub const fn terminal(self) -> bool {
        !matches!(self, Self::Pending | Self::InProgress | Self::Cancelling)
    }
}

impl fmt::Display for CommandStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// How many invocations of a command have which details.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally([u32; KINDS]);

impl Tally {
    /// So many of these.
    pub fn of(counts: &[(StatusDetails, u32)]) -> Self {
        let mut tally = Self::default();
        for (details, count) in counts {
            tally.0[*details as usize] += count;
        }
        tally
    }

    /// One more.
    pub fn add(&mut self, details: StatusDetails) {
        self.0[details as usize] += 1;
    }

    /// One changes.
    pub fn change(&mut self, from: StatusDetails, to: StatusDetails) {
        self.0[from as usize] = self.0[from as usize].saturating_sub(1);
        self.add(to);
    }

    /// How many have these details.
    pub const fn count(&self, details: StatusDetails) -> u32 {
        self.0[details as usize]
    }

    fn sum(&self, counts: impl Fn(StatusDetails) -> bool) -> u32 {
        ALL.iter().filter(|details| counts(**details)).map(|details| self.count(*details)).sum()
    }

    /// All of them.
    pub fn total(&self) -> u32 {
        self.0.iter().sum()
    }

    /// Those that have ended.
    pub fn terminal(&self) -> u32 {
        self.sum(StatusDetails::terminal)
    }

    /// CompletedCount.
    pub fn completed(&self) -> u32 {
        self.sum(StatusDetails::completed)
    }

    /// ErrorCount.
    pub fn errors(&self) -> u32 {
        self.sum(StatusDetails::error)
    }

    /// What a command is whose invocations have all ended (user guide, "Understanding command statuses"; where it
    /// and the API reference differ, the user guide; "MaxErrors or more" is read as *more than* MaxErrors, because
    /// with MaxErrors 0 every command would have failed).
    pub fn outcome(&self, max_errors: u32, cancelled: bool) -> CommandStatus {
        let undelivered =
            self.count(D::Undeliverable) + self.count(D::InvalidPlatform) + self.count(D::AccessDenied);
        if cancelled && (self.total() == 0 || self.count(D::Cancelled) > 0) {
            C::Cancelled
        } else if self.total() == 0 {
            C::NoInstancesInTag
        } else if undelivered == self.total() {
            C::Failed
        } else if self.errors() > max_errors {
            if self.count(D::Failed) == 0 { C::ExecutionTimedOut } else { C::Failed }
        } else if self.count(D::DeliveryTimedOut) > max_errors {
            C::DeliveryTimedOut
        } else if self.count(D::Success) + undelivered == self.total() {
            C::Success
        } else {
            C::Incomplete
        }
    }
}

const ALL: [StatusDetails; KINDS] = [
    D::Pending,
    D::InProgress,
    D::Cancelling,
    D::Success,
    D::Failed,
    D::ExecutionTimedOut,
    D::DeliveryTimedOut,
    D::Cancelled,
    D::Undeliverable,
    D::Terminated,
    D::InvalidPlatform,
    D::AccessDenied,
];
