//! One run: a workload in a storm, then calm weather until everything has ended, then the checks.

use crate::client::{Client, Said};
use crate::item::{OVER, text};
use crate::violation::{Invariant, Violation};
use crate::weather::Weather;
use crate::witness::Onlooker;
use crate::workload::{Deed, Workload};
use crate::{Sometimes, checks};
use fleetwright_local::names::queue_url;
use fleetwright_local::protocol::{Request, Service};
use fleetwright_local::{Cloud, Deployment, DeploymentOptions, SimulationError, Stop, TABLE};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// What has not ended by then, calm weather given, never does: commands take minutes, a step's three attempts too.
const END_LIMIT: Duration = Duration::from_hours(6);
/// What is under way when all executions have ended has come to rest by then: a message on its fifth try, and the watch
/// of a send of unknown outcome, an hour each.
const REST_LIMIT_MIN: u64 = 200;

/// How long somebody waits for a SendCommand to stop its execution at it, and how often they look.
const LIES_IN_WAIT: Duration = Duration::from_mins(2);
const LOOKS_UP: Duration = Duration::from_millis(250);

/// How a seed is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Play {
    /// The seed.
    pub seed: u64,
    /// What is to be done.
    pub work: Work,
    /// What goes wrong.
    pub wrong: Wrong,
    /// Whether what happened is kept line by line.
    pub keep_trace: bool,
}

/// What is to be done in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Whatever the seed draws.
    Drawn,
    /// A small run that is always the same.
    Canonical(Canonical),
}

/// Small runs, over every call of which somebody dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canonical {
    /// Two steps to the end.
    TwoSteps,
    /// A step that fails, tried twice; the execution fails.
    Failure,
    /// Stopped while its first step runs.
    Stopped,
}

/// What goes wrong in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Whatever the seed draws; nothing any more after so many chances.
    Drawn(u64),
    /// Every message is lost but the schedule's, and nothing else.
    EverythingLost,
    /// Functions die at these calls, and nothing else.
    Deaths([Option<Death>; 2]),
}

/// The death of a function at a call that changes something. (A call that only reads is no point of its own: to die at it
/// is to die after the change before.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Death {
    /// Which call, from 1.
    pub call: u64,
    /// Right after it was applied, or right before it left.
    pub after: bool,
}

impl Play {
    /// With all faults, from the first to the last.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self { seed, work: Work::Drawn, wrong: Wrong::Drawn(u64::MAX), keep_trace: false }
    }
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Played {
    /// What must not have happened, in order.
    pub violations: Vec<Violation>,
    /// What happened sometimes.
    pub sometimes: Sometimes,
    /// Chances for something to go wrong.
    pub chances: u64,
    /// Calls of functions that changed something.
    pub changes: u64,
    /// Executions that were started.
    pub executions: u64,
    /// Messages and events that were delivered.
    pub events: u64,
    /// Commands that SSM accepted.
    pub commands: u64,
    /// Commands that SSM accepted beyond the first of a send.
    pub duplicate_commands: u64,
    /// Function invocations that died.
    pub crashes: u64,
    /// A hash of everything that happened.
    pub trace_hash: u64,
    /// Everything that happened, if it was to be kept.
    pub trace: Vec<String>,
}

/// Plays a seed.
#[must_use]
pub fn play(how: Play) -> Played {
    let workload = match how.work {
        Work::Drawn => Workload::drawn(how.seed),
        Work::Canonical(which) => Workload::canonical(which),
    };
    let onlooker = Onlooker::default();
    let weather = Weather::new(how.seed, how.wrong, onlooker.clone());
    let mut stage = Stage::set(&workload, weather, onlooker, how);
    let result = stage.perform(&workload);
    if let Err(error) = result {
        stage.wrong(Invariant::EverythingEnds, error.to_string());
    }
    stage.played(&workload)
}

/// A run under way.
pub(crate) struct Stage {
    pub(crate) deployment: Deployment,
    pub(crate) weather: Weather,
    pub(crate) onlooker: Onlooker,
    pub(crate) began: Timestamp,
    /// Ids of executions that were started, by their place in the workload.
    ids: Rc<RefCell<Vec<Option<String>>>>,
    /// What clients were told that nobody should be told.
    complaints: Rc<RefCell<Vec<String>>>,
    /// Executions that somebody was told were stopped, and when.
    stopped: Rc<RefCell<Vec<(String, Timestamp)>>>,
    violations: Vec<Violation>,
    everything_lost: bool,
}

impl Stage {
    fn set(workload: &Workload, weather: Weather, onlooker: Onlooker, how: Play) -> Self {
        let options = DeploymentOptions {
            ssm: workload.ssm.clone(),
            index_lag: workload.index_lag,
            invocation_events: workload.invocation_events,
            announce: workload.announce,
            keep_trace: how.keep_trace,
            ..DeploymentOptions::seeded(how.seed)
        };
        let deployment = Deployment::new(workload.fleet.clone(), &options).expect("the engine starts");
        for (at, execution) in workload.executions.iter().enumerate() {
            deployment.register_runbook(&name(at), &execution.runbook).expect("a document SSM takes");
        }
        {
            let mut cloud = deployment.simulation.cloud();
            cloud.set_faults(Box::new(weather.clone()));
            cloud.set_witness(Box::new(onlooker.clone()));
        }
        Self {
            began: deployment.simulation.now(),
            deployment,
            weather,
            onlooker,
            ids: Rc::new(RefCell::new(vec![None; workload.executions.len()])),
            complaints: Rc::default(),
            stopped: Rc::default(),
            violations: Vec::new(),
            everything_lost: how.wrong == Wrong::EverythingLost,
        }
    }

    fn perform(&mut self, workload: &Workload) -> Result<(), SimulationError> {
        let mut is_calm = false;
        for act in &workload.acts {
            if !is_calm && act.after > workload.storm {
                self.wait_until(workload.storm)?;
                self.calm();
                is_calm = true;
            }
            self.wait_until(act.after)?;
            self.act(workload, &act.what);
        }
        if !is_calm {
            self.wait_until(workload.storm)?;
            self.calm();
        }
        if !self.wait_for_the_end()? {
            return Ok(());
        }
        // Nobody knows what SSM has yet to say, but for how long.
        let said = Duration::from_millis(u64::try_from(workload.ssm.event_lag.longest()).unwrap_or(0));
        self.deployment.simulation.run_until(|_| false, said)?;
        if !self.wait_for_rest()? {
            return Ok(());
        }
        self.check(workload)
    }

    /// The storm is over; where every message is lost, it never is.
    fn calm(&self) {
        if !self.everything_lost {
            self.weather.calm();
        }
    }

    fn wait_until(&mut self, after: Duration) -> Result<(), SimulationError> {
        let passed = self.deployment.simulation.now().duration_since(self.began).unsigned_abs();
        if let Some(left) = after.checked_sub(passed).filter(|left| !left.is_zero()) {
            self.deployment.simulation.run_until(|_| false, left)?;
        }
        Ok(())
    }

    fn act(&mut self, workload: &Workload, deed: &Deed) {
        let simulation = &mut self.deployment.simulation;
        let client = Client { invoker: simulation.invoker(), clock: simulation.clock() };
        let (ids, complaints) = (Rc::clone(&self.ids), Rc::clone(&self.complaints));
        match deed {
            Deed::Start(at) => {
                let execution = &workload.executions[*at];
                let body = json!({ "DocumentName": name(*at), "ClientToken": execution.client_token,
                    "Parameters": { "Nodes": execution.nodes } });
                drop(simulation.spawn(start(client, *at, body, ids, complaints)));
            }
            Deed::Stop(at, kind) => {
                let at = *at;
                let stop = stop(client, at, kind, ids, complaints, Rc::clone(&self.stopped));
                drop(simulation.spawn(stop));
            }
            Deed::StopAtSend(at, kind, send, moment) => {
                let (at, send, moment, weather) = (*at, *send, *moment, self.weather.clone());
                let clock = simulation.clock();
                let stop = stop(client, at, kind, ids, complaints, Rc::clone(&self.stopped));
                drop(simulation.spawn(async move {
                    let until = clock.now() + LIES_IN_WAIT;
                    while weather.send_calls() < send && clock.now() < until {
                        clock.sleep(LOOKS_UP).await;
                    }
                    clock.sleep(moment).await;
                    stop.await;
                }));
            }
            Deed::Signal(at, signal) => {
                let (at, body) = (*at, json!({ "SignalType": signal }));
                drop(simulation.spawn(async move {
                    drop(tell(client, at, "SendAutomationSignal", body, ids, complaints).await);
                }));
            }
            Deed::Send(nodes) => {
                let body = json!({ "DocumentName": "AWS-RunShellScript", "InstanceIds": nodes,
                    "Parameters": { "commands": ["uptime"], "executionTimeout": ["120"] }, "TimeoutSeconds": 60 });
                drop(simulation.spawn(async move {
                    // Whoever sends past an execution sees the answer, or looks for the command by its mark.
                    drop(client.ask_as_an_sdk("SendCommand", &body, "f9c2").await);
                }));
            }
            Deed::Poison(queue, body) => put(&mut simulation.cloud(), queue, body),
            Deed::Contradict => contradict(&mut simulation.cloud()),
            Deed::Hide(time, is_answered) => {
                simulation.cloud().ssm.hide_next_command_for(*time);
                if !is_answered {
                    self.weather.lose_next_answer();
                }
            }
        }
    }

    /// Until every execution has ended; whether that came about.
    fn wait_for_the_end(&mut self) -> Result<bool, SimulationError> {
        let ids = Rc::clone(&self.ids);
        let mut seen = None;
        let reached = move |cloud: &Cloud| {
            let ids = ids.borrow();
            let now = (cloud.counters.applied("dynamodb:TransactWriteItems"), ids.iter().flatten().count());
            if seen.replace(now) == Some(now) {
                return false;
            }
            ids.iter().all(|id| id.as_deref().is_some_and(|id| has_ended(cloud, id)))
        };
        let stop = self.deployment.simulation.run_until(reached, END_LIMIT)?.stop;
        if stop != Stop::Reached {
            let ids = self.ids();
            let running: Vec<String> =
                ids.into_iter().filter(|id| !has_ended(&self.deployment.simulation.cloud(), id)).collect();
            let complaints = self.complaints.take();
            self.wrong(
                Invariant::EverythingEnds,
                format!("{running:?} go on for ever ({stop:?}); {complaints:?}"),
            );
        }
        Ok(stop == Stop::Reached)
    }

    /// Until nothing is due and no message is left; whether that came about.
    fn wait_for_rest(&mut self) -> Result<bool, SimulationError> {
        let mut passed = 0;
        loop {
            let left = self.left_over();
            if left.is_empty() {
                return Ok(true);
            }
            if passed >= REST_LIMIT_MIN {
                self.wrong(Invariant::EverythingEnds, format!("{left:?} after all have ended"));
                return Ok(false);
            }
            let minutes = if passed < 5 { 1 } else { 5 };
            passed += minutes;
            self.deployment.simulation.run_until(|_| false, Duration::from_mins(minutes))?;
        }
    }

    /// What is still to come: messages, and items that are due.
    fn left_over(&self) -> Vec<String> {
        let cloud = self.deployment.simulation.cloud();
        let queues = ["facts", "prompt"].into_iter();
        let waiting = queues.filter(|queue| cloud.sqs.queue(queue).is_some_and(|queue| !queue.is_empty()));
        let mut left: Vec<String> = waiting.map(|queue| format!("messages in {queue}")).collect();
        if self.weather.is_any_under_way(cloud.now()) {
            left.push("messages under way".to_owned());
        }
        let items = cloud.dynamodb.items(TABLE).expect("the table");
        let due = items.iter().filter(|item| !item["due_at"].is_null());
        left.extend(due.map(|item| format!("{} {} is due", item["pk"]["S"], item["sk"]["S"])));
        left
    }

    fn check(&mut self, workload: &Workload) -> Result<(), SimulationError> {
        for complaint in self.complaints.take() {
            self.wrong(Invariant::Permitted, complaint);
        }
        let found = checks::at_the_end(self, workload);
        self.violations.extend(found);
        if self.everything_lost {
            let found = checks::in_time(self, workload);
            self.violations.extend(found);
        }
        if let Some(days) = workload.replay_after_days {
            let found = checks::after_a_replay(self, workload, days)?;
            self.violations.extend(found);
        }
        Ok(())
    }

    /// The ids of executions that were started.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.ids.borrow().iter().flatten().cloned().collect()
    }

    /// Executions that somebody was told were stopped, and when.
    pub(crate) fn stopped(&self) -> Vec<(String, Timestamp)> {
        self.stopped.borrow().clone()
    }

    /// Every item of the table.
    pub(crate) fn items(&self) -> Vec<Value> {
        self.deployment.simulation.cloud().dynamodb.items(TABLE).expect("the table")
    }

    /// How often each message is in a dead-letter queue.
    pub(crate) fn dead_letters(&self) -> BTreeMap<String, u32> {
        let cloud = self.deployment.simulation.cloud();
        let queues = ["facts-dead", "prompt-dead"].into_iter().filter_map(|queue| cloud.sqs.queue(queue));
        let mut letters = BTreeMap::new();
        for message in queues.flat_map(|queue| queue.messages()) {
            *letters.entry(message.body.clone()).or_default() += 1;
        }
        letters
    }

    fn wrong(&mut self, invariant: Invariant, what: String) {
        let at = self.deployment.simulation.now();
        self.violations.push(Violation { invariant, at, what });
    }

    fn played(self, workload: &Workload) -> Played {
        let mut violations = self.onlooker.violations();
        violations.extend(self.violations);
        violations.sort_by_key(|violation| violation.at);
        let mut sometimes = self.onlooker.sometimes();
        sometimes.add(&self.weather.sometimes());
        sometimes.add(&workload.sometimes());
        let cloud = self.deployment.simulation.cloud();
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        Played {
            violations,
            sometimes,
            chances: self.weather.chances(),
            changes: self.weather.changes(),
            executions: number(self.ids.borrow().iter().flatten().count()),
            events: cloud.counters.deliveries.values().map(|count| count.delivered).sum(),
            commands: number(cloud.ssm.ledger().commands().len()),
            duplicate_commands: checks::duplicates(cloud.ssm.ledger()),
            crashes: cloud.counters.functions.values().map(|count| count.crashes).sum(),
            trace_hash: cloud.trace.hash(),
            trace: cloud.trace.lines().iter().map(ToString::to_string).collect(),
        }
    }
}

/// Somebody puts a message into a queue.
fn put(cloud: &mut Cloud, queue: &str, message: &str) {
    let body = json!({ "QueueUrl": queue_url(queue), "MessageBody": message });
    cloud.handle("somebody", &Request { service: Service::Sqs, operation: "SendMessage".to_owned(), body });
}

/// Somebody reports that a node of the newest command ended otherwise than it did, or will.
fn contradict(cloud: &mut Cloud) {
    let Some(command) = cloud.ssm.ledger().commands().last() else { return };
    let Some((node, details)) = command.nodes.iter().next() else { return };
    let untrue = if details.status() == "Failed" { "TimedOut" } else { "Failed" };
    let now = cloud.now().to_string();
    let message = json!({ "commandId": &*command.command_id, "documentName": &*command.document,
        "instanceId": &**node, "requestedDateTime": now, "status": untrue, "eventTime": now });
    put(cloud, "facts", &message.to_string());
}

/// The document of an execution.
fn name(at: usize) -> String {
    format!("Runbook-{at}")
}

/// Whether an execution has ended, or was set aside.
fn has_ended(cloud: &Cloud, id: &str) -> bool {
    let item = cloud.dynamodb.item(TABLE, &format!("EXEC#{id}"), "EXEC").expect("the table");
    item.is_some_and(|item| text(&item, "status").is_some_and(|status| OVER.contains(&status)))
}

async fn start(
    client: Client,
    at: usize,
    body: Value,
    ids: Rc<RefCell<Vec<Option<String>>>>,
    complaints: Rc<RefCell<Vec<String>>>,
) {
    match client.ask("StartAutomationExecution", &body).await {
        Said::Done(answer) => {
            let id = answer["AutomationExecutionId"].as_str().unwrap_or_default().to_owned();
            let before = ids.borrow_mut()[at].replace(id.clone());
            if let Some(before) = before.filter(|before| *before != id) {
                complaints.borrow_mut().push(format!("one start, two executions: {before} and {id}"));
            }
        }
        Said::Refused(code, message) => {
            complaints.borrow_mut().push(format!("a start was refused: {code}: {message}"));
        }
    }
}

async fn stop(
    client: Client,
    at: usize,
    kind: &'static str,
    ids: Rc<RefCell<Vec<Option<String>>>>,
    complaints: Rc<RefCell<Vec<String>>>,
    stopped: Rc<RefCell<Vec<(String, Timestamp)>>>,
) {
    let (clock, body) = (client.clock.clone(), json!({ "Type": kind }));
    if let Some(id) = tell(client, at, "StopAutomationExecution", body, ids, complaints).await {
        stopped.borrow_mut().push((id, clock.now()));
    }
}

/// Stops an execution or sends it a signal, once it is known that it was started; its id, if that was accepted.
async fn tell(
    client: Client,
    at: usize,
    operation: &'static str,
    mut body: Value,
    ids: Rc<RefCell<Vec<Option<String>>>>,
    complaints: Rc<RefCell<Vec<String>>>,
) -> Option<String> {
    let id = loop {
        let id = ids.borrow()[at].clone();
        if let Some(id) = id {
            break id;
        }
        client.clock.sleep(Duration::from_secs(5)).await;
    };
    body["AutomationExecutionId"] = json!(id);
    match client.ask(operation, &body).await {
        Said::Done(_) => Some(id),
        Said::Refused(code, message) => {
            // It has ended, or no step waits for that.
            let usual = ["InvalidAutomationStatusUpdateException", "InvalidAutomationSignalException"];
            if !usual.contains(&code.as_str()) {
                complaints.borrow_mut().push(format!("{operation} was refused: {code}: {message}"));
            }
            None
        }
    }
}
