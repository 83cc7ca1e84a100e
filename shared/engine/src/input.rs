//! What `decide` is given, and what it answers.

use crate::{
    Execution, ListId, ListRef, NodeList, PendingKind, Send, SendEnd, SendToken, StepExecution, StopType,
};
use fleetwright_fleet::{Command, CommandId, NodeId, SETTLE_LIMIT_S, Settlement};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of one command when an execution is looked at.
#[derive(Debug, Clone)]
pub struct Report {
    /// Facts, united.
    pub command: Command,
    /// What the newest settle read.
    pub settlement: Option<Settlement>,
    /// When it is over at the latest (SSM API reference, Command.ExpiresAfter).
    pub expires_after: Timestamp,
    /// When SSM first called it finished.
    pub terminal_since: Option<Timestamp>,
    /// When a fact last came in: only to decide when to look next.
    pub last_fact_at: Option<Timestamp>,
}

impl Report {
    /// Whether SSM's answer is in, and nothing that came later contradicts it.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.settlement.is_some()
            && self.command.settled.as_ref().is_some_and(|mark| !self.command.outdates(mark))
    }

    /// After this nothing more is waited for; what is missing then is Unknown.
    #[must_use]
    pub fn limit(&self) -> Timestamp {
        let limit = SignedDuration::from_secs(SETTLE_LIMIT_S);
        let by_expiry = self.expires_after + limit;
        self.terminal_since.map_or(by_expiry, |since| (since + limit).min(by_expiry))
    }

    /// Whether nothing more will happen on the nodes, or nothing more is waited for.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.command.is_complete() || now >= self.limit()
    }
}

/// What the shell has read. `decide` names what it lacks; nothing is read in advance.
#[derive(Debug, Clone, Default)]
pub struct Observations {
    /// Live sends.
    pub sends: BTreeMap<SendToken, Send>,
    /// Commands.
    pub reports: BTreeMap<CommandId, Report>,
    /// Node lists.
    pub lists: BTreeMap<ListId, Vec<NodeId>>,
    /// Commands of which SSM has not said all yet, and when to ask again.
    pub settle_again: BTreeMap<CommandId, SettleAgain>,
    /// Live sends that SSM was asked about just now.
    pub asked: BTreeSet<SendToken>,
    /// The scheduled time, where reconcile looks: only it asks after what has gone quiet.
    pub scheduled: Option<Timestamp>,
    /// Whether an absent command is sent again; otherwise the execution is parked.
    pub resend_absent: bool,
    /// When a person last let the execution go on.
    pub resumed_at: Option<Timestamp>,
    /// Whether a wake brought this look about.
    pub woken: bool,
}

/// When to ask SSM again for a result that it has not told all of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettleAgain {
    /// When.
    pub at: Timestamp,
    /// Whether a minute later will not do.
    pub precisely: bool,
}

/// A signal (SSM API reference, SendAutomationSignal.SignalType).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Approve a waiting approval.
    Approve,
    /// Reject it.
    Reject,
    /// Start a step of an interactive execution.
    StartStep,
    /// Stop a step.
    StopStep,
    /// Go on after a pause.
    Resume,
    /// Revoke access.
    Revoke,
}

/// A signal and who sent it (SSM API reference, SendAutomationSignal).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalRequest {
    /// What it says.
    pub signal: Signal,
    /// The caller's ARN.
    pub caller: String,
    /// What goes with it: `Comment` with Approve and Reject, `StepName` with Resume.
    pub payload: BTreeMap<String, Vec<String>>,
    /// The step execution it is for, once that is known: for another it is [`Rejection::Stale`].
    pub ordinal: Option<u32>,
    /// The caller's id of the request: the same again is [`Rejection::Stale`].
    pub request_id: Option<String>,
}

/// How an attempt ended that somebody answers for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerStatus {
    /// Well.
    Success,
    /// Badly.
    Failed,
    /// It ran out of time.
    TimedOut,
}

/// What somebody answers for a step in a rehearsal.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The step execution's ordinal.
    pub ordinal: u32,
    /// The attempt that is answered.
    pub attempt: u32,
    /// How it ended.
    pub status: AnswerStatus,
    /// What the action's service answered; declared outputs select from it.
    pub response: Option<Value>,
    /// The outputs that the action has of its own.
    pub outputs: BTreeMap<String, Value>,
    /// Why, if not well.
    pub message: Option<String>,
}

/// Why an execution is looked at.
#[derive(Debug)]
pub enum Input<'a> {
    /// See what can be done now.
    Look(&'a Observations),
    /// Bring it to its end.
    Stop(StopType),
    /// A person's word.
    Signal(&'a SignalRequest),
    /// What became of an attempt in a rehearsal.
    Answer(&'a Answer),
}

/// What must be read before anything can be decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// A live send.
    Send(SendToken),
    /// A command's facts and, if settled, results.
    Report(CommandId),
    /// A node list's ids.
    List(ListRef),
    /// SSM's own answer about a command that is over.
    Settle(CommandId),
    /// SSM's word on a command that has gone quiet.
    Ask(SendToken),
    /// Whether SSM has a command of a send whose outcome is unknown.
    Find(SendToken),
}

/// A send that the commit ends, with what it must still be for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The send as read.
    pub send: Send,
    /// How it ends.
    pub end: SendEnd,
}

/// What is done once the commit stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The first try of a send the commit planned.
    Send(SendToken),
    /// A further try, after a write that only one can win.
    Retry(SendToken),
    /// One that stays pending until it has happened.
    Pending(PendingKind),
}

/// What an execution does next.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The execution after it.
    pub execution: Execution,
    /// Whether anything is to be committed.
    pub changed: bool,
    /// Loops that were begun or told to stop and are not over, to be stored like closed steps.
    pub begun: Vec<StepExecution>,
    /// Steps it closed, in order.
    pub closed: Vec<StepExecution>,
    /// Sends it plans.
    pub planned: Vec<Send>,
    /// Sends it ends.
    pub ended: Vec<Ended>,
    /// Node lists it names, to be written before.
    pub lists: Vec<NodeList>,
    /// What to do afterwards.
    pub effects: Vec<Effect>,
    /// When to look again at the latest; `None` only when nothing is left to do.
    pub due: Option<Timestamp>,
    /// When a wake is worth its message: moments that should not wait for the next reconcile.
    pub wake: Option<Timestamp>,
    /// More can be done at once after the commit.
    pub again: bool,
}

/// Why nothing was decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Read this first, then ask again.
    #[error("more must be read first")]
    Needs(Vec<Need>),
    /// The caller's mistake: SSM's error, nothing changes.
    #[error("{code}: {message}")]
    Refused {
        /// SSM's error name.
        code: &'static str,
        /// What is wrong.
        message: String,
    },
    /// Late or duplicate: acknowledged.
    #[error("stale: {0}")]
    Stale(&'static str),
    /// Ours: the execution is parked.
    #[error("illegal: {0}")]
    Illegal(String),
}
