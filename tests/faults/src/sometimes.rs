//! What happened at least sometimes: a run in which nothing went wrong proves nothing.

use serde::Serialize;
use std::collections::BTreeMap;

/// How often each thing that must happen sometimes did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sometimes(BTreeMap<&'static str, u64>);

impl Sometimes {
    /// It happened.
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    /// How often it happened.
    #[must_use]
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// Each thing with how often it happened, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(what, count)| (*what, *count))
    }
}

/// What must come about in a thousand seeds: every kind of fault, every turn of a send, a step and an execution.
const MUST: [&str; 0] = [];

/// What should have come about and did not.
#[must_use]
pub fn missing(sometimes: &Sometimes) -> Vec<&'static str> {
    MUST.into_iter().filter(|what| sometimes.of(what) == 0).collect()
}
