//! What a node went through.

use super::{nodes, outcome};
use crate::{Error, NodeVisit, Orchestrator};
use fleetwright_engine::{ExecutionId, StepExecution};
use fleetwright_fleet::{InvocationResult, NodeId, Terminal};
use fleetwright_wire::Command;
use fleetwright_wire::results::{NodeCommand, NodeOutcome};
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Orchestrator {
    /// A node's commands, the newest first, and where the next page begins. The steps that sent them are read together.
    ///
    /// # Errors
    /// [`Error::Again`] when DynamoDB was not available.
    pub async fn node_commands(
        &self,
        node: &NodeId,
        place: Option<String>,
        limit: usize,
    ) -> Result<(Vec<NodeCommand>, Option<String>), Error> {
        let page = self.node_history(node, place, limit).await?;
        let mut owners: Vec<_> = page.found.iter().filter_map(|visit| visit.owner.clone()).collect();
        owners.sort_unstable();
        owners.dedup();
        let steps = self.table.steps_by_ordinal(&owners).await?;
        Ok((page.found.into_iter().map(|visit| command(visit, &steps)).collect(), page.place))
    }
}

fn command(visit: NodeVisit, steps: &BTreeMap<(ExecutionId, u32), StepExecution>) -> NodeCommand {
    let NodeVisit { command, owner, invocation, outcome: became } = visit;
    let step = owner.as_ref().and_then(|owner| steps.get(owner));
    NodeCommand {
        requested_at: requested_at(&command).unwrap_or_default(),
        command_id: command.command_id.unwrap_or_default(),
        document_name: command.document_name.unwrap_or_default(),
        step_name: step.map(|step| step.name.to_string()),
        execution_id: owner.map(|(execution, _)| execution.to_string()),
        outcome: became.map_or(NodeOutcome::InProgress, outcome),
        status_details: invocation
            .as_ref()
            .and_then(|said| said.status)
            .map(Terminal::as_str)
            .map(str::to_owned),
        response_code: invocation.as_ref().map(InvocationResult::response_code),
        duration_s: invocation.as_ref().and_then(nodes::duration),
    }
}

/// When SSM took the request.
pub(super) fn requested_at(command: &Command) -> Option<Timestamp> {
    Timestamp::from_millisecond(command.requested_date_time?.as_millis()).ok()
}
