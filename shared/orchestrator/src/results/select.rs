//! Which steps and nodes are asked for.

use crate::table::{Overview, StepRow};
use crate::{Error, Orchestrator};
use fleetwright_engine::{ExecutionId, Work};
use fleetwright_fleet::Terminal;
use fleetwright_wire::results::{NodeCounts, NodeOutcome, NodeResult};
use std::str::FromStr;

/// Which steps are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepChoice {
    /// The one of this ordinal.
    Ordinal(u32),
    /// All of this name: a loop runs a step many times.
    Name(String),
}

impl From<&str> for StepChoice {
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Ordinal)
    }
}

/// Which nodes are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusChoice {
    /// Those that are over, and not well.
    NotSuccess,
    /// Those of an outcome.
    Outcome(NodeOutcome),
    /// Those of which SSM said this.
    Details(Terminal),
}

/// Outcomes, the worst first.
pub(super) const WORST_FIRST: [NodeOutcome; 6] = [
    NodeOutcome::Failed,
    NodeOutcome::TimedOut,
    NodeOutcome::Unknown,
    NodeOutcome::NotRun,
    NodeOutcome::InProgress,
    NodeOutcome::Success,
];

/// A word that is no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no status of nodes")]
pub struct NoStatus;

impl FromStr for StatusChoice {
    type Err = NoStatus;
    fn from_str(text: &str) -> Result<Self, NoStatus> {
        if text == "NotSuccess" {
            return Ok(Self::NotSuccess);
        }
        if let Some(outcome) = WORST_FIRST.iter().find(|outcome| format!("{outcome:?}") == text) {
            return Ok(Self::Outcome(*outcome));
        }
        let details = Terminal::ALL.iter().find(|status| status.as_str() == text);
        details.map(|status| Self::Details(*status)).ok_or(NoStatus)
    }
}

impl StatusChoice {
    pub(super) fn covers(self, node: &NodeResult) -> bool {
        match self {
            Self::NotSuccess => !matches!(node.outcome, NodeOutcome::Success | NodeOutcome::InProgress),
            Self::Outcome(outcome) => node.outcome == outcome,
            Self::Details(status) => node.status_details.as_deref() == Some(status.as_str()),
        }
    }

    /// Whether there can be a node of it in a step of these counts.
    const fn may_be_in(self, counts: &NodeCounts) -> bool {
        let count = match self {
            Self::NotSuccess => counts.failed + counts.timed_out + counts.unknown + counts.not_run,
            Self::Outcome(NodeOutcome::Success) => counts.success,
            Self::Outcome(NodeOutcome::Failed) => counts.failed,
            Self::Outcome(NodeOutcome::TimedOut) => counts.timed_out,
            Self::Outcome(NodeOutcome::Unknown) => counts.unknown,
            Self::Outcome(NodeOutcome::NotRun) => counts.not_run,
            Self::Outcome(NodeOutcome::InProgress) => counts.in_progress,
            Self::Details(_) => 1,
        };
        count > 0
    }
}

/// Whether any of them covers a node; none at all covers every node.
pub(super) fn covered(statuses: &[StatusChoice], node: &NodeResult) -> bool {
    statuses.is_empty() || statuses.iter().any(|status| status.covers(node))
}

/// Whether nodes of a step have to be read to know whether any is covered. What a closed step was closed with tells it,
/// unless SSM has said something else since.
pub(super) fn has_to_be_read(row: &StepRow, statuses: &[StatusChoice]) -> bool {
    match (&row.step.work, &row.step.counts) {
        (Some(Work::Fleet(_)), _) => true,
        (None, Some(closed)) => {
            let counts = super::counts(closed, 0);
            let may_be = statuses.iter().any(|status| status.may_be_in(&counts));
            let may_be = closed.total() > 0 && (statuses.is_empty() || may_be);
            may_be || !row.contradicted_by.is_empty()
        }
        (Some(Work::Sleep { .. } | Work::Pause | Work::Approval(_) | Work::Answered), _) | (None, None) => {
            false
        }
    }
}

impl Orchestrator {
    /// The steps that are asked for, from an ordinal on; those of no name at most `window` at once.
    pub(super) async fn select(
        &self,
        id: &ExecutionId,
        choice: Option<&StepChoice>,
        from: u32,
        window: u32,
    ) -> Result<Overview, Error> {
        let mut overview = match choice {
            None => {
                self.overview(id, |begun| from.min(begun)..begun.min(from.saturating_add(window))).await?
            }
            Some(StepChoice::Ordinal(ordinal)) => {
                let (first, end) = (*ordinal, ordinal.saturating_add(1));
                self.overview(id, move |begun| first.min(begun)..end.min(begun)).await?
            }
            Some(StepChoice::Name(_)) => self.overview(id, |begun| 0..begun).await?,
        };
        if let Some(StepChoice::Name(name)) = choice {
            overview.steps.retain(|row| row.step.name.as_str() == name);
        }
        match choice {
            Some(choice) if overview.steps.is_empty() => Err(no_step(choice)),
            Some(_) | None => {
                overview.steps.retain(|row| row.step.ordinal >= from);
                Ok(overview)
            }
        }
    }
}

fn no_step(choice: &StepChoice) -> Error {
    let wanted = match choice {
        StepChoice::Ordinal(ordinal) => format!("of the ordinal {ordinal}"),
        StepChoice::Name(name) => name.clone(),
    };
    refused(format!("step: the execution has begun no step {wanted}"))
}

/// A parameter that the caller has to change; the message begins with its name.
pub(super) fn refused(message: String) -> Error {
    Error::Refused { code: "ValidationException".to_owned(), message }
}
