//! Lambda as a deployment sees it: functions, their execution environments, event sources, asynchronous events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use crate::clock::VirtualClock;

/// One Lambda function as its runtime sees it. Implementations are the production handlers.
pub trait Function {
    /// Handles one event. An environment handles one at a time; the future is dropped where it stands when the
    /// invocation crashes or runs out of time.
    fn invoke(&self, event: Value, context: Invocation) -> LocalBoxFuture<'static, Result<Value, String>>;
}

/// What the runtime tells a function about an invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The id of the request; retries of an asynchronous event keep it.
    pub request_id: String,
    /// The function's name.
    pub function_name: String,
    /// When the invocation is stopped, by the environment's own clock.
    pub deadline: Timestamp,
}

/// Names an execution environment within a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnvironmentId(pub u64);

/// What a function is given once, when its execution environment starts: its way to AWS, its clock, its randomness.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The function's name, or the client's.
    pub name: String,
    /// Which environment of the simulation this is; a client has one too.
    pub id: EnvironmentId,
    /// The connector for the SDK clients.
    pub http_client: SharedHttpClient,
    /// The host's clock, which may be off.
    pub clock: VirtualClock,
    /// The seed for everything random in this environment; no two have the same.
    pub seed: u64,
}

/// Starts a function in a new execution environment.
pub type FunctionFactory = Arc<dyn Fn(&Environment) -> Arc<dyn Function>>;

/// A deployed function.
#[derive(Clone)]
pub struct FunctionDefinition {
    /// Its name.
    pub name: String,
    /// Starts it.
    pub factory: FunctionFactory,
    /// The AWS operations it may call, like `ssm:SendCommand`; every other is refused and recorded as a violation.
    pub operations: &'static [&'static str],
    /// How long one invocation may take.
    pub timeout: Duration,
    /// How long a new environment takes to start; doesn't count against the timeout.
    pub initialisation: Duration,
    /// How often a failed asynchronous event is tried again.
    pub retries: u32,
    /// How old an asynchronous event may be when it is tried.
    pub maximum_event_age: Duration,
    /// How many invocations may run at once.
    pub reserved_concurrency: Option<usize>,
}

impl FunctionDefinition {
    /// A function with Lambda's defaults: two retries, events up to six hours old
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-configuring.html>).
    pub fn new(
        name: impl Into<String>,
        operations: &'static [&'static str],
        timeout: Duration,
        factory: FunctionFactory,
    ) -> Self {
        Self {
            name: name.into(),
            factory,
            operations,
            timeout,
            // A small Rust binary with SDK clients: about 110 ms at the smallest memory size.
            initialisation: Duration::from_millis(110),
            retries: 2,
            maximum_event_age: Duration::from_hours(6),
            reserved_concurrency: None,
        }
    }
}

/// A queue that a function works off, with partial batch responses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSource {
    /// The queue's name.
    pub queue: String,
    /// The function's name.
    pub function: String,
    /// Messages of one batch at most.
    pub batch_size: usize,
    /// How long a batch is gathered, from its first message.
    pub batch_window: Duration,
    /// Batches that run at once at most.
    pub concurrency: usize,
}

/// Why an invocation gave no answer.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum InvokeError {
    /// There is no such function.
    #[error("there is no function {0}")]
    UnknownFunction(String),
    /// As many invocations run as may.
    #[error("TooManyRequestsException: function {0} is at its reserved concurrency")]
    Throttled(String),
    /// The function answered with an error.
    #[error("the function failed: {0}")]
    Failed(String),
    /// The invocation ran out of time.
    #[error("the invocation ran out of time")]
    TimedOut,
    /// The invocation died.
    #[error("the invocation died")]
    Crashed,
}

/// Events that wait for an asynchronous invocation.
#[derive(Clone, Debug, Default)]
pub(crate) struct AsyncQueue {
    waiting: BTreeMap<(Timestamp, u64), AsyncEvent>,
    next: u64,
}

/// One event for an asynchronous invocation.
#[derive(Clone, Debug)]
pub(crate) struct AsyncEvent {
    pub(crate) function: String,
    pub(crate) event: Value,
    pub(crate) accepted_at: Timestamp,
    /// Tries that failed.
    pub(crate) failures: u32,
    pub(crate) request_id: Option<String>,
}

impl AsyncQueue {
    /// Accepts an event.
    pub(crate) fn add(&mut self, function: String, event: Value, now: Timestamp) {
        self.put(AsyncEvent { function, event, accepted_at: now, failures: 0, request_id: None }, now);
    }

    /// Keeps an event until `at`.
    pub(crate) fn put(&mut self, event: AsyncEvent, at: Timestamp) {
        self.waiting.insert((at, self.next), event);
        self.next += 1;
    }

    /// Takes the first due event of a function that `can_run`.
    pub(crate) fn take(&mut self, now: Timestamp, can_run: impl Fn(&str) -> bool) -> Option<AsyncEvent> {
        let due = self.waiting.range(..=(now, u64::MAX));
        let key = due.into_iter().find(|(_, event)| can_run(&event.function)).map(|(key, _)| *key)?;
        self.waiting.remove(&key)
    }

    /// When the next event is due after `now`. Those due already wait for a free environment, not for time.
    pub(crate) fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        self.waiting.range((now, u64::MAX)..).next().map(|((at, _), _)| *at)
    }
}
