//! The use cases: take facts, advance, reconcile, start, stop, query. DynamoDB and SSM live here.
//!
//! One function, [`Orchestrator::advance`], is the end of everything: events, wakes, reconcile and the API differ only
//! in what they folded before. It looks at state, not at what woke it: ask, settle, load, decide, commit, perform.

mod advance;
mod ask;
mod back_off;
mod commands;
mod config;
mod error;
mod event_start;
mod facts;
mod halt;
mod health;
mod message;
mod moment;
mod observe;
#[cfg(feature = "planted")]
pub mod planted;
#[cfg(not(feature = "planted"))]
mod planted;
mod publish;
mod query;
mod recent;
mod reconcile;
mod results;
mod send;
mod settle;
mod start;
mod stop;
mod table;
mod wake;
mod warm_up;

pub use commands::{CLOCKS_DIFFER, CommandQuery, NodeVisit, Page, Sender};
pub use config::{Allowance, AssumeRoles, CALL_TIMEOUT, Config, Entropy, Notifications};
pub use error::{Error, Known, Operation};
pub use event_start::{EventStart, MalformedStart};
pub use facts::{BatchMessage, TakenFacts};
pub use message::{Incoming, Poison, read_message};
pub use query::{ExecutionView, OutputView, StepDefinition, StepView};
pub use recent::{RecentPage, RecentQuery};
pub use reconcile::Reconciled;
pub use results::{GroupPlace, GroupsQuery, NoStatus, NodePlace, NodesQuery, StatusChoice, StepChoice};
pub use start::StartRequest;
pub use table::create_table;

use table::Table;

use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use back_off::{BackOff, CALLS_MAX};
use fleetwright_engine::ExecutionId;
use fleetwright_fleet::CommandId;
use fleetwright_runbook::Runbook;
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// The clients the use cases act through, built once per execution environment.
#[derive(Debug, Clone)]
pub struct Clients {
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// SSM, with retries off: SendCommand has no client token.
    pub ssm: aws_sdk_ssm::Client,
    /// SSM as each of the roles that runbooks may assume, by ARN; retries off as well.
    pub ssm_by_role: BTreeMap<String, aws_sdk_ssm::Client>,
    /// SQS, for wakes.
    pub sqs: aws_sdk_sqs::Client,
    /// SNS, for people.
    pub sns: aws_sdk_sns::Client,
    /// EventBridge, for programs.
    pub events: aws_sdk_eventbridge::Client,
    /// The clock all of them run by.
    pub time: SharedTimeSource,
    /// Waiting by that clock.
    pub sleep: SharedAsyncSleep,
}

/// The use cases.
#[derive(Debug, Clone)]
pub struct Orchestrator {
    table: Table,
    back_off: BackOff,
    clients: Clients,
    config: Config,
    entropy: Arc<dyn Entropy>,
    /// Parsed runbooks by digest; a text never changes under its digest.
    runbooks: Arc<Mutex<BTreeMap<String, Arc<Runbook>>>>,
    /// Calls of SSM in this tick of reconcile.
    ssm_calls: Arc<AtomicU32>,
    /// When this environment last asked SSM about a command: events of its neighbours come by the dozen.
    asked_at: Arc<Mutex<BTreeMap<(Asking, CommandId), Timestamp>>>,
    /// Wakes this environment has sent that are still to come.
    wakes: Arc<Mutex<BTreeSet<(ExecutionId, Timestamp)>>>,
}

/// What is asked of SSM no more often than its answer can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asking {
    Settle,
    Cancel,
}

impl Asking {
    /// One environment asks for a command so seldom, however many events come by.
    const fn apart(self) -> SignedDuration {
        match self {
            Self::Settle => SignedDuration::from_secs(1),
            Self::Cancel => halt::CANCEL_AGAIN_AFTER,
        }
    }
}

/// Runbooks an execution environment keeps parsed.
const RUNBOOKS_KEPT: usize = 32;

impl Orchestrator {
    /// The use cases over these clients.
    #[must_use]
    pub fn new(clients: Clients, config: Config, entropy: Arc<dyn Entropy>) -> Self {
        let back_off = BackOff::new(clients.sleep.clone(), Arc::clone(&entropy));
        let table = Table::new(
            clients.dynamodb.clone(),
            config.table.clone(),
            config.retention_days,
            back_off.clone(),
        );
        Self {
            table,
            back_off,
            clients,
            config,
            entropy,
            runbooks: Arc::default(),
            ssm_calls: Arc::default(),
            asked_at: Arc::default(),
            wakes: Arc::default(),
        }
    }

    /// The moment, to the millisecond: what is stored is what is compared.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::try_from(self.clients.time.now()).unwrap_or(Timestamp::UNIX_EPOCH);
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// Whether this environment has asked that of SSM a moment ago. If not, it does now.
    fn has_just_asked(&self, what: Asking, id: &CommandId) -> bool {
        let now = self.now();
        let Ok(mut asked) = self.asked_at.lock() else { return false };
        asked.retain(|(what, _), at| now.duration_since(*at).abs() < what.apart());
        let has = asked.contains_key(&(what, id.clone()));
        if !has {
            asked.insert((what, id.clone()), now);
        }
        has
    }

    /// Nothing that is kept is older.
    #[must_use]
    pub fn oldest(&self) -> Timestamp {
        self.now() - SignedDuration::from_hours(i64::from(self.config.retention_days) * 24)
    }

    /// Makes a call that may be repeated again, a few times, while it is throttled or has no answer.
    async fn patiently<T>(&self, call: impl AsyncFn() -> Result<T, Error>) -> Result<T, Error> {
        for failures in 1..CALLS_MAX {
            match call().await {
                Err(Error::Again(_)) => self.back_off.wait(failures).await,
                done => return done,
            }
        }
        call().await
    }

    /// SSM, with the call counted: reconcile keeps to a budget.
    fn ssm(&self) -> &aws_sdk_ssm::Client {
        self.ssm_calls.fetch_add(1, Ordering::Relaxed);
        &self.clients.ssm
    }

    /// The use cases with the role whose SSM calls an execution makes. `None`: it is not one of the deployment's roles.
    fn acting_as(&self, role: Option<&str>) -> Option<Cow<'_, Self>> {
        let Some(role) = role else { return Some(Cow::Borrowed(self)) };
        let ssm = match self.config.assume_roles {
            AssumeRoles::RecordOnly => return Some(Cow::Borrowed(self)),
            AssumeRoles::Listed => self.clients.ssm_by_role.get(role)?.clone(),
        };
        Some(Cow::Owned(Self { clients: Clients { ssm, ..self.clients.clone() }, ..self.clone() }))
    }

    /// The use cases with the role of an execution.
    async fn acting_for(&self, id: &ExecutionId) -> Result<Cow<'_, Self>, Error> {
        let loaded = self.table.load(id, None, &[], self.now()).await?;
        let role = loaded.and_then(|(loaded, _)| loaded.execution.role);
        let gone = || Error::Unreadable(format!("execution {id}: {}", advance::ROLE_GONE));
        self.acting_as(role.as_deref()).ok_or_else(gone)
    }

    async fn runbook(&self, sha256: &str) -> Result<Arc<Runbook>, Error> {
        if let Some(runbook) = self.runbooks.lock().ok().and_then(|known| known.get(sha256).cloned()) {
            return Ok(runbook);
        }
        let text = self.table.document(sha256).await?;
        let runbook = fleetwright_runbook::parse(&text)
            .map_err(|_| Error::Unreadable(format!("runbook {sha256}: it no longer parses")))?;
        Ok(self.remember(sha256, runbook))
    }

    fn remember(&self, sha256: &str, runbook: Runbook) -> Arc<Runbook> {
        let runbook = Arc::new(runbook);
        if let Ok(mut known) = self.runbooks.lock() {
            if known.len() >= RUNBOOKS_KEPT {
                known.clear();
            }
            known.insert(sha256.to_owned(), Arc::clone(&runbook));
        }
        runbook
    }
}
