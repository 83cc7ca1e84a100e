//! An execution: one run of a runbook.

use crate::{ExecutionId, LoopFrame, Output, SendToken, Status, StepExecution};
use fleetwright_fleet::CommandId;
use fleetwright_runbook::StepName;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// An execution older than this ends TimedOut: every wait has a deadline.
pub(crate) const EXECUTION_AGE_MAX: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Sends of one step that may be live at once.
pub(crate) const LIVE_SENDS_MAX: usize = 20;
/// The execution item's size, in bytes of JSON.
pub(crate) const EXECUTION_BYTES_MAX: usize = 60_000;
/// A step item's size, in bytes of JSON (DynamoDB takes 400 KB): about 3,500 sends.
pub(crate) const STEP_BYTES_MAX: usize = 350_000;
/// Commands that may wait for their settle while later steps run.
pub(crate) const UNSETTLED_MAX: usize = 100;

/// Which runbook, as it was when the execution started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Name or ARN as the caller gave it.
    pub name: String,
    /// The version that SSM answered with.
    pub version: String,
    /// Names the text: an execution runs the text it was started with.
    pub sha256: String,
}

/// What `global:` variables say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// `global:ACCOUNT_ID`.
    pub account_id: String,
    /// `global:REGION`.
    pub region: String,
    /// `global:AWS_PARTITION`.
    pub partition: String,
}

/// How StopAutomationExecution ends an execution (SSM API reference, StopAutomationExecution.Type).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopType {
    /// It ends Cancelled.
    Cancel,
    /// It ends Success.
    Complete,
}

/// A stop that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// How it ends.
    pub kind: StopType,
    /// When it was accepted.
    pub at: Timestamp,
    /// Until when the `onCancel` steps may run, where the step that was stopped names one.
    pub on_cancel_until: Option<Timestamp>,
}

/// How an execution ends, or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Its status.
    pub status: Status,
    /// Why, if not well.
    pub failure_message: Option<String>,
    /// What somebody should know of it, however it ended: outputs of the document that there was no room for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

impl Ending {
    pub(crate) const fn badly(status: Status, why: String) -> Self {
        Self { status, failure_message: Some(why), warning: None }
    }
}

/// Where an execution is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// About to open a step.
    At(StepName),
    /// In a step. Stored as an item of its own.
    In(Box<StepExecution>),
    /// All steps are over; commands remain to be settled.
    Ending(Ending),
    /// Over.
    Ended {
        /// How.
        ending: Ending,
        /// When.
        at: Timestamp,
    },
}

/// What must happen and may be repeated freely (protocols, P2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PendingKind {
    /// Let no try of the send begin any more, and cancel what was sent.
    Halt(SendToken),
    /// Tell the topic of that step, an open approval, that somebody is waited for.
    AskApproval(u32),
    /// Tell people how it ended.
    Publish,
}

impl PendingKind {
    /// Its key in the execution's pending map.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Halt(token) => format!("halt#{token}"),
            Self::AskApproval(ordinal) => format!("ask-approval#{ordinal}"),
            Self::Publish => "publish".to_owned(),
        }
    }

    /// Whether people or programs hear of it: once is enough, if it can be helped.
    pub(crate) const fn tells_somebody(&self) -> bool {
        match self {
            Self::AskApproval(_) | Self::Publish => true,
            Self::Halt(_) => false,
        }
    }
}

/// An effect that was decided, and since when it has been due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pending {
    /// What is to happen.
    pub kind: PendingKind,
    /// When it was decided.
    pub since: Timestamp,
}

/// The state of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Execution {
    /// Its id.
    pub id: ExecutionId,
    /// Which runbook.
    pub document: Document,
    /// Where it runs.
    pub place: Place,
    /// Parameters, bound and typed. **Secrets**: never logged.
    pub parameters: BTreeMap<String, Value>,
    /// Variables.
    pub variables: BTreeMap<String, Value>,
    /// Outputs of closed steps that something later reads, by `step.Output`.
    pub outputs: BTreeMap<String, Output>,
    /// Document outputs, once it has ended.
    pub document_outputs: BTreeMap<String, Output>,
    /// Where it is. The open step is an item of its own: here only its ordinal is stored.
    pub phase: Phase,
    /// The loops it is in, the outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loops: Vec<LoopFrame>,
    /// The ordinal of the next step execution.
    pub steps_begun: u32,
    /// A stop that was accepted.
    pub stop: Option<Stop>,
    /// The worst end of a critical step so far: the execution cannot end better.
    pub marked: Option<Ending>,
    /// Sends that are under way: token to number of nodes.
    pub live: BTreeMap<SendToken, u64>,
    /// Commands whose step has gone on and whose settle is still to come.
    pub unsettled: BTreeMap<SendToken, CommandId>,
    /// Effects decided and not yet performed, by key.
    #[serde(skip)]
    pub pending: BTreeMap<String, Pending>,
    /// When it started.
    pub started_at: Timestamp,
    /// The caller.
    pub executed_by: String,
    /// The tags it was started with.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The role its SSM calls use, if not the deployment's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Steps that somebody answers for instead of their being performed: a rehearsal. Empty where deployed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub answered: BTreeSet<StepName>,
    /// Whether its end is told to people.
    pub announced: bool,
    /// The caller's id of the signal that was accepted last: the same request again changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_signal: Option<String>,
    /// For which moment a wake was last sent; those of settles and effects are not remembered.
    pub wake_at: Option<Timestamp>,
}

impl Execution {
    /// Its status in SSM's words.
    #[must_use]
    pub const fn status(&self) -> Status {
        match (&self.phase, self.stop) {
            (Phase::Ended { ending, .. }, _) => ending.status,
            (Phase::At(_) | Phase::In(_) | Phase::Ending(_), Some(_)) => Status::Cancelling,
            (Phase::In(step), None) => step.status,
            (Phase::At(_) | Phase::Ending(_), None) => Status::InProgress,
        }
    }

    /// The open step.
    #[must_use]
    pub const fn open_step(&self) -> Option<&StepExecution> {
        match &self.phase {
            Phase::In(step) => Some(step),
            Phase::At(_) | Phase::Ending(_) | Phase::Ended { .. } => None,
        }
    }

    /// The execution as its own item holds it: the open step is an item beside it, here only its name stands.
    #[must_use]
    pub fn head(&self) -> Self {
        match &self.phase {
            Phase::In(step) => Self { phase: Phase::At(step.name.clone()), ..self.clone() },
            Phase::At(_) | Phase::Ending(_) | Phase::Ended { .. } => self.clone(),
        }
    }
}
