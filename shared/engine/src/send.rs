//! A send: our intent to call SendCommand once, and what is known of its tries (protocols, P3).

use crate::{ListRef, SendToken};
use fleetwright_fleet::CommandId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// After this long without an outcome a try may be looked for: SSM's lists lag behind SendCommand.
pub(crate) const FIRST_LOOK_AFTER: SignedDuration = SignedDuration::from_secs(90);
/// Looks that must find nothing before a command counts as absent.
pub(crate) const LOOKS_TO_ABSENT: usize = 3;
/// Tries of unknown outcome after which the nodes are Unknown for good.
pub(crate) const UNKNOWN_TRIES_MAX: u32 = 3;
/// Tries in all; with a back-off of up to a minute, half an hour of throttling or more.
pub(crate) const TRIES_MAX: u32 = 60;
/// Windows of a watched send are listed again so long after the last try: a command may show up late.
pub const WATCH_AFTER: [SignedDuration; 3] =
    [SignedDuration::from_mins(5), SignedDuration::from_mins(15), SignedDuration::from_mins(60)];

/// What a send covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Slice {
    /// A stretch of the step's node list, at most 50 ids.
    Nodes {
        /// The list.
        list: ListRef,
        /// Where the stretch begins.
        offset: u64,
        /// How many ids it has.
        length: u64,
    },
    /// The step's Targets: SSM resolves them.
    Targets,
}

/// A stretch of a step's node list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Where it begins.
    pub offset: u64,
    /// How many ids it has.
    pub length: u64,
}

impl Slice {
    /// The stretch of the step's node list it covers; none of Targets.
    #[must_use]
    pub const fn stretch(&self) -> Option<Stretch> {
        match self {
            Self::Nodes { offset, length, .. } => Some(Stretch { offset: *offset, length: *length }),
            Self::Targets => None,
        }
    }

    /// How many nodes it is known to cover; Targets count as one until SSM has resolved them.
    #[must_use]
    pub const fn nodes(&self) -> u64 {
        match self {
            Self::Nodes { length, .. } => *length,
            Self::Targets => 1,
        }
    }
}

/// Why a try is known not to have been executed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// Not now: throttled, or given up before it left.
    Later {
        /// SSM's error name, or ours.
        code: String,
        /// No try before this.
        not_before: Timestamp,
    },
    /// One of the nodes is not one SSM can send this to (`InvalidInstanceId`, `UnsupportedPlatformType`): the send is
    /// split to find out which.
    BadNode,
    /// Never: SSM rejected the request itself.
    Rejected {
        /// SSM's error name.
        code: String,
        /// SSM's message.
        message: String,
    },
}

/// Where a send stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendState {
    /// A try began; its outcome is not written. It may have been executed.
    Trying,
    /// The last try is known not executed.
    Refused(Refusal),
    /// SSM took it.
    Sent {
        /// The command.
        command_id: CommandId,
    },
    /// The commit that acted on it has been made.
    Ended,
}

/// How a send ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendEnd {
    /// By its command, whose union and settle say what became of the nodes.
    Command {
        /// The command.
        command_id: CommandId,
    },
    /// Nothing was ever executed for it.
    NotRun {
        /// Why, in SSM's words or ours.
        reason: String,
    },
    /// Nobody knows whether it was executed.
    Unknown,
    /// Two halves took its place.
    Replaced,
}

/// A send with all that decides its next move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Send {
    /// Its identity.
    pub token: SendToken,
    /// The step execution's ordinal.
    pub step: u32,
    /// The step's attempt.
    pub attempt: u32,
    /// Whom it covers.
    pub slice: Slice,
    /// MaxErrors as passed: what was left of the step's when it was planned.
    pub max_errors: Option<String>,
    /// MaxConcurrency as passed.
    pub max_concurrency: Option<String>,
    /// Where it stands.
    pub state: SendState,
    /// Tries begun.
    pub tries: u32,
    /// Tries known not executed.
    pub refused_tries: u32,
    /// When the last try began.
    pub last_try_at: Timestamp,
    /// When each try of this send began.
    pub tried_at: BTreeSet<Timestamp>,
    /// Scheduled times of the looks since the last try that found nothing new.
    pub looks: BTreeSet<Timestamp>,
    /// No try may begin any more, and what was sent is to be cancelled.
    pub halt: bool,
    /// When SSM accepted CancelCommand.
    pub cancelled_at: Option<Timestamp>,
}

impl Send {
    /// The comment's mark, by which ListCommands shows our command.
    #[must_use]
    pub fn mark(token: &SendToken) -> String {
        format!("fw:{token}")
    }

    /// The token that a command's comment carries, if it is one of ours.
    #[must_use]
    pub fn token_of(comment: &str) -> Option<SendToken> {
        let rest = comment.strip_prefix("fw:")?;
        SendToken::parse(rest.split(' ').next()?)
    }

    /// The command, if one is known.
    #[must_use]
    pub const fn command_id(&self) -> Option<&CommandId> {
        match &self.state {
            SendState::Sent { command_id } => Some(command_id),
            SendState::Trying | SendState::Refused(_) | SendState::Ended => None,
        }
    }

    /// Tries that may have been executed.
    #[must_use]
    pub const fn unknown_tries(&self) -> u32 {
        self.tries.saturating_sub(self.refused_tries)
    }

    /// Whether the last try's command is absent: looked for three times, the first late enough.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        let late_enough = self.last_try_at + FIRST_LOOK_AFTER;
        self.state == SendState::Trying
            && self.looks.iter().filter(|look| **look >= late_enough).count() >= LOOKS_TO_ABSENT
    }

    /// When to look next if no event comes: 90 s after the last try, then 2, 4, 8, 15, 15… min after the last fact
    /// or look.
    #[must_use]
    pub fn next_look(&self, last_fact_at: Option<Timestamp>) -> Timestamp {
        let last_look = self.looks.last().copied();
        let Some(last) = last_look.max(last_fact_at) else { return self.last_try_at + FIRST_LOOK_AFTER };
        let minutes = match self.looks.len() {
            0 | 1 => 2,
            2 => 4,
            3 => 8,
            _ => 15,
        };
        last + SignedDuration::from_mins(minutes)
    }

    /// Whether more than one try of it may have been executed: then its windows are listed again later, while it is
    /// under way and after.
    #[must_use]
    pub const fn is_watched(&self) -> bool {
        self.unknown_tries() > 1
    }
}
