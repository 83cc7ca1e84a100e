//! Deaths at every call of small runs that are always the same: one by one, and in pairs.

use crate::search::in_parallel;
use crate::{Canonical, Death, Play, Violation, Work, Wrong, play};
use serde::Serialize;

/// The runs.
const RUNS: [Canonical; 3] = [Canonical::TwoSteps, Canonical::Failure, Canonical::Stopped];

/// What deaths at every call came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Deaths {
    /// Runs with one death, and with two.
    pub single: u64,
    /// Runs with two.
    pub pairs: u64,
    /// What must not happen and did, with where somebody died.
    pub findings: Vec<(String, Vec<Violation>)>,
}

/// Dies before and after every call that changes something; with `pairs` also at every later call of each of these runs,
/// those of the recovery included.
#[must_use]
pub fn deaths(pairs: bool, threads: usize) -> Deaths {
    let mut firsts = Vec::new();
    for run in RUNS {
        let calm = play(how(run, [None; 2]));
        assert!(calm.violations.is_empty(), "the calm run of {run:?}: {:#?}", calm.violations);
        firsts.extend((1..=calm.changes).flat_map(|call| both(call).map(|death| (run, death))));
    }
    let results = in_parallel(threads, &firsts, |(run, first)| {
        let mut found = Deaths::default();
        let changes = found.die(*run, [Some(*first), None]);
        if pairs {
            for second in (first.call + 1..=changes).flat_map(both) {
                found.die(*run, [Some(*first), Some(second)]);
            }
        }
        found
    });
    let mut all = Deaths::default();
    for one in results {
        all.single += one.single;
        all.pairs += one.pairs;
        all.findings.extend(one.findings);
    }
    all
}

impl Deaths {
    /// Plays a run with these deaths; how many calls changed something.
    fn die(&mut self, run: Canonical, at: [Option<Death>; 2]) -> u64 {
        let played = play(how(run, at));
        if at[1].is_none() {
            self.single += 1;
        } else {
            self.pairs += 1;
        }
        if !played.violations.is_empty() {
            self.findings.push((format!("{run:?}, {at:?}"), played.violations));
        }
        played.changes
    }
}

fn both(call: u64) -> [Death; 2] {
    [Death { call, after: false }, Death { call, after: true }]
}

fn how(run: Canonical, deaths: [Option<Death>; 2]) -> Play {
    Play { work: Work::Canonical(run), wrong: Wrong::Deaths(deaths), ..Play::seeded(1) }
}
