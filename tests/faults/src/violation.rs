//! What must never happen.

use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

/// What is held in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Invariant {
    /// Nothing of a later step is sent before the steps before it have ended.
    StepsInOrder,
    /// An intent comes before its effect, and at most one command is live for each send (G4).
    OneCommandASend,
    /// A status never goes back, what is terminal stays, unions only grow (G2, G7).
    NoWayBack,
    /// No command has more terminal nodes than it was sent to.
    NodesOfTheCommand,
    /// What was accepted is stored, or in a dead-letter queue (G1).
    NothingAcceptedIsLost,
    /// After a stop there is no further intent, but for the runbook's own clean-up (G6).
    StopMeansStop,
    /// No execution is set aside: what is stored is never inconsistent.
    Sound,
    /// Every execution ends (G3).
    EverythingEnds,
    /// The same facts again, in any order, change nothing (G2).
    RepetitionChangesNothing,
    /// Calls to AWS stay within their budget.
    WithinBudget,
    /// What is shown is what happened, node by node (G7).
    ShownIsTrue,
    /// The same seed is the same run.
    Repeatable,
    /// No function calls what it may not call, and none fails in an unforeseen way.
    Permitted,
}

/// One thing that happened and must not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// What does not hold.
    pub invariant: Invariant,
    /// When that was seen, in virtual time.
    pub at: Timestamp,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {:?}: {}", self.at, self.invariant, self.what)
    }
}
