//! Terminal statuses of invocations and commands, and the outcomes they mean.
//!
//! Events carry only the coarse status; `StatusDetails` is a free string without spaces on the wire (SSM API
//! reference, CommandInvocation.StatusDetails). Both parse into [`Terminal`].

use serde::{Deserialize, Serialize};

/// A status after which SSM says nothing new about an invocation or a command.
///
/// `TimedOut` is the coarse form of `ExecutionTimedOut` and `DeliveryTimedOut`: an event cannot tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Terminal {
    /// Every plugin exited with 0 (invocation); all invocations succeeded (command).
    Success,
    /// A plugin exited with another code (invocation); MaxErrors was exceeded (command).
    Failed,
    /// One of the two time-outs; which one, only a read of SSM tells.
    TimedOut,
    /// The document ran longer than its execution timeout, and the agent said so.
    ExecutionTimedOut,
    /// No final word came from the agent in time. **It may have run.**
    DeliveryTimedOut,
    /// Cancelled by a caller.
    Cancelled,
    /// The node could not be reached. **It may have run** (seen in the field).
    Undeliverable,
    /// Never sent: the command stopped for its errors before.
    Terminated,
    /// Never sent: the document does not support the node's platform.
    InvalidPlatform,
    /// Never sent: no permission.
    AccessDenied,
    /// Command only: some invocation is not Success, but not enough failed for Failed.
    Incomplete,
    /// Command only: the targets matched no node.
    NoInstancesInTag,
    /// Command only: over the account's limit, nothing ran.
    LimitExceeded,
    /// A word we do not know. Counts as not success.
    Unrecognised,
}

/// What became of a target. The five classes partition the targets of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Outcome {
    /// Ran, and ended well.
    Success,
    /// Was never started: terminated, invalid platform, access denied, cancelled before start, never sent.
    NotRun,
    /// May have run: delivery timed out, undeliverable, unrecognised, or SSM never said.
    Unknown,
    /// Ran into its execution timeout.
    TimedOut,
    /// Ran, and ended badly.
    Failed,
}

impl Outcome {
    /// All outcomes, best first: of two that contradict each other the later one counts until SSM has answered.
    pub const ALL: [Self; 5] = [Self::Success, Self::NotRun, Self::Unknown, Self::TimedOut, Self::Failed];
}

impl Terminal {
    /// Every terminal status, in the order of their attribute names.
    pub const ALL: [Self; 14] = [
        Self::Success,
        Self::Failed,
        Self::TimedOut,
        Self::ExecutionTimedOut,
        Self::DeliveryTimedOut,
        Self::Cancelled,
        Self::Undeliverable,
        Self::Terminated,
        Self::InvalidPlatform,
        Self::AccessDenied,
        Self::Incomplete,
        Self::NoInstancesInTag,
        Self::LimitExceeded,
        Self::Unrecognised,
    ];

    /// SSM's word for it, without spaces.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::TimedOut => "TimedOut",
            Self::ExecutionTimedOut => "ExecutionTimedOut",
            Self::DeliveryTimedOut => "DeliveryTimedOut",
            Self::Cancelled => "Cancelled",
            Self::Undeliverable => "Undeliverable",
            Self::Terminated => "Terminated",
            Self::InvalidPlatform => "InvalidPlatform",
            Self::AccessDenied => "AccessDenied",
            Self::Incomplete => "Incomplete",
            Self::NoInstancesInTag => "NoInstancesInTag",
            Self::LimitExceeded => "LimitExceeded",
            Self::Unrecognised => "Unrecognised",
        }
    }

    /// Reads a status or a status detail as events and SSM write them, with or without spaces, in any case.
    ///
    /// `None`: not terminal (Pending, InProgress, Delayed, Cancelling). A word nobody documents is `Unrecognised`.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        let folded: String =
            text.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
        Some(match folded.as_str() {
            "pending" | "inprogress" | "delayed" | "cancelling" => return None,
            "success" => Self::Success,
            "failed" => Self::Failed,
            "timedout" => Self::TimedOut,
            "executiontimedout" => Self::ExecutionTimedOut,
            "deliverytimedout" => Self::DeliveryTimedOut,
            "cancelled" => Self::Cancelled,
            "undeliverable" => Self::Undeliverable,
            "terminated" => Self::Terminated,
            "invalidplatform" => Self::InvalidPlatform,
            "accessdenied" => Self::AccessDenied,
            "incomplete" => Self::Incomplete,
            "noinstancesintag" => Self::NoInstancesInTag,
            // The prose says "Rate Exceeded", the filter list LimitExceeded (SSM API reference, CommandFilter).
            "limitexceeded" | "rateexceeded" => Self::LimitExceeded,
            _ => Self::Unrecognised,
        })
    }

    /// What an invocation of this status means for its node.
    ///
    /// `started`: whether SSM gave a response code other than -1 (GetCommandInvocation.ResponseCode: -1 means not
    /// started or not received); `None` where only an event has spoken.
    #[must_use]
    pub const fn outcome(self, started: Option<bool>) -> Outcome {
        match self {
            Self::Success => Outcome::Success,
            Self::Failed => Outcome::Failed,
            Self::TimedOut | Self::ExecutionTimedOut => Outcome::TimedOut,
            Self::Terminated | Self::InvalidPlatform | Self::AccessDenied => Outcome::NotRun,
            Self::Cancelled => match started {
                Some(false) => Outcome::NotRun,
                Some(true) => Outcome::Failed,
                None => Outcome::Unknown,
            },
            Self::DeliveryTimedOut
            | Self::Undeliverable
            | Self::Incomplete
            | Self::NoInstancesInTag
            | Self::LimitExceeded
            | Self::Unrecognised => Outcome::Unknown,
        }
    }

    /// The coarse status that an event carries for it (SSM API reference, CommandInvocation.Status).
    #[must_use]
    pub const fn coarse(self) -> Self {
        match self {
            Self::Success => Self::Success,
            Self::Cancelled => Self::Cancelled,
            Self::TimedOut | Self::ExecutionTimedOut | Self::DeliveryTimedOut => Self::TimedOut,
            Self::Failed
            | Self::Undeliverable
            | Self::Terminated
            | Self::InvalidPlatform
            | Self::AccessDenied
            | Self::Incomplete
            | Self::NoInstancesInTag
            | Self::LimitExceeded => Self::Failed,
            Self::Unrecognised => Self::Unrecognised,
        }
    }

    /// Whether SSM counts it to MaxErrors (SSM API reference, Command.ErrorCount: Failed and Execution Timed Out).
    #[must_use]
    pub const fn counts_as_error(self) -> bool {
        matches!(self, Self::Failed | Self::ExecutionTimedOut)
    }

    /// Whether a command of this status may truly have no invocation at all (protocols, P5).
    #[must_use]
    pub const fn explains_no_invocation(self) -> bool {
        matches!(self, Self::NoInstancesInTag | Self::LimitExceeded | Self::AccessDenied)
    }
}
