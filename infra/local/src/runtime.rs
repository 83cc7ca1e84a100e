//! Lambda at work: starts invocations from queues, asynchronous events and callers, ends them, and buries the dead.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures::channel::oneshot;
use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::batch::Mapping;
use crate::call::{Caller, CallingFunction};
use crate::clock::{VirtualClock, later};
use crate::cloud::{SharedCloud, lock};
use crate::connector::CloudConnector;
use crate::ending::{End, count_polls};
use crate::executor::{Executor, TaskId};
use crate::lambda::{
    AsyncEvent, Environment, EnvironmentId, EventSource, Function, FunctionDefinition, Invocation,
    InvokeError,
};
use crate::queue::Received;
use crate::seed;

/// All functions and their invocations.
pub(crate) struct Runtime {
    pub(crate) cloud: SharedCloud,
    pub(crate) clock: VirtualClock,
    pub(crate) functions: BTreeMap<String, Deployed>,
    pub(crate) mappings: Vec<Mapping>,
    pub(crate) running: BTreeMap<u64, Running>,
    answers: Answers,
    calls: Rc<RefCell<VecDeque<SyncCall>>>,
    next_invocation: u64,
    next_environment: u64,
    seed: u64,
    random: ChaCha8Rng,
}

/// What functions answered, by invocation, in the order they did.
type Answers = Rc<RefCell<VecDeque<(u64, Result<Value, String>)>>>;

/// A function and its environments.
pub(crate) struct Deployed {
    pub(crate) definition: FunctionDefinition,
    pub(crate) idle: Vec<Worker>,
    pub(crate) busy: usize,
}

/// A started execution environment.
pub(crate) struct Worker {
    id: EnvironmentId,
    clock: VirtualClock,
    function: Arc<dyn Function>,
}

/// An invocation that has not ended.
pub(crate) struct Running {
    pub(crate) function: String,
    pub(crate) worker: Worker,
    pub(crate) task: TaskId,
    pub(crate) started: Timestamp,
    pub(crate) deadline: Timestamp,
    pub(crate) origin: Origin,
    pub(crate) request_id: String,
}

/// What an invocation answers to.
pub(crate) enum Origin {
    Mapping(usize, Vec<Received>),
    Async(AsyncEvent),
    Call(oneshot::Sender<Result<Value, InvokeError>>),
}

/// A caller that waits for a function's answer.
pub(crate) struct SyncCall {
    pub(crate) function: String,
    pub(crate) event: Value,
    pub(crate) reply: oneshot::Sender<Result<Value, InvokeError>>,
}

impl Runtime {
    pub(crate) fn new(cloud: SharedCloud, clock: VirtualClock, seed: u64) -> Self {
        Self {
            cloud,
            clock,
            functions: BTreeMap::new(),
            mappings: Vec::new(),
            running: BTreeMap::new(),
            answers: Rc::default(),
            calls: Rc::default(),
            next_invocation: 0,
            next_environment: 0,
            seed,
            random: seed::generator(seed, "lambda"),
        }
    }

    pub(crate) fn add_function(&mut self, definition: FunctionDefinition) {
        let deployed = Deployed { definition, idle: Vec::new(), busy: 0 };
        self.functions.insert(deployed.definition.name.clone(), deployed);
    }

    /// Puts a function in another's place: what the other was doing has died with its environments.
    pub(crate) fn replace_function(&mut self, definition: FunctionDefinition, executor: &mut Executor) {
        let of_other = |running: &Running| running.function == definition.name;
        let dead = self.running.iter().filter(|(_, running)| of_other(running)).map(|(id, _)| *id);
        for id in dead.collect::<Vec<_>>() {
            self.end(id, &End::Crashed, executor);
        }
        self.add_function(definition);
    }

    pub(crate) fn add_event_source(&mut self, source: EventSource) {
        self.mappings.push(Mapping::new(source));
    }

    pub(crate) fn calls(&self) -> Rc<RefCell<VecDeque<SyncCall>>> {
        Rc::clone(&self.calls)
    }

    /// A way into the cloud for a client outside any function.
    pub(crate) fn client(&mut self, name: &str) -> Environment {
        self.environment(name, None, self.clock.clone())
    }

    fn environment(
        &mut self,
        name: &str,
        operations: Option<&'static [&'static str]>,
        clock: VirtualClock,
    ) -> Environment {
        let (id, caller) = self.caller(name, operations);
        let connector = CloudConnector::new(Arc::clone(&self.cloud), self.clock.clone(), caller);
        let seed = seed::derive(self.seed, &format!("environment {}", id.0));
        Environment { name: name.to_owned(), id, http_client: connector.into_client(), clock, seed }
    }

    /// Somebody who calls AWS; a function if it may do these operations only.
    pub(crate) fn caller(
        &mut self,
        name: &str,
        operations: Option<&'static [&'static str]>,
    ) -> (EnvironmentId, Caller) {
        let environment = EnvironmentId(self.next_environment);
        self.next_environment += 1;
        let function = operations.map(|operations| CallingFunction { environment, operations });
        (environment, Caller { name: name.to_owned(), function })
    }

    /// When Lambda has something to do next although nothing else happens.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        let cloud = lock(&self.cloud);
        let deadline = self.running.values().map(|running| running.deadline).min();
        let event = cloud.asynchronous.next_after(self.clock.now());
        let batch = self.mappings.iter().filter(|mapping| self.has_room(&mapping.source.function));
        let batch = batch.filter_map(|mapping| mapping.next_at(&cloud.sqs)).min();
        [deadline, event, batch].into_iter().flatten().min()
    }

    /// Drops the invocations whose environment died. To be called between any two polls.
    pub(crate) fn bury(&mut self, executor: &mut Executor) {
        let crashed = std::mem::take(&mut lock(&self.cloud).crashed);
        for environment in crashed {
            let dead = self.running.iter().find(|(_, running)| running.worker.id == environment);
            match dead.map(|(id, _)| *id) {
                Some(id) => self.end(id, &End::Crashed, executor),
                // A call that outlived its invocation killed an environment that waits for the next.
                None => self.functions.values_mut().for_each(|deployed| {
                    deployed.idle.retain(|worker| worker.id != environment);
                }),
            }
        }
    }

    /// Ends what has ended and starts what can start. Says how many things it did.
    pub(crate) fn run_due(&mut self, executor: &mut Executor) -> u64 {
        let now = self.clock.now();
        let mut done = 0;
        loop {
            let Some((id, answer)) = self.answers.borrow_mut().pop_front() else { break };
            self.end(id, &End::Answered(answer), executor);
            done += 1;
        }
        let late = self.running.iter().filter(|(_, running)| running.deadline <= now).map(|(id, _)| *id);
        for id in late.collect::<Vec<_>>() {
            self.end(id, &End::TimedOut, executor);
            done += 1;
        }
        done + self.start_calls(executor) + self.start_events(executor) + self.start_batches(executor)
    }

    fn has_room(&self, function: &str) -> bool {
        self.functions.get(function).is_some_and(|deployed| {
            deployed.definition.reserved_concurrency.is_none_or(|limit| deployed.busy < limit)
        })
    }

    fn start_calls(&mut self, executor: &mut Executor) -> u64 {
        let calls = std::mem::take(&mut *self.calls.borrow_mut());
        let mut done = 0;
        for SyncCall { function, event, reply } in calls {
            done += 1;
            let refusal = if !self.functions.contains_key(&function) {
                InvokeError::UnknownFunction(function)
            } else if !self.has_room(&function) {
                InvokeError::Throttled(function)
            } else {
                self.start(&function, event, Origin::Call(reply), None, executor);
                continue;
            };
            // A caller that is gone doesn't want to know.
            let _ = reply.send(Err(refusal));
        }
        done
    }

    fn start_events(&mut self, executor: &mut Executor) -> u64 {
        let now = self.clock.now();
        let mut done = 0;
        loop {
            let can_run = |function: &str| !self.functions.contains_key(function) || self.has_room(function);
            let Some(event) = lock(&self.cloud).asynchronous.take(now, can_run) else { return done };
            done += 1;
            let name = event.function.clone();
            let age = now.duration_since(event.accepted_at).unsigned_abs();
            let fresh = self
                .functions
                .get(&name)
                .is_some_and(|deployed| age <= deployed.definition.maximum_event_age);
            if fresh {
                let (body, request_id) = (event.event.clone(), event.request_id.clone());
                self.start(&name, body, Origin::Async(event), request_id, executor);
            } else {
                lock(&self.cloud).counters.function(&name).given_up += 1;
            }
        }
    }

    fn start_batches(&mut self, executor: &mut Executor) -> u64 {
        let now = self.clock.now();
        let mut done = 0;
        for index in 0..self.mappings.len() {
            while let Some((function, event, batch)) = self.next_batch(index, now) {
                done += 1;
                self.start(&function, event, Origin::Mapping(index, batch), None, executor);
            }
        }
        done
    }

    fn next_batch(&mut self, index: usize, now: Timestamp) -> Option<(String, Value, Vec<Received>)> {
        let function = self.mappings.get(index)?.source.function.clone();
        if !self.has_room(&function) {
            return None;
        }
        let mapping = self.mappings.get_mut(index)?;
        let mut cloud = lock(&self.cloud);
        let batch = mapping.poll(&mut cloud.sqs, now)?;
        mapping.running += 1;
        count_polls(&mut cloud, "sqs:ReceiveMessage", batch.len());
        Some((function, mapping.event(&batch), batch))
    }

    fn start(
        &mut self,
        function: &str,
        event: Value,
        origin: Origin,
        request_id: Option<String>,
        executor: &mut Executor,
    ) {
        let Some((worker, cold)) = self.worker(function) else { return };
        let Some(deployed) = self.functions.get_mut(function) else { return };
        deployed.busy += 1;
        let initialisation = if cold { deployed.definition.initialisation } else { Duration::ZERO };
        let timeout = {
            let mut cloud = lock(&self.cloud);
            let count = cloud.counters.function(function);
            count.invocations += 1;
            count.cold_starts += u64::from(cold);
            cloud.faults.time_limit(function, deployed.definition.timeout)
        };
        let started = later(self.clock.now(), initialisation);
        let deadline = later(started, timeout);
        let request_id = request_id.unwrap_or_else(|| seed::uuid(&mut self.random));
        let skew = worker.clock.now().duration_since(self.clock.now());
        let context = Invocation {
            request_id: request_id.clone(),
            function_name: function.to_owned(),
            deadline: deadline.saturating_add(skew).unwrap_or(deadline),
        };
        let id = self.next_invocation;
        self.next_invocation += 1;
        let (clock, handler, answers) =
            (self.clock.clone(), Arc::clone(&worker.function), Rc::clone(&self.answers));
        let task = executor.spawn(Box::pin(async move {
            clock.sleep(initialisation).await;
            let answer = handler.invoke(event, context).await;
            answers.borrow_mut().push_back((id, answer));
        }));
        let function = function.to_owned();
        self.running.insert(id, Running { function, worker, task, started, deadline, origin, request_id });
    }

    /// The environment used last, or a new one.
    fn worker(&mut self, function: &str) -> Option<(Worker, bool)> {
        let deployed = self.functions.get_mut(function)?;
        if let Some(worker) = deployed.idle.pop() {
            return Some((worker, false));
        }
        let (operations, factory) =
            (deployed.definition.operations, Arc::clone(&deployed.definition.factory));
        let skew = lock(&self.cloud).faults.skew(function);
        let clock = self.clock.skewed(skew);
        let environment = self.environment(function, Some(operations), clock.clone());
        Some((Worker { id: environment.id, clock, function: factory(&environment) }, true))
    }
}
