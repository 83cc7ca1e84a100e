//! The embedded cloud: all services, what is under way between them, and what was counted. It knows virtual time but
//! never moves it; the [`Simulation`](crate::Simulation) does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dynoxide::DynoxideError;
use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;

use crate::call::InFlight;
use crate::clock::VirtualClock;
use crate::counters::Counters;
use crate::delivery::Arrival;
use crate::dynamodb::{DynamoDb, Units};
use crate::eventbridge::EventBridge;
use crate::faults::{Faults, NoFaults};
use crate::iam::Iam;
use crate::lambda::{AsyncQueue, EnvironmentId};
use crate::lambda_api::LambdaApi;
use crate::protocol::{Answer, Request, Service};
use crate::seed;
use crate::sns::Sns;
use crate::sqs::Sqs;
use crate::ssm::Ssm;
use crate::trace::Trace;
use crate::witness::Witness;

/// The embedded cloud.
pub struct Cloud {
    /// Systems Manager and the simulated fleet.
    pub ssm: Ssm,
    /// The tables.
    pub dynamodb: DynamoDb,
    /// The queues.
    pub sqs: Sqs,
    /// The topics.
    pub sns: Sns,
    /// The default bus and the schedule.
    pub eventbridge: EventBridge,
    /// The roles services act in.
    pub iam: Iam,
    /// The functions as clients see them.
    pub lambda: LambdaApi,
    /// What was used.
    pub counters: Counters,
    /// What happened.
    pub trace: Trace,
    /// What a function did that it must not.
    pub violations: Vec<Violation>,
    pub(crate) clock: VirtualClock,
    pub(crate) faults: Box<dyn Faults>,
    pub(crate) witness: Option<Box<dyn Witness>>,
    pub(crate) random: ChaCha8Rng,
    pub(crate) asynchronous: AsyncQueue,
    /// Execution environments that died and whose invocations the driver has not dropped yet.
    pub(crate) crashed: BTreeSet<EnvironmentId>,
    pub(crate) calls: u64,
    pub(crate) deliveries: u64,
    pending: BTreeMap<(Timestamp, u64), Pending>,
    sequence: u64,
}

/// Something a function did that its policy or the protocols forbid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// When.
    pub at: Timestamp,
    /// Which function.
    pub function: String,
    /// Which action.
    pub action: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What is under way and takes effect at a moment of its own.
pub(crate) enum Pending {
    Call(Box<InFlight>),
    Arrival(Arrival),
}

/// The cloud as connectors and the driver share it.
pub(crate) type SharedCloud = Arc<Mutex<Cloud>>;

pub(crate) fn lock(cloud: &SharedCloud) -> MutexGuard<'_, Cloud> {
    cloud.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cloud {
    /// A cloud with a fleet and nothing else in it.
    ///
    /// # Errors
    /// When the database engine cannot start.
    pub fn new(ssm: Ssm, clock: &VirtualClock, seed: u64, keep_trace: bool) -> Result<Self, DynoxideError> {
        Ok(Self {
            ssm,
            dynamodb: DynamoDb::in_memory(clock)?,
            sqs: Sqs::new(seed),
            sns: Sns::new(seed),
            eventbridge: EventBridge::new(seed, clock.now()),
            iam: Iam::default(),
            lambda: LambdaApi::default(),
            counters: Counters::default(),
            trace: Trace::new(keep_trace),
            violations: Vec::new(),
            clock: clock.clone(),
            faults: Box::new(NoFaults),
            witness: None,
            random: seed::generator(seed, "cloud"),
            asynchronous: AsyncQueue::default(),
            crashed: BTreeSet::new(),
            calls: 0,
            deliveries: 0,
            pending: BTreeMap::new(),
            sequence: 0,
        })
    }

    /// Who decides what goes wrong from now on.
    pub fn set_faults(&mut self, faults: Box<dyn Faults>) {
        self.faults = faults;
    }

    /// Who looks on from now on.
    pub fn set_witness(&mut self, witness: Box<dyn Witness>) {
        self.witness = Some(witness);
    }

    /// True virtual time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Applies one request of `caller` at once, without latency and faults.
    pub fn handle(&mut self, caller: &str, request: &Request) -> Answer {
        self.answer(caller, request).0
    }

    /// The same; beside the answer, what it cost.
    pub(crate) fn answer(&mut self, caller: &str, request: &Request) -> (Answer, Units) {
        let (now, operation, body) = (self.now(), request.operation.as_str(), &request.body);
        let answer = match request.service {
            Service::DynamoDb => {
                let (answer, units) = self.dynamodb.serve(operation, body, now);
                self.violations.append(&mut self.dynamodb.take_violations());
                self.counters.use_units(caller, operation, units);
                return (answer, units);
            }
            Service::Ssm => match self.ssm.handle(operation, body, now) {
                Ok(body) => Answer::ok(body),
                Err(error) => Answer { status: error.http_status(), body: error.body() },
            },
            Service::Sqs => {
                let (answer, sent) = self.sqs.handle(operation, body, now);
                sent.into_iter().for_each(|sent| self.send(caller, sent));
                answer
            }
            Service::Sns => {
                let (answer, topic, publications) = self.sns.handle(operation, body, now);
                self.fan_out(&topic, publications, now);
                answer
            }
            Service::EventBridge => {
                let (answer, events) = self.eventbridge.handle(operation, body, now);
                events.iter().for_each(|event| self.route(event, now));
                answer
            }
            Service::Iam => self.iam.handle(operation, body, now),
            Service::Lambda => self.lambda.handle(operation, body),
        };
        (answer, Units::default())
    }

    /// Lets something take effect at `at`.
    pub(crate) fn schedule(&mut self, at: Timestamp, pending: Pending) {
        self.pending.insert((at, self.sequence), pending);
        self.sequence += 1;
    }

    /// When the cloud has something to do next.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        let pending = self.pending.keys().next().map(|(at, _)| *at);
        [pending, self.ssm.next_at(), self.eventbridge.next_at()].into_iter().flatten().min()
    }

    /// Does what is due. Says how many things it did.
    pub(crate) fn run_due(&mut self) -> u64 {
        let now = self.now();
        let mut done = 0;
        if self.ssm.next_at().is_some_and(|at| at <= now) {
            done += 1;
            let published = self.ssm.run_until(now);
            published.into_iter().for_each(|published| self.publish(published));
        }
        if self.eventbridge.next_at().is_some_and(|at| at <= now) {
            done += 1;
            self.run_schedule(now);
        }
        while let Some(entry) = self.pending.first_entry().filter(|entry| entry.key().0 <= now) {
            done += 1;
            match entry.remove() {
                Pending::Call(call) => self.apply(*call),
                Pending::Arrival(arrival) => self.arrive(arrival),
            }
        }
        self.dynamodb.sweep(now);
        done
    }
}
