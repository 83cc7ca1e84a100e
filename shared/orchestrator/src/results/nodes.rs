//! Nodes of steps, one by one.

use super::outcome;
use super::page::{NodePlace, Order, Page, is_behind, milliseconds, slowest_first};
use super::select::{StatusChoice, StepChoice, covered, has_to_be_read, refused};
use crate::observe::Lists;
use crate::table::{CommandItem, Overview, SendItem};
use crate::{Error, Orchestrator};
use fleetwright_engine::{
    DoneSend, ExecutionId, FleetWork, ListRef, SendEnd, Slice, StepExecution, Stretch, Targets, Work,
};
use fleetwright_fleet::{CommandId, InvocationResult, NodeId, Outcome, Settlement, Terminal};
use fleetwright_wire::results::{NodeOutcome, NodeResult};
use std::collections::BTreeMap;

/// Steps whose items one page reads at once.
const WINDOW: u32 = 100;
/// Steps whose nodes one page reads.
const STEPS_PER_PAGE: usize = 10;
/// Steps whose nodes are ranked or grouped in one answer.
pub(super) const STEPS_AT_ONCE: usize = 20;
/// Characters of output that SSM lists (SSM API reference, CommandPlugin.Output).
const OUTPUT_CHARS: usize = 2_500;

/// Which nodes are asked for, and from where on.
#[derive(Debug, Clone)]
pub struct NodesQuery {
    /// Only of these steps.
    pub step: Option<StepChoice>,
    /// Only of these statuses; none: of any.
    pub statuses: Vec<StatusChoice>,
    /// The slowest first, of those whose duration is known.
    pub slowest: bool,
    /// How many at most.
    pub limit: usize,
    /// Only those behind this place, which a page before ended with.
    pub place: Option<NodePlace>,
}

/// The nodes of a step.
pub(super) struct StepNodes {
    pub(super) nodes: BTreeMap<NodeId, NodeResult>,
    /// Every command of it was settled: nothing changes any more, unless SSM contradicts itself.
    is_final: bool,
}

impl Orchestrator {
    /// Nodes of an execution step by step, the worst outcome first; or the slowest first. A page may hold fewer than
    /// asked for, even none, and still have one behind it: one answer reads so many steps and no more.
    ///
    /// Of a step that is not over, or not settled, pages go by node id, and only within a page the worst comes first: so
    /// every node is shown once, whatever is reported between two pages.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution or step, or too many steps to rank the nodes of.
    pub async fn nodes(
        &self,
        id: &ExecutionId,
        query: &NodesQuery,
    ) -> Result<(Vec<NodeResult>, Option<NodePlace>), Error> {
        if query.slowest {
            return self.slowest(id, query).await;
        }
        let place = query.place.as_ref();
        let from = place.map_or(0, NodePlace::ordinal);
        let Overview { loaded, steps, sends } = self.select(id, query.step.as_ref(), from, WINDOW).await?;
        let mut page = Page::of(query.limit);
        let steps = steps.iter().filter(|row| has_to_be_read(row, &query.statuses));
        for (read, row) in steps.enumerate() {
            let ordinal = row.step.ordinal;
            if page.is_full() || read == STEPS_PER_PAGE {
                return Ok((page.nodes, Some(NodePlace::Step(ordinal))));
            }
            let StepNodes { nodes, is_final } = self.step_nodes(id, &row.step, &sends).await?;
            let order = Order::of(place, ordinal, is_final);
            let wanted = |node: &NodeResult| covered(&query.statuses, node) && is_behind(node, place);
            let mut nodes: Vec<NodeResult> = nodes.into_values().filter(wanted).collect();
            order.sort(&mut nodes);
            let had = page.nodes.len();
            let left = page.fill(nodes.into_iter());
            let last = page.nodes.get(had..).and_then(<[NodeResult]>::last).map(|node| order.place(node));
            page.sort_from(had);
            if left.is_some() {
                return Ok((page.nodes, last));
            }
        }
        let end = from.saturating_add(WINDOW);
        let more = query.step.is_none() && end < loaded.execution.steps_begun;
        Ok((page.nodes, more.then_some(NodePlace::Step(end))))
    }

    async fn slowest(
        &self,
        id: &ExecutionId,
        query: &NodesQuery,
    ) -> Result<(Vec<NodeResult>, Option<NodePlace>), Error> {
        let mut nodes = self.all_nodes(id, query.step.as_ref(), &query.statuses).await?;
        nodes.retain(|node| node.duration_s.is_some() && is_behind(node, query.place.as_ref()));
        nodes.sort_by(|a, b| slowest_first(a).cmp(&slowest_first(b)));
        let mut page = Page::of(query.limit);
        let more = page.fill(nodes.into_iter()).is_some();
        let place = |node: &NodeResult| {
            NodePlace::Slowest(milliseconds(node), node.ordinal, node.instance_id.clone())
        };
        let last = page.nodes.last().filter(|_| more).map(place);
        Ok((page.nodes, last))
    }

    /// All nodes that are asked for, in the order of the steps and their ids.
    async fn all_nodes(
        &self,
        id: &ExecutionId,
        step: Option<&StepChoice>,
        statuses: &[StatusChoice],
    ) -> Result<Vec<NodeResult>, Error> {
        let Overview { steps, sends, .. } = self.select(id, step, 0, u32::MAX).await?;
        let steps: Vec<_> = steps.iter().filter(|row| has_to_be_read(row, statuses)).collect();
        if steps.len() > STEPS_AT_ONCE {
            return Err(refused(format!(
                "step: {} steps have such nodes, and one answer reads those of {STEPS_AT_ONCE}; name a step by its \
                 ordinal",
                steps.len()
            )));
        }
        let mut all = Vec::new();
        for row in steps {
            let nodes = self.step_nodes(id, &row.step, &sends).await?.nodes;
            all.extend(nodes.into_values().filter(|node| covered(statuses, node)));
        }
        Ok(all)
    }

    /// The nodes of a step, as far as is known.
    pub(super) async fn step_nodes(
        &self,
        id: &ExecutionId,
        step: &StepExecution,
        sends: &[SendItem],
    ) -> Result<StepNodes, Error> {
        match &step.work {
            Some(Work::Fleet(work)) => self.nodes_under_way(id, step, work, sends).await,
            Some(Work::Sleep { .. } | Work::Pause | Work::Approval(_) | Work::Answered) | None => {
                self.closed_nodes(id, step).await
            }
        }
    }

    /// What SSM said when last read, node by node: the step's own counts are frozen, this is not. A later attempt's word
    /// on a node replaces an earlier one's.
    async fn closed_nodes(&self, id: &ExecutionId, step: &StepExecution) -> Result<StepNodes, Error> {
        let mut commands = self.table.bases(&step.commands).await?;
        let mut settlements = self.settlements_of(&commands).await?;
        let is_open = |item: &&CommandItem| {
            item.chunked && !settlements.get(&item.id).is_some_and(|settlement| is_whole(item, settlement))
        };
        let open: Vec<CommandId> = commands.values().filter(is_open).map(|item| item.id.clone()).collect();
        commands.extend(self.table.whole_commands(&open).await?);
        let mut nodes = BTreeMap::new();
        for item in step.commands.iter().filter_map(|id| commands.get(id)) {
            add_finished(&mut nodes, step, item, settlements.remove(&item.id).as_ref());
        }
        // Nodes no command of the last attempt stands for: never sent, or sent and never answered.
        if let Some(list) = &step.targets {
            for (stretch, outcome) in &step.without_command {
                self.add_stretch(&mut nodes, id, step, list, *stretch, *outcome).await?;
            }
        }
        let settled = |id| commands.get(id).is_some_and(|item| item.command.settled.is_some());
        Ok(StepNodes { nodes, is_final: step.commands.iter().all(settled) })
    }

    /// Every target that is known: what was reported of it, or what SSM said where a command is settled already.
    async fn nodes_under_way(
        &self,
        id: &ExecutionId,
        step: &StepExecution,
        work: &FleetWork,
        sends: &[SendItem],
    ) -> Result<StepNodes, Error> {
        let mut nodes = BTreeMap::new();
        if let Targets::Nodes(list) = &work.targets {
            for node in self.table.list(id, list).await? {
                nodes.insert(node.clone(), unheard(step, &node, NodeOutcome::InProgress));
            }
            for DoneSend { stretch, end } in &work.done {
                let outcome = match end {
                    SendEnd::NotRun { .. } => Outcome::NotRun,
                    SendEnd::Unknown => Outcome::Unknown,
                    SendEnd::Command { .. } | SendEnd::Replaced => continue,
                };
                if let Some(stretch) = stretch {
                    self.add_stretch(&mut nodes, id, step, list, *stretch, outcome).await?;
                }
            }
        }
        let commands = self.commands_under_way(step, work, sends).await?;
        let mut settlements = self.settlements_of(&commands).await?;
        for item in commands.values() {
            match settlements.remove(&item.id) {
                Some(settlement) => add_finished(&mut nodes, step, item, Some(&settlement)),
                None => add_reported(&mut nodes, step, item),
            }
        }
        Ok(StepNodes { nodes, is_final: false })
    }

    async fn settlements_of(
        &self,
        commands: &BTreeMap<CommandId, CommandItem>,
    ) -> Result<BTreeMap<CommandId, Settlement>, Error> {
        let mark = |item: &CommandItem| Some((item.id.clone(), item.command.settled.clone()?));
        let marks: Vec<_> = commands.values().filter_map(mark).collect();
        self.table.settlements(&marks).await
    }

    async fn add_stretch(
        &self,
        nodes: &mut BTreeMap<NodeId, NodeResult>,
        id: &ExecutionId,
        step: &StepExecution,
        list: &ListRef,
        Stretch { offset, length }: Stretch,
        became: Outcome,
    ) -> Result<(), Error> {
        let slice = Slice::Nodes { list: list.clone(), offset, length };
        let none = Lists { fresh: &[], read: &BTreeMap::new() };
        for node in self.nodes_of(id, &slice, none).await?.unwrap_or_default() {
            nodes.insert(node.clone(), unheard(step, &node, outcome(became)));
        }
        Ok(())
    }
}

/// Whether a settle tells everything of a command: reports, which are in its chunks, have nothing to add.
pub(super) fn is_whole(item: &CommandItem, settlement: &Settlement) -> bool {
    settlement.is_whole(item.command.asked_count().and_then(|asked| usize::try_from(asked).ok()))
}

/// The nodes of a command that is over.
fn add_finished(
    nodes: &mut BTreeMap<NodeId, NodeResult>,
    step: &StepExecution,
    item: &CommandItem,
    settlement: Option<&Settlement>,
) {
    let partition = item.command.partition(settlement);
    for node in partition.all() {
        let said = settlement.and_then(|settlement| settlement.invocations.get(node));
        let became = outcome(partition.outcome(node).unwrap_or(Outcome::Unknown));
        let silent = unheard(step, node, became);
        let result = said.map_or_else(|| silent.clone(), |said| heard(silent.clone(), said));
        nodes.insert(node.clone(), NodeResult { command_id: Some(item.id.to_string()), ..result });
    }
}

/// The nodes of a command that is not settled, as far as it names them.
fn add_reported(nodes: &mut BTreeMap<NodeId, NodeResult>, step: &StepExecution, item: &CommandItem) {
    let progress = item.command.progress();
    for node in item.command.known_nodes() {
        let became = progress.outcome(&node).map_or(NodeOutcome::InProgress, outcome);
        let result = NodeResult { command_id: Some(item.id.to_string()), ..unheard(step, &node, became) };
        nodes.insert(node, result);
    }
}

/// A node that SSM has told no details of.
fn unheard(step: &StepExecution, node: &NodeId, outcome: NodeOutcome) -> NodeResult {
    NodeResult {
        step_name: step.name.to_string(),
        ordinal: step.ordinal,
        instance_id: node.to_string(),
        outcome,
        status_details: None,
        response_code: None,
        command_id: None,
        plugin_name: None,
        started_at: None,
        ended_at: None,
        duration_s: None,
        output: String::new(),
        output_shortened: false,
        standard_output_url: None,
        standard_error_url: None,
    }
}

fn heard(node: NodeResult, said: &InvocationResult) -> NodeResult {
    let telling = said.telling();
    let output = telling.map(|plugin| plugin.output.clone()).unwrap_or_default();
    NodeResult {
        status_details: said.status.map(Terminal::as_str).map(str::to_owned),
        response_code: Some(said.response_code()),
        plugin_name: telling.map(|plugin| plugin.name.clone()),
        started_at: telling.and_then(|plugin| plugin.started_at),
        ended_at: telling.and_then(|plugin| plugin.ended_at),
        duration_s: duration(said),
        output_shortened: said.shortened || output.chars().count() >= OUTPUT_CHARS,
        output,
        standard_output_url: telling.and_then(|plugin| plugin.standard_output_url.clone()),
        standard_error_url: telling.and_then(|plugin| plugin.standard_error_url.clone()),
        ..node
    }
}

/// Seconds from the start of its first plugin to the end of its last.
pub(super) fn duration(said: &InvocationResult) -> Option<f64> {
    let started = said.plugins.iter().filter_map(|plugin| plugin.started_at).min()?;
    let ended = said.plugins.iter().filter_map(|plugin| plugin.ended_at).max()?;
    Some(ended.duration_since(started).as_secs_f64())
}
