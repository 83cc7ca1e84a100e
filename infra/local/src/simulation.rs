//! The driver: runs what can run at one moment, then moves virtual time to the next moment anything happens.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use dynoxide::DynoxideError;
use futures::channel::oneshot;
use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use crate::call::Caller;
use crate::clock::{START, VirtualClock, later};
use crate::cloud::{Cloud, SharedCloud, lock};
use crate::executor::Executor;
use crate::faults::Faults;
use crate::lambda::{Environment, EventSource, FunctionDefinition, InvokeError};
use crate::runtime::{Runtime, SyncCall};
use crate::ssm::Ssm;

/// Steps at one moment of virtual time beyond which a run is taken to go in circles. Thousands of nodes that end at
/// the same moment take tens of thousands.
const MAXIMUM_STEPS_AT_ONCE: u64 = 1_000_000;

/// How a simulation is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulationOptions {
    /// Everything random follows from it.
    pub seed: u64,
    /// When virtual time begins.
    pub start: Timestamp,
    /// Whether the lines of the trace are kept, or only their hash.
    pub keep_trace: bool,
}

impl SimulationOptions {
    /// The usual start, with the trace kept.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, start: START, keep_trace: true }
    }
}

/// Why a simulation cannot go on.
#[derive(Debug, Error)]
pub enum SimulationError {
    /// The database engine doesn't start.
    #[error("the database engine does not start: {0}")]
    Engine(#[from] DynoxideError),
    /// Virtual time stands still although there is always something to do.
    #[error("livelock: more than {MAXIMUM_STEPS_AT_ONCE} steps at {at}")]
    Livelock {
        /// The moment it stands at.
        at: Timestamp,
    },
    /// What was waited for has not come about.
    #[error("not done by {at} of virtual time: {why:?}")]
    NotDone {
        /// The moment it was given up.
        at: Timestamp,
        /// Why.
        why: Stop,
    },
}

/// Why a run stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// What was waited for is true.
    Reached,
    /// The limit of virtual time has passed.
    Limit,
    /// Nothing is left that could ever happen.
    Idle,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Why it stopped.
    pub stop: Stop,
    /// The moment it stopped.
    pub at: Timestamp,
}

/// What one step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// All that could run at this moment has.
    Settled(Timestamp),
    /// Nothing is left that could ever happen.
    Idle,
}

/// A cloud, its functions, its clients, and virtual time.
pub struct Simulation {
    clock: VirtualClock,
    cloud: SharedCloud,
    executor: Executor,
    runtime: Runtime,
}

impl Simulation {
    /// A simulation of a fleet, with nothing deployed.
    ///
    /// # Errors
    /// When the database engine cannot start.
    pub fn new(ssm: Ssm, options: SimulationOptions) -> Result<Self, SimulationError> {
        let clock = VirtualClock::new(options.start);
        let cloud = Cloud::new(ssm, &clock, options.seed, options.keep_trace)?;
        let cloud = Arc::new(Mutex::new(cloud));
        let runtime = Runtime::new(Arc::clone(&cloud), clock.clone(), options.seed);
        Ok(Self { clock, cloud, executor: Executor::default(), runtime })
    }

    /// The cloud. Not to be held while the simulation runs.
    pub fn cloud(&self) -> MutexGuard<'_, Cloud> {
        lock(&self.cloud)
    }

    /// The simulation's clock.
    pub fn clock(&self) -> VirtualClock {
        self.clock.clone()
    }

    /// True virtual time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Deploys a function.
    pub fn add_function(&mut self, definition: FunctionDefinition) {
        self.cloud().lambda.deploy(&definition);
        self.runtime.add_function(definition);
    }

    /// Deploys a function anew: its environments are gone, and what they were doing has died.
    pub(crate) fn replace_function(&mut self, definition: FunctionDefinition) {
        self.runtime.replace_function(definition, &mut self.executor);
    }

    /// A function that calls from outside, held to its list of operations like one inside.
    pub(crate) fn caller(&mut self, function: &FunctionDefinition) -> Caller {
        self.runtime.caller(&function.name, Some(function.operations)).1
    }

    /// Lets a function work off a queue.
    pub fn add_event_source(&mut self, source: EventSource) {
        self.cloud().lambda.connect(&source);
        self.runtime.add_event_source(source);
    }

    /// Who decides what goes wrong from now on.
    pub fn set_faults(&mut self, faults: Box<dyn Faults>) {
        self.cloud().set_faults(faults);
    }

    /// What a client outside any function needs to call AWS. It may call everything.
    pub fn client(&mut self, name: &str) -> Environment {
        self.runtime.client(name)
    }

    /// Invokes functions and waits for their answers, from within a client's future.
    pub fn invoker(&self) -> Invoker {
        Invoker { calls: self.runtime.calls() }
    }

    /// Runs a client's future beside everything else.
    pub fn spawn<T: 'static>(&mut self, future: impl Future<Output = T> + 'static) -> Task<T> {
        let result = Rc::new(RefCell::new(None));
        let slot = Rc::clone(&result);
        self.executor.spawn(Box::pin(async move {
            let output = future.await;
            *slot.borrow_mut() = Some(output);
        }));
        Task { result }
    }

    /// Runs until a client's future is done.
    ///
    /// # Errors
    /// When it isn't within `limit` of virtual time, or never can be.
    pub fn block_on<T: 'static>(
        &mut self,
        future: impl Future<Output = T> + 'static,
        limit: Duration,
    ) -> Result<T, SimulationError> {
        let task = self.spawn(future);
        let outcome = self.run_until(|_| task.is_done(), limit)?;
        task.take().ok_or(SimulationError::NotDone { at: outcome.at, why: outcome.stop })
    }

    /// Invokes a function and runs until it has answered.
    ///
    /// # Errors
    /// When the simulation cannot go on. The function's own failure is the inner result.
    pub fn invoke(
        &mut self,
        function: &str,
        event: Value,
    ) -> Result<Result<Value, InvokeError>, SimulationError> {
        let (invoker, function) = (self.invoker(), function.to_owned());
        // Lambda's own limit of an invocation is 15 min.
        let limit = Duration::from_mins(20);
        self.block_on(async move { invoker.invoke(&function, event).await }, limit)
    }

    /// Runs until `reached`, which is asked after all of a moment has run, or until `limit` of virtual time has passed.
    ///
    /// # Errors
    /// When virtual time stands still.
    pub fn run_until(
        &mut self,
        mut reached: impl FnMut(&Cloud) -> bool,
        limit: Duration,
    ) -> Result<Outcome, SimulationError> {
        let end = later(self.now(), limit);
        self.drive(&mut reached, end, &mut |_, _| {})
    }

    /// Runs all of this moment, or moves to the next moment anything happens and runs all of that.
    ///
    /// # Errors
    /// When virtual time stands still.
    pub fn step(&mut self) -> Result<Step, SimulationError> {
        if self.settle()? > 0 {
            return Ok(Step::Settled(self.now()));
        }
        let Some(at) = self.next_at() else { return Ok(Step::Idle) };
        self.clock.advance(at);
        self.settle()?;
        Ok(Step::Settled(self.now()))
    }

    /// A hash of all that happened so far: two runs of one seed give the same.
    pub fn trace_hash(&self) -> u64 {
        self.cloud().trace.hash()
    }

    /// The loop under all ways to run. `wait` is called before each jump of virtual time.
    pub(crate) fn drive(
        &mut self,
        reached: &mut dyn FnMut(&Cloud) -> bool,
        end: Timestamp,
        wait: &mut dyn FnMut(&Cloud, Timestamp),
    ) -> Result<Outcome, SimulationError> {
        let mut spins = 0;
        loop {
            self.settle()?;
            let at = self.now();
            if reached(&self.cloud()) {
                return Ok(Outcome { stop: Stop::Reached, at });
            }
            let Some(next) = self.next_at() else { return Ok(Outcome { stop: Stop::Idle, at }) };
            // Somebody wants to run now, and did nothing when it could.
            spins = if next > at { 0 } else { spins + 1 };
            self.check(spins)?;
            wait(&self.cloud(), next.min(end));
            if next > end {
                self.clock.advance(end);
                return Ok(Outcome { stop: Stop::Limit, at: end });
            }
            self.clock.advance(next);
        }
    }

    /// Runs all that happens until `present` and moves there. When it has had `enough` it stays at an earlier moment.
    ///
    /// # Errors
    /// When virtual time stands still.
    pub(crate) fn catch_up(
        &mut self,
        present: Timestamp,
        mut enough: impl FnMut() -> bool,
    ) -> Result<(), SimulationError> {
        let mut spins = 0;
        self.settle()?;
        while let Some(next) = self.next_at().filter(|next| *next <= present) {
            if enough() {
                return Ok(());
            }
            spins = if next > self.now() { 0 } else { spins + 1 };
            self.check(spins)?;
            self.clock.advance(next);
            self.settle()?;
        }
        self.clock.advance(present);
        Ok(())
    }

    /// The cloud as those share it who wait for something in it.
    pub(crate) fn shared_cloud(&self) -> SharedCloud {
        Arc::clone(&self.cloud)
    }

    /// When something happens next.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        let cloud = self.cloud().next_at();
        [self.clock.next_at(), cloud, self.runtime.next_at()].into_iter().flatten().min()
    }

    /// Runs all that can run without time passing; says how many steps that took.
    fn settle(&mut self) -> Result<u64, SimulationError> {
        let mut steps = 0;
        loop {
            let before = steps;
            while self.executor.poll_one() {
                self.runtime.bury(&mut self.executor);
                steps += 1;
                self.check(steps)?;
            }
            steps += self.cloud().run_due();
            self.runtime.bury(&mut self.executor);
            steps += self.runtime.run_due(&mut self.executor);
            self.check(steps)?;
            if steps == before {
                return Ok(steps);
            }
        }
    }

    fn check(&self, steps: u64) -> Result<(), SimulationError> {
        if steps > MAXIMUM_STEPS_AT_ONCE {
            return Err(SimulationError::Livelock { at: self.now() });
        }
        Ok(())
    }
}

/// A client's future that runs in a simulation.
#[derive(Debug)]
pub struct Task<T> {
    result: Rc<RefCell<Option<T>>>,
}

impl<T> Task<T> {
    /// Whether it is done and its result not taken yet.
    pub fn is_done(&self) -> bool {
        self.result.borrow().is_some()
    }

    /// Its result, once.
    pub fn take(&self) -> Option<T> {
        self.result.borrow_mut().take()
    }
}

/// Invokes functions as `lambda:Invoke` does: one try, and the caller waits.
#[derive(Clone)]
pub struct Invoker {
    calls: Rc<RefCell<VecDeque<SyncCall>>>,
}

impl Invoker {
    /// Invokes a function and waits for its answer.
    ///
    /// # Errors
    /// When there is none.
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvokeError> {
        let (reply, answer) = oneshot::channel();
        self.calls.borrow_mut().push_back(SyncCall { function: function.to_owned(), event, reply });
        // The sender is only dropped unanswered when the simulation itself is.
        answer.await.unwrap_or(Err(InvokeError::Crashed))
    }
}
