//! What a run is about: a fleet, runbooks, and what people do with them, drawn from the seed.

mod fleet;
mod runbook;

use crate::dice::Dice;
use crate::run::Canonical;
use fleetwright_local::fleet::{Fleet, Span};
use fleetwright_local::ssm::SsmOptions;
use std::time::Duration;

/// SSM shows what happened later than this, and a command may be taken for absent and sent a second time (protocols,
/// P3: three looks, the first 90 s after the try, one a minute at most).
pub(crate) const SEEN_IN_TIME: Duration = Duration::from_secs(180);
/// How long facts are taken.
const RETENTION_DAYS: u32 = 365;
/// A fleet with more nodes is a wide one.
const WIDE: u64 = 50;
/// SSM API reference, StartAutomationExecution.ClientToken: a UUID.
const CLIENT_TOKEN: &str = "8f7c1a52-3a0e-4b8e-9c53-000000000000";
/// Messages nobody can read.
const POISON: [&str; 5] = [
    " ",
    "{",
    "{\"Type\":\"Notification\",\"Message\":\"\"}",
    "{\"commandId\":5}",
    "{\"detail-type\":\"EC2 Command Invocation Status-change Notification\",\"detail\":{}}",
];

/// Everything people and nodes do in a run.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    pub(crate) fleet: Fleet,
    pub(crate) ssm: SsmOptions,
    /// SSM may show what happened later than anybody waits for it.
    pub(crate) lags_for_long: bool,
    pub(crate) index_lag: Option<Span>,
    pub(crate) invocation_events: bool,
    /// Whether people are told of ends.
    pub(crate) announce: bool,
    pub(crate) executions: Vec<PlannedExecution>,
    pub(crate) acts: Vec<Act>,
    /// How long things go wrong.
    pub(crate) storm: Duration,
    /// So many days after all is over, all messages come once more.
    pub(crate) replay_after_days: Option<u32>,
}

/// One execution as somebody is going to start it.
#[derive(Debug, Clone)]
pub(crate) struct PlannedExecution {
    pub(crate) runbook: String,
    pub(crate) nodes: Vec<String>,
    pub(crate) client_token: String,
}

/// Something that somebody does at a moment of a run.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    /// After the beginning.
    pub(crate) after: Duration,
    pub(crate) what: Deed,
}

/// What somebody does.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// Starts an execution; the same request again, with the same token, is no second one.
    Start(usize),
    /// Stops one: `Cancel` or `Complete`.
    Stop(usize, &'static str),
    /// The same a moment after the so manyth SendCommand of the run has left.
    StopAtSend(usize, &'static str, u64, Duration),
    /// Stops whichever execution's send is tried again, while the so manyth write that says so is slow to apply.
    StopAtTry(&'static str, usize),
    /// Sends a signal: `Approve`, `Reject` or `Resume`.
    Signal(usize, &'static str),
    /// Sends a command through our API.
    Send(Vec<String>),
    /// Puts a message nobody can read into a queue.
    Poison(&'static str, &'static str),
    /// Somebody reports that a node of the newest command ended otherwise than it did.
    Contradict,
    /// SSM hides the next command for a while, and answers its sender, or doesn't.
    Hide(Duration, bool),
}

impl Workload {
    /// The workload of a seed.
    pub(crate) fn drawn(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "workload");
        let size = dice.weighted(&[(3, (0, 0)), (76, (1, 6)), (17, (7, WIDE)), (4, (WIDE + 1, 300))]);
        let nodes = dice.mostly_small(size.0, size.1);
        let fleet = fleet::drawn(nodes, seed, &mut dice);
        let ids: Vec<String> = fleet.nodes().iter().map(|node| node.id.to_string()).collect();
        // Wide fleets in few executions: else a few seeds in a hundred take half of the time.
        let counts = [(83, 1), (10, 2), (4, 3), (2, 4), (1, 5)];
        let count = if nodes > WIDE { 1 } else { dice.weighted(&counts) };
        let steps_max = if nodes > WIDE { 3 } else { 6 };
        let executions: Vec<_> =
            (0..count).map(|at| PlannedExecution::drawn(at, &ids, steps_max, &mut dice)).collect();
        // Three looks for a command take three minutes and a half.
        let storm_s = if dice.hits(0.25) { dice.between(240, 900) } else { dice.mostly_small(60, 900) };
        let storm = Duration::from_secs(storm_s);
        let mut acts = others(&ids, storm, &mut dice);
        for at in 0..executions.len() {
            acts.extend(life(at, storm, &mut dice));
        }
        acts.sort_by_key(|act| act.after);
        let (ssm, lag) = ssm(&mut dice);
        Self {
            fleet,
            ssm,
            lags_for_long: lag > SEEN_IN_TIME,
            index_lag: dice.weighted(&[
                (60, None),
                (20, Some(Span::millis(10, 2000))),
                (15, Some(Span::seconds(1, 60))),
                (5, Some(Span::seconds(60, 300))),
            ]),
            invocation_events: dice.hits(0.3),
            announce: dice.hits(0.4),
            executions,
            acts,
            storm,
            replay_after_days: dice.weighted(&[(90, None), (8, Some(3)), (2, Some(RETENTION_DAYS + 2))]),
        }
    }
}

impl Workload {
    /// A small one that is always the same.
    pub(crate) fn canonical(which: Canonical) -> Self {
        let fleet = fleet::canonical(which == Canonical::Failure);
        let execution = PlannedExecution {
            runbook: runbook::canonical(which == Canonical::Failure),
            nodes: fleet.nodes().iter().map(|node| node.id.to_string()).collect(),
            client_token: CLIENT_TOKEN.to_owned(),
        };
        let mut acts = vec![Act { after: Duration::ZERO, what: Deed::Start(0) }];
        if which == Canonical::Stopped {
            acts.push(Act { after: Duration::from_secs(6), what: Deed::Stop(0, "Cancel") });
        }
        Self {
            fleet,
            ssm: SsmOptions::default(),
            lags_for_long: false,
            index_lag: None,
            invocation_events: false,
            announce: true,
            executions: vec![execution],
            acts,
            storm: Duration::from_secs(10),
            replay_after_days: None,
        }
    }
}

impl PlannedExecution {
    fn drawn(at: usize, ids: &[String], steps_max: u64, dice: &mut Dice) -> Self {
        let runbook = runbook::drawn(steps_max, dice);
        let all = dice.hits(0.7);
        let nodes = ids.iter().filter(|_| all || dice.hits(0.5)).cloned().collect();
        let client_token = format!("{}{at:012x}", &CLIENT_TOKEN[..24]);
        Self { runbook, nodes, client_token }
    }
}

/// What is done with one execution.
fn life(at: usize, storm: Duration, dice: &mut Dice) -> Vec<Act> {
    let within = |dice: &mut Dice, longest| dice.duration(Duration::ZERO, longest);
    let begin = if at == 0 { Duration::ZERO } else { within(dice, storm / 2) };
    let mut acts = vec![Act { after: begin, what: Deed::Start(at) }];
    if dice.hits(0.2) {
        acts.push(Act { after: begin + within(dice, Duration::from_secs(30)), what: Deed::Start(at) });
    }
    if dice.hits(0.35) {
        // Often just when something is about to happen.
        let longest = *dice.of(&[Duration::from_secs(4), Duration::from_secs(40), storm * 2]);
        let kind = if dice.hits(0.75) { "Cancel" } else { "Complete" };
        let after = begin + within(dice, longest);
        let longest = Duration::from_secs(*dice.of(&[1, 6, 20]));
        let moment = within(dice, longest);
        acts.push(match dice.between(0, 4) {
            0..=2 => Act { after: begin, what: Deed::StopAtSend(at, kind, dice.mostly_small(1, 4), moment) },
            _ => Act { after, what: Deed::Stop(at, kind) },
        });
        if dice.hits(0.3) {
            acts.push(Act {
                after: after + within(dice, Duration::from_secs(90)),
                what: Deed::Stop(at, kind),
            });
        }
    }
    for _ in 0..dice.between(0, 3) {
        let signal = *dice.of(&["Approve", "Approve", "Resume", "Resume", "Reject"]);
        acts.push(Act { after: begin + within(dice, storm * 2), what: Deed::Signal(at, signal) });
    }
    acts
}

/// What happens beside the executions.
fn others(ids: &[String], storm: Duration, dice: &mut Dice) -> Vec<Act> {
    let mut acts = Vec::new();
    if !ids.is_empty() && dice.hits(0.12) {
        let nodes = ids.iter().take(5).cloned().collect();
        acts.push(Act { after: dice.duration(Duration::ZERO, storm), what: Deed::Send(nodes) });
    }
    if dice.hits(0.1) {
        for _ in 0..dice.mostly_small(1, 12) {
            let queue = *dice.of(&["facts", "prompt"]);
            let after = dice.duration(Duration::ZERO, storm);
            acts.push(Act { after, what: Deed::Poison(queue, POISON[dice.index(POISON.len())]) });
        }
    }
    if dice.hits(0.1) {
        let after = dice.duration(Duration::ZERO, storm * 2);
        acts.push(Act { after, what: Deed::Contradict });
    }
    if dice.hits(0.6) {
        // Hardly any run has such a write.
        let kind = if dice.hits(0.75) { "Cancel" } else { "Complete" };
        acts.push(Act { after: Duration::ZERO, what: Deed::StopAtTry(kind, dice.index(3)) });
    }
    if dice.hits(0.3) {
        // As often as not before the first is sent.
        let seconds = if dice.hits(0.5) { dice.between(181, 2400) } else { dice.between(1, 170) };
        let after = if dice.hits(0.5) { Duration::ZERO } else { dice.duration(Duration::ZERO, storm) };
        let is_answered = dice.hits(0.3);
        acts.insert(0, Act { after, what: Deed::Hide(Duration::from_secs(seconds), is_answered) });
    }
    acts
}

/// How SSM behaves, and how late it shows what happened at the latest.
fn ssm(dice: &mut Dice) -> (SsmOptions, Duration) {
    let mut ssm = SsmOptions::default();
    let lag_s = dice.weighted(&[(60, 0), (22, 15), (14, 60), (3, 150), (1, 900)]);
    if lag_s > 0 {
        ssm.read_lag = Span::seconds(0, lag_s);
    }
    ssm.event_loss = dice.rate();
    ssm.event_duplication = dice.rate();
    ssm.event_lag =
        dice.weighted(&[(80, ssm.event_lag), (15, Span::seconds(0, 30)), (5, Span::seconds(0, 600))]);
    ssm.cancelled_hides_unstarted = dice.hits(0.3);
    ssm.cancel_ineffective = dice.rate();
    ssm.undeliverable_runs_anyway = if dice.hits(0.5) { 0.5 } else { 0.0 };
    ssm.delivery_timed_out_runs_anyway = if dice.hits(0.5) { 0.5 } else { 0.0 };
    ssm.undelivered_ends_at_timeout_seconds = dice.hits(0.5);
    ssm.notifications.unstarted = dice.hits(0.7);
    ssm.notifications.details_in_events = dice.hits(0.3);
    (ssm, Duration::from_secs(u64::try_from(lag_s).unwrap_or(0)))
}

impl Workload {
    /// What is special about it.
    pub(crate) fn sometimes(&self) -> crate::Sometimes {
        let mut sometimes = crate::Sometimes::default();
        let mut note = |is_so: bool, what| {
            if is_so {
                sometimes.count(what);
            }
        };
        note(self.fleet.nodes().is_empty(), "workload: no nodes");
        note(self.fleet.nodes().len() > 150, "workload: more than 150 nodes");
        note(self.executions.len() > 1, "workload: several executions");
        note(self.lags_for_long, "workload: SSM lags for long");
        note(self.index_lag.is_some(), "workload: indexes lag");
        note(self.invocation_events, "workload: events of all nodes");
        note(self.replay_after_days == Some(3), "workload: everything comes again");
        note(self.replay_after_days > Some(RETENTION_DAYS), "workload: everything comes again too late");
        let has = |what: &dyn Fn(&Deed) -> bool| self.acts.iter().any(|act| what(&act.what));
        note(has(&|deed| matches!(deed, Deed::Poison(..))), "workload: poison");
        note(has(&|deed| matches!(deed, Deed::Send(_))), "workload: a command through our API");
        note(has(&|deed| matches!(deed, Deed::Contradict)), "workload: a report that is not true");
        note(has(&|deed| matches!(deed, Deed::Hide(..))), "workload: SSM hides a command");
        note(has(&|deed| matches!(deed, Deed::StopAtSend(..))), "workload: a stop at a send");
        note(has(&|deed| matches!(deed, Deed::StopAtTry(..))), "workload: a stop at a slow try");
        for (action, what) in [
            ("aws:branch", "workload: a branch"),
            ("aws:sleep", "workload: a sleep"),
            ("aws:approve", "workload: an approval"),
            ("aws:pause", "workload: a pause"),
            ("aws:loop", "workload: a loop"),
            ("FailedInstanceIds", "workload: a retry of failed nodes"),
            ("Targets", "workload: a command by tag"),
            ("onCancel", "workload: a clean-up"),
            ("maxAttempts", "workload: several attempts"),
        ] {
            note(self.executions.iter().any(|execution| execution.runbook.contains(action)), what);
        }
        sometimes
    }
}
