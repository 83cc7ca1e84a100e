//! Whatever a runbook says and whatever happens to it, its execution ends, and nothing happens to it after.

mod common;
#[path = "executions_end/writer.rs"]
mod writer;

use common::{Shell, node, request};
use fleetwright_engine::{
    AnswerStatus, Decision, Execution, Phase, Refusal, Rejection, SendState, Signal, Start, StopType, Work,
};
use fleetwright_fleet::Terminal;
use fleetwright_runbook::{Action, Runbook, parse};
use jiff::SignedDuration;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use writer::{Choices, DEPTH_MAX, Writer};

/// What happens to an execution, by chance.
struct Chance {
    shell: Shell,
    choices: Choices,
}

impl Chance {
    fn new(runbook: Runbook, mut choices: Choices) -> Self {
        let mut answered = BTreeSet::new();
        for step in runbook.all_steps() {
            if matches!(step.action, Action::Other(_)) || choices.one_in(4) {
                answered.insert(step.name.clone());
            }
        }
        let ids = (0..choices.below(4)).map(node).collect();
        let parameters = BTreeMap::from([("Ids".to_owned(), ids)]);
        Self { shell: Shell::of(runbook, Start { parameters, answered, ..request() }), choices }
    }

    /// One thing that happens; false once there is nothing left to happen.
    fn happens(&mut self) -> bool {
        match self.choices.below(160) {
            0..=151 => {}
            152..=154 => drop(expected(self.signal())),
            155..=157 => drop(expected(self.answer())),
            _ => {
                let kind = [StopType::Cancel, StopType::Complete][self.choices.below(2)];
                drop(expected(self.shell.stop(kind)));
            }
        }
        let decision = match self.shell.look() {
            Ok(decision) => decision,
            Err(Rejection::Stale(_)) => return false,
            Err(other) => panic!("{other:?}"),
        };
        let stored = serde_json::to_string(&decision.execution.head()).expect("is stored");
        let read: Execution = serde_json::from_str(&stored).expect("is read");
        let pending = decision.execution.pending.clone();
        assert_eq!(Execution { pending, ..read }, decision.execution.head());
        for send in &decision.planned {
            if self.choices.one_in(12) {
                let (code, message) = ("AccessDenied".to_owned(), "no".to_owned());
                self.shell.set_state(send, SendState::Refused(Refusal::Rejected { code, message }));
            } else {
                let ends = [
                    Terminal::Success,
                    Terminal::Failed,
                    Terminal::ExecutionTimedOut,
                    Terminal::Undeliverable,
                ];
                let end = ends[self.choices.below(12).saturating_sub(8)];
                self.shell.finish(send, |_| (end, 0));
            }
        }
        // What was decided is performed at once.
        self.shell.execution.pending.clear();
        if decision.planned.is_empty() && !decision.again {
            self.time_passes(&decision);
        }
        true
    }

    /// Somebody has a word for what waits, or time passes. After a word that was not taken there is mostly another.
    fn time_passes(&mut self, decision: &Decision) {
        let work = self.shell.execution.open_step().and_then(|step| step.work.clone());
        let said = match work {
            Some(Work::Answered | Work::Pause | Work::Approval(_)) if self.choices.one_in(40) => None,
            Some(Work::Answered) => Some(self.answer()),
            Some(Work::Pause) => Some(self.says(Signal::Resume)),
            Some(Work::Approval(_)) => {
                let signals = [Signal::Approve, Signal::Approve, Signal::Approve, Signal::Reject];
                let signal = signals[self.choices.below(4)];
                Some(self.says(signal))
            }
            Some(Work::Sleep { .. } | Work::Fleet(_)) | None => None,
        };
        let waits = match said {
            None => true,
            Some(said) => expected(said).is_none() && self.choices.below(4) == 0,
        };
        if let Some(due) = decision.due
            && waits
        {
            self.shell.now = self.shell.now.max(due);
        }
    }

    fn signal(&mut self) -> Result<Decision, Rejection> {
        let signals = [Signal::Resume, Signal::Approve, Signal::Reject, Signal::StopStep];
        let signal = signals[self.choices.below(7) % 4];
        self.says(signal)
    }

    fn says(&mut self, signal: Signal) -> Result<Decision, Rejection> {
        let caller = ["alice", "bob", "mallory"][self.choices.below(3)];
        self.shell.signal(signal, &format!("arn:aws:iam::123456789012:user/{caller}"), &[])
    }

    fn answer(&mut self) -> Result<Decision, Rejection> {
        let statuses = [AnswerStatus::Success, AnswerStatus::Failed, AnswerStatus::TimedOut];
        let status = statuses[self.choices.below(12).saturating_sub(9)];
        if self.shell.execution.open_step().is_none() {
            return Err(Rejection::Stale("nothing is open"));
        }
        let mut answer = self.shell.reply(status);
        let nodes: Vec<String> = (0..self.choices.below(4)).map(node).collect();
        match self.choices.below(12) {
            0..=7 => answer.response = Some(json!({ "Id": "blue", "Nodes": nodes })),
            8 => answer.response = Some(json!({ "Id": 7, "Nodes": "none" })),
            9 => {}
            _ => {
                let outputs = [("Id", json!("red")), ("SuccessInstanceIds", json!(nodes))];
                answer.outputs = outputs.map(|(name, value)| (name.to_owned(), value)).into();
            }
        }
        if self.choices.one_in(16) {
            answer.attempt += 1;
        }
        self.shell.answer(&answer)
    }
}

/// A rejection is fine unless it is our own mistake.
fn expected(result: Result<Decision, Rejection>) -> Option<Decision> {
    match result {
        Ok(decision) => Some(decision),
        Err(Rejection::Stale(_) | Rejection::Refused { .. }) => None,
        Err(other @ (Rejection::Needs(_) | Rejection::Illegal(_))) => panic!("{other:?}"),
    }
}

fn assert_over(shell: &mut Shell) {
    assert!(matches!(shell.execution.phase, Phase::Ended { .. }), "{:?}", shell.execution.phase);
    let ordinals: BTreeSet<u32> = shell.closed.iter().map(|step| step.ordinal).collect();
    assert_eq!(ordinals.len(), shell.closed.len(), "each step closes once");
    assert_eq!(
        ordinals.len(),
        usize::try_from(shell.execution.steps_begun).expect("fits"),
        "each step closes"
    );
    assert!(shell.begun.iter().all(|step| ordinals.contains(&step.ordinal)), "each loop closes");
    assert!(shell.closed.iter().all(|step| step.status.is_terminal() && step.work.is_none()));
    let before = shell.execution.clone();
    shell.now += SignedDuration::from_hours(1);
    assert!(matches!(shell.look(), Err(Rejection::Stale(_))));
    assert!(matches!(shell.stop(StopType::Cancel), Err(Rejection::Refused { .. })));
    assert!(matches!(shell.signal(Signal::Resume, "me", &[]), Err(Rejection::Refused { .. })));
    assert_eq!(shell.execution, before);
}

/// What the executions came to, all together.
#[derive(Default, Debug)]
struct Tally {
    /// Runbooks that were valid, and so were executed.
    valid: u32,
    /// What was wrong with the last that was not valid.
    wrong: String,
    steps: usize,
    /// Steps by the number of loops around them.
    by_depth: [usize; DEPTH_MAX + 1],
    /// Executions by their end.
    ends: BTreeMap<&'static str, u32>,
}

impl Tally {
    fn count(&mut self, shell: &Shell) {
        let loops: BTreeMap<u32, Option<u32>> = shell
            .closed
            .iter()
            .map(|step| (step.ordinal, step.parent.as_ref().map(|parent| parent.ordinal)))
            .collect();
        for step in &shell.closed {
            let around = |ordinal: &u32| loops[ordinal];
            let depth = std::iter::successors(around(&step.ordinal), around).count();
            self.by_depth[depth] += 1;
        }
        self.steps += shell.closed.len();
        *self.ends.entry(shell.ended().0).or_default() += 1;
    }
}

#[test]
fn every_execution_ends_and_stays_as_it_ended() {
    const CASES: u32 = 1_000;
    const LOOKS_MAX: usize = 10_000;
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let numbers = || proptest::collection::vec(proptest::num::u16::ANY, 100..800);
    let tally = std::cell::RefCell::new(Tally::default());
    TestRunner::new_with_rng(config, rng)
        .run(&(numbers(), numbers()), |(text, events)| {
            let text = Writer::write(Choices::new(text));
            let mut tally = tally.borrow_mut();
            let runbook = match parse(&text) {
                Ok(runbook) => runbook,
                Err(wrong) => {
                    tally.wrong = format!("{wrong:?}\n{text}");
                    return Ok(());
                }
            };
            tally.valid += 1;
            let mut chance = Chance::new(runbook, Choices::new(events));
            let happened = (0..LOOKS_MAX).take_while(|_| chance.happens()).count();
            assert!(happened < LOOKS_MAX, "it does not end: {:?}\n{text}", chance.shell.execution.phase);
            assert_over(&mut chance.shell);
            tally.count(&chance.shell);
            Ok(())
        })
        .unwrap_or_else(|wrong| panic!("{wrong}"));
    // Runbooks that are refused, and executions that are over before they got anywhere, would show nothing.
    let tally = tally.into_inner();
    assert!(tally.valid * 100 >= CASES * 95, "{} of {CASES} were valid: {}", tally.valid, tally.wrong);
    assert!(tally.steps >= 10_000, "{tally:?}");
    assert!(
        tally.by_depth.iter().zip([4_000, 3_000, 2_000]).all(|(steps, least)| *steps >= least),
        "{tally:?}"
    );
    for end in ["Success", "Failed", "TimedOut", "Cancelled"] {
        assert!(tally.ends.get(end).is_some_and(|count| *count >= 30), "{end}: {tally:?}");
    }
}
