//! One run: a workload in a storm, then calm weather until everything has ended, then the checks.

use crate::deeds::{Told, document_name};
use crate::item::{OVER, text};
use crate::violation::{Invariant, Violation};
use crate::weather::Weather;
use crate::witness::Onlooker;
use crate::workload::Workload;
use crate::{Sometimes, checks};
use fleetwright_local::{Cloud, Deployment, DeploymentOptions, SimulationError, Stop, TABLE};
use jiff::Timestamp;
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

/// What has not ended by then, calm weather given, never does: commands take minutes, a step's three attempts too.
const END_LIMIT: Duration = Duration::from_hours(6);
/// The same where SSM shows the end of each command a quarter of an hour late, and one may come after the other.
const END_LIMIT_LAGGING: Duration = Duration::from_hours(72);
/// What is under way when all executions have ended has come to rest by then: a message on its fifth try, and the watch
/// of a send of unknown outcome, an hour each.
const REST_LIMIT_MIN: u64 = 200;

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
    /// What people were told.
    pub(crate) told: Rc<RefCell<Told>>,
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
            deployment
                .register_runbook(&document_name(at), &execution.runbook)
                .expect("a document SSM takes");
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
            told: Rc::new(RefCell::new(Told::of(workload.executions.len()))),
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
        let limit = if workload.lags_for_long { END_LIMIT_LAGGING } else { END_LIMIT };
        if !self.wait_for_the_end(limit)? {
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

    /// Until every execution has ended; whether that came about.
    fn wait_for_the_end(&mut self, limit: Duration) -> Result<bool, SimulationError> {
        let told = Rc::clone(&self.told);
        let mut seen = None;
        let reached = move |cloud: &Cloud| {
            let ids = &told.borrow().ids;
            let now = (cloud.counters.applied("dynamodb:TransactWriteItems"), ids.iter().flatten().count());
            if seen.replace(now) == Some(now) {
                return false;
            }
            ids.iter().all(|id| id.as_deref().is_some_and(|id| has_ended(cloud, id)))
        };
        let stop = self.deployment.simulation.run_until(reached, limit)?.stop;
        if stop != Stop::Reached {
            let ids = self.ids();
            let running: Vec<String> =
                ids.into_iter().filter(|id| !has_ended(&self.deployment.simulation.cloud(), id)).collect();
            let complaints = &self.told.borrow().complaints.clone();
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
        let complaints = std::mem::take(&mut self.told.borrow_mut().complaints);
        for complaint in complaints {
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
        self.told.borrow().ids.iter().flatten().cloned().collect()
    }

    /// Executions that somebody was told were stopped, and when.
    pub(crate) fn stopped(&self) -> Vec<(String, Timestamp)> {
        self.told.borrow().stopped.clone()
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
            executions: number(self.told.borrow().ids.iter().flatten().count()),
            events: cloud.counters.deliveries.values().map(|count| count.delivered).sum(),
            commands: number(cloud.ssm.ledger().commands().len()),
            duplicate_commands: checks::duplicates(cloud.ssm.ledger()),
            crashes: cloud.counters.functions.values().map(|count| count.crashes).sum(),
            trace_hash: cloud.trace.hash(),
            trace: cloud.trace.lines().iter().map(ToString::to_string).collect(),
        }
    }
}

/// Whether an execution has ended, or was set aside.
fn has_ended(cloud: &Cloud, id: &str) -> bool {
    let item = cloud.dynamodb.item(TABLE, &format!("EXEC#{id}"), "EXEC").expect("the table");
    item.is_some_and(|item| text(&item, "status").is_some_and(|status| OVER.contains(&status)))
}
