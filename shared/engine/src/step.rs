//! A step execution.

use crate::{Bound, ListRef, SendEnd, Stretch};
use fleetwright_fleet::{CommandId, Counts, Outcome};
use fleetwright_runbook::StepName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// How a step stands, in SSM's words (SSM API reference, StepExecution.StepStatus).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Status {
    /// Begun, not over.
    InProgress,
    /// Waits for a person.
    Waiting,
    /// Told to stop, not over.
    Cancelling,
    /// Ended well.
    Success,
    /// Ended badly.
    Failed,
    /// Ran out of time.
    TimedOut,
    /// Stopped.
    Cancelled,
}

impl Status {
    /// SSM's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Waiting => "Waiting",
            Self::Cancelling => "Cancelling",
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::TimedOut => "TimedOut",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::InProgress | Self::Waiting | Self::Cancelling => false,
            Self::Success | Self::Failed | Self::TimedOut | Self::Cancelled => true,
        }
    }
}

/// An output of a step, as later steps read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// A value.
    Value(Value),
    /// A list of node ids, kept apart.
    Nodes(ListRef),
}

/// A SendCommand request but for whom it goes to: resolved once, when the step opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Name or ARN.
    pub document_name: String,
    /// Version, if the author gave one.
    pub document_version: Option<String>,
    /// Hash, if the author gave one.
    pub document_hash: Option<String>,
    /// Sha256 or Sha1.
    pub document_hash_type: Option<String>,
    /// The document's parameters. **Secrets**: never logged.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// The author's comment.
    pub comment: Option<String>,
    /// Delivery timeout in seconds.
    pub timeout_seconds: Option<i32>,
    /// Where SSM puts whole outputs.
    pub output_s3_bucket_name: Option<String>,
    /// Key prefix there.
    pub output_s3_key_prefix: Option<String>,
    /// Region of the bucket.
    pub output_s3_region: Option<String>,
    /// A caller's own notifications, passed through unchanged.
    pub notification_config: Option<Value>,
    /// The role for them.
    pub service_role_arn: Option<String>,
    /// CloudWatch Logs output.
    pub cloud_watch_output_config: Option<Value>,
    /// CloudWatch alarms that stop the command.
    pub alarm_configuration: Option<Value>,
}

/// One `Targets` entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// `tag:Role`, `InstanceIds`, `resource-groups:Name`, …
    pub key: String,
    /// Any of these.
    pub values: Vec<String>,
}

/// Whom a runCommand step is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Targets {
    /// These nodes, any number of them.
    Nodes(ListRef),
    /// What SSM finds.
    Query(Vec<Target>),
}

/// A send that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DoneSend {
    /// Whom it covered; none where the step goes by Targets.
    pub stretch: Option<Stretch>,
    /// How it ended.
    pub end: SendEnd,
}

impl DoneSend {
    /// The command that tells what became of its nodes.
    #[must_use]
    pub const fn command_id(&self) -> Option<&CommandId> {
        match &self.end {
            SendEnd::Command { command_id } => Some(command_id),
            SendEnd::NotRun { .. } | SendEnd::Unknown | SendEnd::Replaced => None,
        }
    }
}

/// Why a runCommand attempt is being brought to its end early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HaltCause {
    /// The step's own deadline passed.
    TimedOut,
    /// The execution was stopped.
    Stopped,
}

/// An open runCommand attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetWork {
    /// What is sent.
    pub request: Request,
    /// To whom.
    pub targets: Targets,
    /// How many nodes at once.
    pub max_concurrency: Option<Bound>,
    /// How many errors are tolerated.
    pub max_errors: Option<Bound>,
    /// How many targets have been given out to sends.
    pub given: u64,
    /// Stretches given back by a send that was split, to be sent again in halves.
    pub returned: Vec<Stretch>,
    /// Sends planned so far: the next one's ordinal.
    pub planned: u32,
    /// Sends that are over.
    pub done: Vec<DoneSend>,
    /// Errors of ended sends, as MaxErrors counts them.
    pub errors: u64,
    /// SSM refused the request itself: no further send goes out.
    pub rejected: bool,
    /// A node may still be at it: a command was given up before SSM called it finished, or a send is of unknown outcome.
    /// No further attempt may be made.
    pub forced: bool,
    /// Why the attempt is being ended early, if it is.
    pub halting: Option<HaltCause>,
}

impl FleetWork {
    /// How many targets the step has; of a query only SSM knows, it counts as one.
    #[must_use]
    pub const fn target_count(&self) -> u64 {
        match &self.targets {
            Targets::Nodes(list) => list.count,
            Targets::Query(_) => 1,
        }
    }

    /// How many errors are tolerated in all (SSM's default: none).
    #[must_use]
    pub fn errors_allowed(&self, targets: u64) -> u64 {
        self.max_errors.map_or(0, |bound| bound.of(targets))
    }
}

/// What an approver said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApproverDecision {
    /// The caller's ARN.
    pub approver: String,
    /// Yes or no.
    pub decision: ApprovalDecision,
    /// What was said with it.
    pub comment: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApprovalDecision {
    /// Yes.
    Approve,
    /// No.
    Reject,
}

/// An open `aws:approve` (User Guide, automation-action-approve).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who may decide: user names, and ARNs of users, roles and assumed roles; each once.
    pub approvers: Vec<String>,
    /// How many must say yes.
    pub required: u32,
    /// The topic that is told that somebody is waited for.
    pub notification_arn: Option<String>,
    /// What is told there.
    pub message: Option<String>,
    /// What was decided so far.
    pub decisions: Vec<ApproverDecision>,
}

/// What an open step is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// `aws:runCommand`.
    Fleet(Box<FleetWork>),
    /// `aws:sleep`.
    Sleep {
        /// When it is over.
        until: Timestamp,
    },
    /// `aws:pause`: waits for Resume.
    Pause,
    /// `aws:approve`: waits for its approvers.
    Approval(Approval),
    /// Any action in a rehearsal: waits for somebody to say what became of it.
    Answered,
}

/// The loop a step is executed in (SSM API reference, ParentStepDetails).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParentStep {
    /// The loop's ordinal.
    pub ordinal: u32,
    /// The loop's name.
    pub name: StepName,
    /// Which round it is, from 1.
    pub iteration: u32,
    /// The item of this round; none where the loop goes by a condition.
    pub iterator_value: Option<Value>,
}

/// A step as it is being executed, or was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepExecution {
    /// The how-manieth step of the execution, from 0.
    pub ordinal: u32,
    /// The step's name in the runbook.
    pub name: StepName,
    /// Its action.
    pub action: String,
    /// The loop it stands in, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<ParentStep>,
    /// The attempt under way, or the last, from 1.
    pub attempt: u32,
    /// How it stands.
    pub status: Status,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When its current attempt runs out of time.
    pub deadline: Option<Timestamp>,
    /// What it is doing; `None` once closed.
    pub work: Option<Work>,
    /// Commands of its attempts that are over.
    pub commands: Vec<CommandId>,
    /// The targets of its last attempt by outcome.
    pub counts: Option<Counts>,
    /// Targets of its last attempt that no command stands for, and what became of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_command: Vec<(Stretch, Outcome)>,
    /// The list that these are stretches of.
    pub targets: Option<ListRef>,
    /// Its outputs, once closed: frozen.
    pub outputs: BTreeMap<String, Output>,
    /// Why it failed.
    pub failure_message: Option<String>,
    /// Where the execution went next.
    pub next_step: Option<StepName>,
}
