//! What a node went through.

use super::{CLOCKS_DIFFER, CommandQuery, Page};
use crate::table::RecentKey;
use crate::{Error, Orchestrator};
use fleetwright_engine::ExecutionId;
use fleetwright_fleet::{CommandId, InvocationResult, NodeId, Outcome};
use fleetwright_wire::Command;

/// A command on a node.
#[derive(Debug, Clone)]
pub struct NodeVisit {
    /// The command.
    pub command: Command,
    /// The execution that sent it, and the ordinal of its step, if one did.
    pub owner: Option<(ExecutionId, u32)>,
    /// What it did on the node, without outputs; `None` until it is settled.
    pub invocation: Option<InvocationResult>,
    /// What became of it on the node; `None`: not over, as far as is known.
    pub outcome: Option<Outcome>,
}

impl Orchestrator {
    /// What a node went through, the newest first: its settled commands, and those of the newest that run on it.
    ///
    /// # Errors
    /// [`Error::Again`] when DynamoDB was not available.
    pub async fn node_history(
        &self,
        node: &NodeId,
        place: Option<String>,
        limit: usize,
    ) -> Result<Page<NodeVisit>, Error> {
        let query = CommandQuery {
            command: None,
            node: Some(node.clone()),
            after: self.oldest(),
            before: self.now() + CLOCKS_DIFFER,
            place,
            limit,
        };
        let start = query.start();
        let running = self.running_on(&query).await?;
        let mut stretch = self.stretch(&query, &start, &running).await?;
        let ids: Vec<CommandId> = stretch.keys.iter().map(|(_, id)| id.clone()).collect();
        let visit = |shown: super::listing::Shown| {
            let invocation = stretch.settled.remove(&shown.item.id);
            let reported = || shown.item.command.progress().outcome(node);
            NodeVisit {
                owner: shown.item.owner.as_ref().map(|owner| (owner.execution.clone(), owner.step)),
                outcome: invocation.as_ref().map_or_else(reported, |result| Some(result.outcome())),
                invocation,
                command: shown.command,
            }
        };
        let found = self.shown(&ids).await?.into_iter().map(visit).collect();
        Ok(Page { found, place: stretch.next.filter(|next| RecentKey::moment(next).is_some()) })
    }
}
