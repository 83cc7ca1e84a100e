//! Many seeds, on every core: what they came to together.

use crate::{Play, Played, Sometimes, Violation, Wrong, play};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The thread of a function has 8 MB.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Which seeds, and how.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// The first.
    pub first_seed: u64,
    /// How many.
    pub seeds: u64,
    /// Whether each is played twice, and must come to the same.
    pub twice: bool,
    /// How each is played; its seed is not used.
    pub how: Play,
    /// Threads.
    pub threads: usize,
}

/// A seed in which something happened that must not.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The seed.
    pub seed: u64,
    /// What, in order.
    pub violations: Vec<Violation>,
}

/// What many seeds came to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Found {
    /// Seeds that were played.
    pub seeds: u64,
    /// Seeds in which something happened that must not.
    pub violations: u64,
    /// Executions that were started.
    pub executions: u64,
    /// Messages and events that were delivered.
    pub events: u64,
    /// Commands that SSM accepted.
    pub commands: u64,
    /// Those beyond the first of a send: SSM had hidden the first for longer than anybody waits.
    pub duplicate_commands: u64,
    /// Function invocations that died.
    pub crashes: u64,
    /// Faults, by kind.
    pub faults: BTreeMap<String, u64>,
    /// What else happened, and is to happen sometimes.
    pub sometimes: Sometimes,
    /// Where something happened that must not, by seed.
    pub findings: Vec<Finding>,
}

impl Found {
    fn add(&mut self, seed: u64, played: Played) {
        self.seeds += 1;
        self.executions += played.executions;
        self.events += played.events;
        self.commands += played.commands;
        self.duplicate_commands += played.duplicate_commands;
        self.crashes += played.crashes;
        for (what, count) in played.sometimes.iter() {
            if let Some(fault) = what.strip_prefix("fault: ") {
                *self.faults.entry(fault.to_owned()).or_default() += count;
            }
        }
        self.sometimes.add(&played.sometimes);
        if !played.violations.is_empty() {
            self.violations += 1;
            self.findings.push(Finding { seed, violations: played.violations });
        }
    }
}

/// Plays them all.
///
/// # Panics
/// When a thread cannot be started, or dies.
#[must_use]
pub fn search(of: Search) -> Found {
    let next = AtomicU64::new(of.first_seed);
    let end = of.first_seed.saturating_add(of.seeds);
    let found = Mutex::new(Found::default());
    on_threads(of.threads, || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return;
            }
            let played = played(of, seed);
            found.lock().unwrap_or_else(PoisonError::into_inner).add(seed, played);
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.findings.sort_by_key(|finding| finding.seed);
    found
}

/// Does the same on so many threads.
pub(crate) fn on_threads(threads: usize, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        for _ in 0..threads {
            let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, &work);
            thread.expect("the system gives a thread");
        }
    });
}

/// What comes of each of these, in their order.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    threads: usize,
    of: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicU64::new(0);
    let done = Mutex::new(Vec::new());
    on_threads(threads, || {
        loop {
            let at = usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
            let Some(one) = of.get(at) else { return };
            let result = work(one);
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

fn played(of: Search, seed: u64) -> Played {
    let how = Play { seed, ..of.how };
    let mut played = play(how);
    if of.twice {
        let again = play(how);
        if again.trace_hash != played.trace_hash {
            let what = format!("played twice: {:016x} and {:016x}", played.trace_hash, again.trace_hash);
            played.violations.push(Violation {
                invariant: crate::Invariant::Repeatable,
                at: fleetwright_local::clock::START,
                what,
            });
        }
    }
    played
}

/// How many chances for something to go wrong a seed needs to show what it shows: the shortest prefix of its faults that
/// still does. A run of fewer may show something again; of all prefixes that were tried, this is the shortest.
#[must_use]
pub fn shortest_prefix(how: Play) -> u64 {
    let shows = |chances| !play(Play { wrong: Wrong::Drawn(chances), ..how }).violations.is_empty();
    if shows(0) {
        return 0;
    }
    let (mut calm, mut bad) = (0, play(how).chances);
    while bad - calm > 1 {
        let middle = calm + (bad - calm) / 2;
        if shows(middle) {
            bad = middle;
        } else {
            calm = middle;
        }
    }
    bad
}
