//! What the results API answers, read with bounded effort: by execution, step, command and node.

mod command;
mod groups;
mod history;
mod nodes;
mod numbers;
mod page;
mod select;
mod steps;
mod timeline;

pub use groups::{GroupPlace, GroupsQuery};
pub use nodes::NodesQuery;
pub use page::NodePlace;
pub use select::{NoStatus, StatusChoice, StepChoice};

use crate::ExecutionView;
use fleetwright_engine::{ParentStep, Phase};
use fleetwright_fleet::{Counts, Outcome};
use fleetwright_runbook::into_texts;
use fleetwright_wire::results;
use fleetwright_wire::results::{NodeCounts, NodeOutcome, Round};

impl ExecutionView {
    /// As the results API shows it.
    #[must_use]
    pub fn result(&self) -> results::Execution {
        let execution = &self.execution;
        let (ending, ended_at) = match &execution.phase {
            Phase::Ended { ending, at } => (Some(ending), Some(*at)),
            Phase::Ending(ending) => (Some(ending), None),
            Phase::At(_) | Phase::In(_) => (None, None),
        };
        let at_its_end = ending.and_then(|ending| ending.warning.clone());
        results::Execution {
            execution_id: execution.id.to_string(),
            document_name: execution.document.name.clone(),
            document_version: execution.document.version.clone(),
            status: execution.status().as_str().to_owned(),
            started_at: execution.started_at,
            ended_at,
            executed_by: execution.executed_by.clone(),
            current_step: execution.open_step().map(|step| step.name.to_string()),
            failure_message: ending.and_then(|ending| ending.failure_message.clone()),
            parked: self.parked.clone(),
            warnings: self.warnings.iter().cloned().chain(at_its_end).collect(),
        }
    }

    /// As the results API shows it, with what went in and came out.
    #[must_use]
    pub fn result_detail(&self) -> results::ExecutionDetail {
        let parameters = self.execution.parameters.iter();
        results::ExecutionDetail {
            execution: self.result(),
            parameters: parameters.map(|(name, value)| (name.clone(), into_texts(value.clone()))).collect(),
            outputs: self.outputs.clone(),
        }
    }
}

fn round(parent: &ParentStep) -> Round {
    Round {
        step_name: parent.name.to_string(),
        iteration: u64::from(parent.iteration),
        value: parent.iterator_value.clone().map(|value| into_texts(value).join(",")),
    }
}

const fn outcome(outcome: Outcome) -> NodeOutcome {
    match outcome {
        Outcome::Success => NodeOutcome::Success,
        Outcome::NotRun => NodeOutcome::NotRun,
        Outcome::Unknown => NodeOutcome::Unknown,
        Outcome::TimedOut => NodeOutcome::TimedOut,
        Outcome::Failed => NodeOutcome::Failed,
    }
}

const fn counts(counts: &Counts, in_progress: u64) -> NodeCounts {
    NodeCounts {
        success: counts.success,
        failed: counts.failed,
        timed_out: counts.timed_out,
        unknown: counts.unknown,
        not_run: counts.not_run,
        in_progress,
    }
}
