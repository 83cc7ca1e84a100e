//! Steps in numbers.

use super::{counts, round};
use crate::stop::no_execution;
use crate::table::{CommandItem, Overview, SendItem};
use crate::{Error, Orchestrator};
use fleetwright_engine::{ExecutionId, FleetWork, SendEnd, StepExecution, Targets, Work};
use fleetwright_fleet::{CommandId, Partition};
use fleetwright_wire::results::{NodeCounts, StepSummary, Summary};
use std::collections::BTreeMap;
use std::ops::Range;

/// How many nodes a step is for, where that is known, and what became of them so far.
#[derive(Debug, Clone)]
pub(super) struct Numbers {
    pub(super) targets: Option<u64>,
    pub(super) counts: NodeCounts,
}

impl Orchestrator {
    /// The steps of an execution that have nodes, in numbers. Reads the execution, its steps, and of the one that runs its
    /// sends and commands; of no step a node.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution.
    pub async fn summary(&self, id: &ExecutionId) -> Result<Summary, Error> {
        let overview = self.overview(id, |begun| 0..begun).await?;
        let mut steps = Vec::new();
        for row in &overview.steps {
            let step = &row.step;
            if let Some(Numbers { targets, counts }) = self.numbers(step, &overview.sends).await? {
                steps.push(StepSummary {
                    ordinal: step.ordinal,
                    step_name: step.name.to_string(),
                    round: step.parent.as_ref().map(round),
                    status: step.status.as_str().to_owned(),
                    started_at: step.started_at,
                    ended_at: step.ended_at,
                    targets,
                    counts,
                });
            }
        }
        let status = overview.loaded.execution.status().as_str().to_owned();
        Ok(Summary { execution_id: id.to_string(), status, steps })
    }

    pub(super) async fn overview(
        &self,
        id: &ExecutionId,
        wanted: impl Fn(u32) -> Range<u32>,
    ) -> Result<Overview, Error> {
        self.table.overview(id, wanted, self.now()).await?.ok_or_else(|| no_execution(id))
    }

    /// A step in numbers; `None`: it has no nodes. Of a closed step what it was closed with, without a read.
    pub(super) async fn numbers(
        &self,
        step: &StepExecution,
        sends: &[SendItem],
    ) -> Result<Option<Numbers>, Error> {
        match (&step.work, &step.counts) {
            (Some(Work::Fleet(work)), _) => Ok(Some(self.numbers_so_far(step, work, sends).await?)),
            (None, Some(closed)) => {
                Ok(Some(Numbers { targets: Some(closed.total()), counts: counts(closed, 0) }))
            }
            (Some(Work::Sleep { .. } | Work::Pause | Work::Approval(_) | Work::Answered), _)
            | (None, None) => Ok(None),
        }
    }

    async fn numbers_so_far(
        &self,
        step: &StepExecution,
        work: &FleetWork,
        sends: &[SendItem],
    ) -> Result<Numbers, Error> {
        let mut partition = Partition::default();
        let (mut asked, mut resolved) = (0, None);
        for item in self.commands_under_way(step, work, sends).await?.into_values() {
            partition.add(item.command.progress());
            asked += item.command.asked_count().unwrap_or_else(|| item.command.reported_nodes() as u64);
            let counted = item.head.as_ref().and_then(|head| u64::try_from(head.target_count).ok());
            resolved = counted.map_or(resolved, |counted| Some(resolved.unwrap_or(0) + counted));
        }
        let mut so_far = partition.counts();
        for done in &work.done {
            let nodes = done.stretch.map_or(0, |stretch| stretch.length);
            match done.end {
                SendEnd::NotRun { .. } => so_far.not_run += nodes,
                SendEnd::Unknown => so_far.unknown += nodes,
                SendEnd::Command { .. } | SendEnd::Replaced => {}
            }
        }
        let targets = match &work.targets {
            Targets::Nodes(list) => Some(list.count),
            Targets::Query(_) => resolved,
        };
        let in_progress = targets.unwrap_or(asked).saturating_sub(so_far.total());
        Ok(Numbers { targets, counts: counts(&so_far, in_progress) })
    }

    /// The commands of the attempt under way, with all that was reported.
    pub(super) async fn commands_under_way(
        &self,
        step: &StepExecution,
        work: &FleetWork,
        sends: &[SendItem],
    ) -> Result<BTreeMap<CommandId, CommandItem>, Error> {
        let ids = ids_under_way(step, work, sends);
        match &work.targets {
            Targets::Nodes(_) => self.table.whole_commands(&ids).await,
            Targets::Query(_) => self.table.commands_by_targets(&ids).await,
        }
    }
}

/// The commands of the attempt under way, the ended ones first.
pub(super) fn ids_under_way(step: &StepExecution, work: &FleetWork, sends: &[SendItem]) -> Vec<CommandId> {
    let of_step = sends.iter().filter(|item| item.send.step == step.ordinal);
    let live = of_step.filter_map(|item| item.recorded.as_ref());
    let done = work.done.iter().filter_map(|done| done.command_id());
    done.chain(live).cloned().collect()
}
