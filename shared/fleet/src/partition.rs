//! The targets of a step, by outcome.

use crate::{NodeId, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How many targets had which outcome. The five add up to the targets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Counts {
    /// Ran, and ended well.
    pub success: u64,
    /// Ran, and ended badly.
    pub failed: u64,
    /// Ran into the execution timeout.
    pub timed_out: u64,
    /// May have run.
    pub unknown: u64,
    /// Never started.
    pub not_run: u64,
}

impl Counts {
    /// All targets.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.success + self.failed + self.timed_out + self.unknown + self.not_run
    }

    /// The targets that are not Success.
    #[must_use]
    pub const fn not_success(&self) -> u64 {
        self.total() - self.success
    }

    /// What MaxErrors counts: Failed and ExecutionTimedOut (SSM API reference, Command.ErrorCount).
    #[must_use]
    pub const fn errors(&self) -> u64 {
        self.failed + self.timed_out
    }

    /// Whole per cent of the targets that succeeded, rounded down; of no targets at all, 100.
    #[must_use]
    pub const fn success_percentage(&self) -> u64 {
        match self.total() {
            0 => 100,
            total => self.success * 100 / total,
        }
    }

    /// The count of one outcome.
    #[must_use]
    pub const fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Success => self.success,
            Outcome::NotRun => self.not_run,
            Outcome::Unknown => self.unknown,
            Outcome::TimedOut => self.timed_out,
            Outcome::Failed => self.failed,
        }
    }

    const fn of_mut(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Success => &mut self.success,
            Outcome::NotRun => &mut self.not_run,
            Outcome::Unknown => &mut self.unknown,
            Outcome::TimedOut => &mut self.timed_out,
            Outcome::Failed => &mut self.failed,
        }
    }
}

/// Every target with its outcome, and how many more SSM counted without ever naming them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partition {
    nodes: BTreeMap<NodeId, Outcome>,
    unnamed_unknown: u64,
}

impl Partition {
    /// Sets a node's outcome.
    pub fn set(&mut self, node: NodeId, outcome: Outcome) {
        self.nodes.insert(node, outcome);
    }

    /// Counts targets that SSM counted and never named: they may have run.
    pub const fn add_unnamed(&mut self, count: u64) {
        self.unnamed_unknown += count;
    }

    /// Adds the targets of another command of the same step.
    pub fn add(&mut self, other: Self) {
        self.nodes.extend(other.nodes);
        self.unnamed_unknown += other.unnamed_unknown;
    }

    /// The outcome of a node.
    #[must_use]
    pub fn outcome(&self, node: &NodeId) -> Option<Outcome> {
        self.nodes.get(node).copied()
    }

    /// The nodes of an outcome, in the order of their ids.
    pub fn nodes(&self, outcome: Outcome) -> impl Iterator<Item = &NodeId> {
        self.nodes.iter().filter(move |(_, of)| **of == outcome).map(|(node, _)| node)
    }

    /// All named nodes.
    #[must_use]
    pub fn all(&self) -> BTreeSet<&NodeId> {
        self.nodes.keys().collect()
    }

    /// The sizes of the classes.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts { unknown: self.unnamed_unknown, ..Counts::default() };
        for outcome in self.nodes.values() {
            *counts.of_mut(*outcome) += 1;
        }
        counts
    }
}
