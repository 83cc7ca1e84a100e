//! What differs between deployments, and between a deployment and a simulation.

use fleetwright_engine::Place;
use fleetwright_runbook::StepName;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long one call waits for its answer, whoever builds the clients; SendCommand has a longer time of its own. Short
/// enough that a commit without an answer can be made again within the invocation.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Which roles runbooks may assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssumeRoles {
    /// Those the deployment has a client for ([`Clients::ssm_by_role`](crate::Clients)): a runbook that names another
    /// is refused.
    Listed,
    /// Any, recorded only: there is nothing to assume on a laptop.
    RecordOnly,
}

/// Where Run Command is to publish what happens on the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notifications {
    /// The topic.
    pub topic_arn: String,
    /// The role SSM publishes with.
    pub role_arn: String,
}

/// A deployment's settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The table.
    pub table: String,
    /// The queue that wakes go to; without one reconcile finds everything, later.
    pub prompt_queue_url: Option<String>,
    /// Notifications of our sends; without them EventBridge and reconcile tell.
    pub notifications: Option<Notifications>,
    /// Where the end of an execution is told to people, if anywhere.
    pub people_topic_arn: Option<String>,
    /// The event bus that the end of an execution is put on for programs, if any.
    pub event_bus: Option<String>,
    /// Account, Region, partition.
    pub place: Place,
    /// Days that finished executions are kept.
    pub retention_days: u32,
    /// Whether a send whose command is absent is sent again; otherwise the execution is parked.
    pub resend_absent: bool,
    /// Which roles runbooks may assume.
    pub assume_roles: AssumeRoles,
    /// Whether commands that others sent are tracked as well, from the first event about them on.
    pub track_others: bool,
    /// Steps that somebody answers for instead of their being performed: a rehearsal. None where deployed.
    pub answered: BTreeSet<StepName>,
}

/// Identities and jitter: random in a deployment, seeded in a simulation.
pub trait Entropy: std::fmt::Debug + Send + Sync {
    /// A new UUID (version 4).
    fn uuid(&self) -> String;
    /// A number below `bound`.
    fn below(&self, bound: u64) -> u64;
}

/// One function call's allowance.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// When the invocation is cut off.
    pub deadline: Timestamp,
    /// The scheduled time, where reconcile works: its clock.
    pub scheduled: Option<Timestamp>,
    /// Whether a wake began it.
    pub woken: bool,
}

impl Allowance {
    /// Work that an event, a wake or a caller began.
    #[must_use]
    pub const fn prompt(deadline: Timestamp) -> Self {
        Self { deadline, scheduled: None, woken: false }
    }

    /// Time left at `now`.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> SignedDuration {
        self.deadline.duration_since(now)
    }
}
