//! Bugs that are planted to be found: a search that finds none of them would find nothing.

use crate::search::on_threads;
use crate::{Play, play};
use fleetwright_orchestrator::planted::{Bug, plant};
use std::sync::atomic::{AtomicU64, Ordering};

/// How a planted bug was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundAt {
    /// The first seed that shows it; which one depends on the threads by a few.
    pub seed: u64,
    /// Whether the same seed shows nothing without it, so that it is the bug that was found.
    pub is_the_bug: bool,
}

/// Looks for a planted bug in so many seeds.
#[must_use]
pub fn found_at(bug: Bug, seeds: u64, threads: usize) -> Option<FoundAt> {
    let (next, found) = (AtomicU64::new(1), AtomicU64::new(u64::MAX));
    on_threads(threads, || {
        plant(Some(bug));
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > seeds.min(found.load(Ordering::Relaxed)) {
                break;
            }
            if !play(Play::seeded(seed)).violations.is_empty() {
                found.fetch_min(seed, Ordering::Relaxed);
            }
        }
        plant(None);
    });
    let seed = Some(found.into_inner()).filter(|seed| *seed <= seeds)?;
    Some(FoundAt { seed, is_the_bug: play(Play::seeded(seed)).violations.is_empty() })
}
