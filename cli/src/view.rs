//! A step as people see it, wherever it runs.

use crate::snapshot::StepSight;
use fleetwright_engine::Status;
use fleetwright_fleet::{Counts, Outcome};
use fleetwright_wire::results::{self, NodeCounts, NodeOutcome};
use jiff::{SignedDuration, Timestamp};

/// A step at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepView {
    /// Its place in the order steps began.
    pub(crate) ordinal: u32,
    /// Its name.
    pub(crate) name: String,
    /// Its action.
    pub(crate) action: String,
    /// Its status in SSM's words.
    pub(crate) status: String,
    /// When it began.
    pub(crate) started_at: Timestamp,
    /// When it ended.
    pub(crate) ended_at: Option<Timestamp>,
    /// The round of the loop around it, from 1.
    pub(crate) round: Option<u64>,
    /// Which attempt it is at, from 1.
    pub(crate) attempt: u32,
    /// The step after it.
    pub(crate) next_step: Option<String>,
    /// Its nodes by outcome, as far as they ended. `None`: a step without nodes.
    pub(crate) counts: Option<Counts>,
    /// How many nodes it is for, where that is known.
    pub(crate) total: Option<u64>,
}

impl StepView {
    /// Whether the step is over.
    pub(crate) fn is_over(&self) -> bool {
        is_over(&self.status)
    }

    /// How long it took.
    pub(crate) fn took(&self) -> SignedDuration {
        self.ended_at.map(|end| end.duration_since(self.started_at)).unwrap_or_default()
    }
}

/// Whether nothing follows a status of an execution or step.
pub(crate) fn is_over(status: &str) -> bool {
    [Status::Success, Status::Failed, Status::TimedOut, Status::Cancelled]
        .iter()
        .any(|over| over.as_str() == status)
}

/// Nodes that have ended, by outcome.
pub(crate) const fn ended(counts: &NodeCounts) -> Counts {
    let NodeCounts { success, failed, timed_out, unknown, not_run, in_progress: _ } = *counts;
    Counts { success, failed, timed_out, unknown, not_run }
}

/// What became of a node, if it has ended.
pub(crate) const fn outcome(outcome: NodeOutcome) -> Option<Outcome> {
    match outcome {
        NodeOutcome::Success => Some(Outcome::Success),
        NodeOutcome::Failed => Some(Outcome::Failed),
        NodeOutcome::TimedOut => Some(Outcome::TimedOut),
        NodeOutcome::Unknown => Some(Outcome::Unknown),
        NodeOutcome::NotRun => Some(Outcome::NotRun),
        NodeOutcome::InProgress => None,
    }
}

impl From<&StepSight> for StepView {
    fn from(sight: &StepSight) -> Self {
        let step = &sight.step;
        Self {
            ordinal: step.ordinal,
            name: step.name.to_string(),
            action: step.action.clone(),
            status: step.status.as_str().to_owned(),
            started_at: step.started_at,
            ended_at: step.ended_at,
            round: step.parent.as_ref().map(|round| u64::from(round.iteration)),
            attempt: step.attempt,
            next_step: step.next_step.as_ref().map(ToString::to_string),
            counts: sight.counts,
            total: sight.total,
        }
    }
}

impl From<&results::Step> for StepView {
    fn from(step: &results::Step) -> Self {
        Self {
            ordinal: step.ordinal,
            name: step.step_name.clone(),
            action: step.action.clone(),
            status: step.status.clone(),
            started_at: step.started_at,
            ended_at: step.ended_at,
            round: step.round.as_ref().map(|round| round.iteration),
            attempt: step.attempt,
            next_step: step.next_step.clone(),
            counts: step.counts.as_ref().map(ended),
            // Until it is over only SSM knows how many nodes its Targets mean.
            total: step.counts.as_ref().map(named).filter(|_| is_over(&step.status)),
        }
    }
}

/// How many nodes are known by name: of a command by Targets that has just been sent, none.
const fn named(counts: &NodeCounts) -> u64 {
    ended(counts).total() + counts.in_progress
}
