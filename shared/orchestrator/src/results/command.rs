//! A command in numbers.

use super::counts;
use super::nodes::is_whole;
use crate::table::RecentKey;
use crate::{Error, Orchestrator};
use fleetwright_fleet::CommandId;
use fleetwright_wire::results::CommandSummary;

impl Orchestrator {
    /// A command in numbers. Of a settled one its result items are read, 500 nodes in each; of one by Targets that is not,
    /// its 64 chunks: never an item per node.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such command.
    pub async fn command_summary(&self, id: &CommandId) -> Result<CommandSummary, Error> {
        let Some(shown) = self.shown(std::slice::from_ref(id)).await?.pop() else {
            return Err(Error::Refused {
                code: "InvalidCommandId".to_owned(),
                message: format!("there is no command {id}"),
            });
        };
        let (mut item, command) = (shown.item, shown.command);
        let asked = item.command.asked_count();
        let (so_far, targets) = match item.command.settled.clone() {
            None => (item.command.progress().counts(), asked),
            Some(mark) => {
                let settlement = self.table.settlements(&[(id.clone(), mark)]).await?.remove(id);
                let whole = settlement.as_ref().is_some_and(|settlement| is_whole(&item, settlement));
                if !whole && item.chunked {
                    // What the settle left open, reports fill in.
                    item = self.table.whole_command(id).await?.unwrap_or(item);
                }
                let counts = item.command.partition(settlement.as_ref()).counts();
                (counts, Some(counts.total()))
            }
        };
        let step_name = match &item.owner {
            None => None,
            Some(owner) => {
                let at = (owner.execution.clone(), owner.step);
                let step = self.table.steps_by_ordinal(std::slice::from_ref(&at)).await?.remove(&at);
                step.map(|step| step.name.to_string())
            }
        };
        let place = item.place.as_deref().and_then(RecentKey::moment);
        let requested_at = place.or_else(|| super::history::requested_at(&command));
        Ok(CommandSummary {
            command_id: id.to_string(),
            document_name: command.document_name.unwrap_or_default(),
            status: command.status.unwrap_or_default(),
            status_details: command.status_details.unwrap_or_default(),
            requested_at: requested_at.unwrap_or_default(),
            settled: item.command.settled.is_some(),
            execution_id: item.owner.as_ref().map(|owner| owner.execution.to_string()),
            step_name,
            targets,
            counts: counts(&so_far, targets.unwrap_or(0).saturating_sub(so_far.total())),
        })
    }
}
