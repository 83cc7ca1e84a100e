//! Reading executions for people and programs.

use crate::observe::{Lists, report};
use crate::stop::no_execution;
use crate::{Error, Orchestrator};
use fleetwright_engine::{
    Execution, ExecutionId, INPUT_ITEMS_MAX, Observations, Output, SendEnd, SendToken, Slice, StepExecution,
    Stretch, Targets, Work, input_lists, inputs,
};
use fleetwright_fleet::{CommandId, Counts, NodeId, Outcome, Partition};
use fleetwright_runbook::{OnFailure, OrReference, Runbook, Step};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Outputs as the API shows them: lists of text (SSM API reference, StepExecution.Outputs).
pub type OutputView = BTreeMap<String, Vec<String>>;

/// An execution with its outputs.
#[derive(Debug, Clone)]
pub struct ExecutionView {
    /// Its state.
    pub execution: Execution,
    /// Document outputs.
    pub outputs: OutputView,
    /// Why it needs attention, if it does.
    pub parked: Option<String>,
    /// What a person should know, such as commands of which a send had one too many.
    pub warnings: Vec<String>,
}

/// A step execution with its outputs.
#[derive(Debug, Clone)]
pub struct StepView {
    /// Its state.
    pub step: StepExecution,
    /// Its inputs, as far as they are known. **Secrets**: never logged.
    pub inputs: BTreeMap<String, Value>,
    /// Its outputs: frozen when it was closed.
    pub outputs: OutputView,
    /// Commands of which SSM has said something else since.
    pub contradicted_by: Vec<String>,
    /// What the runbook says of it.
    pub definition: StepDefinition,
}

/// What a runbook says of a step, as far as it is known without running it (SSM API reference, StepExecution).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepDefinition {
    /// `Abort`, `Continue` or `step:<name>`.
    pub on_failure: String,
    /// How often it is tried, unless a reference says so.
    pub max_attempts: Option<u32>,
    /// Seconds it may take, unless a reference says so or nothing does.
    pub timeout_seconds: Option<u32>,
    /// Whether the execution ends after it.
    pub is_end: bool,
    /// Whether its failure fails the execution.
    pub is_critical: bool,
    /// Steps that can come directly after it.
    pub valid_next_steps: Vec<String>,
}

impl StepDefinition {
    fn of(runbook: &Runbook, step: &Step) -> Self {
        let literal = |setting: &OrReference<u32>| match setting {
            OrReference::Literal(number) => Some(*number),
            OrReference::Template(_) => None,
        };
        Self {
            on_failure: match step.on_failure() {
                OnFailure::Abort => "Abort".to_owned(),
                OnFailure::Continue => "Continue".to_owned(),
                OnFailure::Step(name) => format!("step:{name}"),
            },
            max_attempts: literal(&step.max_attempts),
            timeout_seconds: step.timeout_seconds.as_ref().and_then(literal),
            is_end: step.is_end,
            is_critical: step.is_critical(),
            valid_next_steps: runbook.successors(&step.name).into_iter().map(ToString::to_string).collect(),
        }
    }
}

/// A step's nodes by outcome.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FleetView {
    /// The step.
    pub step_name: String,
    /// Its status.
    pub status: &'static str,
    /// Finished nodes by outcome.
    pub counts: Counts,
    /// Nodes that are not finished; of a command by Targets only once SSM has named them.
    pub in_progress: u64,
    /// Nodes that did not succeed, with what they said.
    pub nodes: Vec<NodeView>,
}

/// What a step did on a node.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NodeView {
    /// The node.
    pub instance_id: NodeId,
    /// What became of it.
    pub outcome: Outcome,
    /// SSM's status detail, once settled.
    pub status_details: Option<&'static str>,
    /// The exit code; -1: not started or not received.
    pub response_code: Option<i32>,
    /// The first part of its output.
    pub output: String,
}

impl Orchestrator {
    /// An execution.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution.
    pub async fn execution(&self, id: &ExecutionId) -> Result<ExecutionView, Error> {
        let Some((loaded, _)) = self.table.load(id, None, &[], self.now()).await? else {
            return Err(no_execution(id));
        };
        let outputs = self.outputs(id, &loaded.execution.document_outputs).await?;
        Ok(ExecutionView {
            execution: loaded.execution,
            outputs,
            parked: loaded.parked.map(|parked| parked.reason).or(loaded.wrong),
            warnings: loaded.warnings,
        })
    }

    /// The steps of an execution, in the order they began.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution.
    pub async fn steps(&self, id: &ExecutionId) -> Result<Vec<StepView>, Error> {
        let Some((loaded, _)) = self.table.load(id, None, &[], self.now()).await? else {
            return Err(no_execution(id));
        };
        let runbook = self.runbook(&loaded.execution.document.sha256).await?;
        let steps = self.table.steps(id).await?;
        let seen = self.input_lists(id, &runbook, &steps).await?;
        let all = steps.iter().map(|(step, _)| step);
        let given: Vec<_> =
            all.clone().map(|step| inputs(&loaded.execution, &runbook, &all, step, &seen)).collect();
        let mut views = Vec::new();
        for ((step, contradicted_by), inputs) in steps.into_iter().zip(given) {
            let outputs = self.outputs(id, &step.outputs).await?;
            let missing =
                || Error::Unreadable(format!("execution {id}: its runbook has no step {}", step.name));
            let definition =
                StepDefinition::of(&runbook, runbook.step(step.name.as_str()).ok_or_else(missing)?);
            views.push(StepView { step, inputs, outputs, contradicted_by, definition });
        }
        Ok(views)
    }

    /// The beginnings of the node lists that steps' inputs refer to.
    async fn input_lists(
        &self,
        id: &ExecutionId,
        runbook: &Runbook,
        steps: &[(StepExecution, Vec<String>)],
    ) -> Result<Observations, Error> {
        let all = steps.iter().map(|(step, _)| step);
        let named = all.clone().flat_map(|step| input_lists(runbook, &all, step));
        let mut seen = Observations::default();
        for list in named.collect::<BTreeSet<_>>() {
            let shown = list.count.min(INPUT_ITEMS_MAX as u64);
            let (nodes, _) = self.table.list_stretch(id, &list, 0, shown).await?;
            seen.lists.insert(list.id, nodes);
        }
        Ok(seen)
    }

    async fn outputs(
        &self,
        id: &ExecutionId,
        outputs: &BTreeMap<String, Output>,
    ) -> Result<OutputView, Error> {
        let mut views = OutputView::new();
        for (name, output) in outputs {
            let texts = match output {
                Output::Value(value) => fleetwright_runbook::into_texts(value.clone()),
                Output::Nodes(list) => {
                    self.table.list(id, list).await?.iter().map(ToString::to_string).collect()
                }
            };
            views.insert(name.clone(), texts);
        }
        Ok(views)
    }

    /// The fleet steps of an execution: nodes by outcome, and those that did not succeed with what they said.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution.
    pub async fn fleet(&self, id: &ExecutionId) -> Result<Vec<FleetView>, Error> {
        let mut views = Vec::new();
        for StepView { step, .. } in self.steps(id).await? {
            match &step.work {
                Some(Work::Fleet(work)) => {
                    let tokens: Vec<_> = self.live_sends(id).await?;
                    let sends = self.table.sends(id, &tokens).await?;
                    let mut ids: Vec<CommandId> = sends.iter().filter_map(|s| s.recorded.clone()).collect();
                    ids.extend(work.done.iter().filter_map(|done| match &done.end {
                        SendEnd::Command { command_id } => Some(command_id.clone()),
                        SendEnd::NotRun { .. } | SendEnd::Unknown | SendEnd::Replaced => None,
                    }));
                    let targets = match &work.targets {
                        Targets::Nodes(list) => Some(list.count),
                        Targets::Query(_) => None,
                    };
                    views.push(self.running(&step, &ids, targets).await?);
                }
                Some(Work::Sleep { .. } | Work::Pause | Work::Approval(_) | Work::Answered) => {}
                None if step.counts.is_some() => views.push(self.closed(id, &step).await?),
                None => {}
            }
        }
        Ok(views)
    }

    async fn live_sends(&self, id: &ExecutionId) -> Result<Vec<SendToken>, Error> {
        let loaded = self.table.load(id, None, &[], self.now()).await?;
        Ok(loaded.map(|(loaded, _)| loaded.execution.live.into_keys().collect()).unwrap_or_default())
    }

    async fn running(
        &self,
        step: &StepExecution,
        ids: &[CommandId],
        targets: Option<u64>,
    ) -> Result<FleetView, Error> {
        let mut counts = Partition::default();
        let mut asked = 0;
        for item in self.table.whole_commands(ids).await?.into_values() {
            counts.add(item.command.progress());
            asked += item.command.asked_count().unwrap_or(0);
        }
        let counts = counts.counts();
        Ok(FleetView {
            step_name: step.name.to_string(),
            status: step.status.as_str(),
            counts,
            in_progress: targets.unwrap_or(asked).saturating_sub(counts.total()),
            nodes: Vec::new(),
        })
    }

    /// What SSM said when last read, node by node: the step's own counts are frozen, this is not.
    async fn closed(&self, id: &ExecutionId, step: &StepExecution) -> Result<FleetView, Error> {
        let (mut views, unnamed) = self.node_views(&step.commands).await?;
        // Nodes no command of the last attempt stands for: never sent, or sent and never answered.
        for (node, outcome) in self.nodes_without_command(id, step).await? {
            let view = NodeView {
                instance_id: node.clone(),
                outcome,
                status_details: None,
                response_code: None,
                output: String::new(),
            };
            views.insert(node, view);
        }
        let mut partition = Partition::default();
        partition.add_unnamed(unnamed);
        for view in views.values() {
            partition.set(view.instance_id.clone(), view.outcome);
        }
        let mut nodes: Vec<NodeView> =
            views.into_values().filter(|node| node.outcome != Outcome::Success).collect();
        nodes.sort_by(|a, b| b.outcome.cmp(&a.outcome).then_with(|| a.instance_id.cmp(&b.instance_id)));
        Ok(FleetView {
            step_name: step.name.to_string(),
            status: step.status.as_str(),
            counts: partition.counts(),
            in_progress: 0,
            nodes,
        })
    }

    /// The nodes of these commands, and how many more SSM counted for the last of them without naming them.
    async fn node_views(&self, ids: &[CommandId]) -> Result<(BTreeMap<NodeId, NodeView>, u64), Error> {
        let commands = self.table.commands(ids).await?;
        let marks: Vec<_> = commands
            .values()
            .filter_map(|item| Some((item.id.clone(), item.command.settled.clone()?)))
            .collect();
        let mut settlements = self.table.settlements(&marks).await?;
        // A later attempt's word on a node replaces an earlier one's.
        let mut views: BTreeMap<NodeId, NodeView> = BTreeMap::new();
        let mut unnamed = 0;
        for item in ids.iter().filter_map(|id| commands.get(id)) {
            let report = report(item, settlements.remove(&item.id))?;
            let partition = report.command.partition(report.settlement.as_ref());
            unnamed = partition.counts().total().saturating_sub(partition.all().len() as u64);
            for node in partition.all() {
                let said = report.settlement.as_ref().and_then(|s| s.invocations.get(node));
                let view = NodeView {
                    instance_id: node.clone(),
                    outcome: partition.outcome(node).unwrap_or(Outcome::Unknown),
                    status_details: said
                        .and_then(|said| said.status)
                        .map(fleetwright_fleet::Terminal::as_str),
                    response_code: said.map(fleetwright_fleet::InvocationResult::response_code),
                    output: said.and_then(|s| s.telling()).map(|p| p.output.clone()).unwrap_or_default(),
                };
                views.insert(node.clone(), view);
            }
        }
        Ok((views, unnamed))
    }

    async fn nodes_without_command(
        &self,
        id: &ExecutionId,
        step: &StepExecution,
    ) -> Result<Vec<(NodeId, Outcome)>, Error> {
        let mut nodes = Vec::new();
        let Some(list) = &step.targets else { return Ok(nodes) };
        let none = Lists { fresh: &[], read: &BTreeMap::new() };
        for (Stretch { offset, length }, outcome) in &step.without_command {
            let slice = Slice::Nodes { list: list.clone(), offset: *offset, length: *length };
            let covered = self.nodes_of(id, &slice, none).await?.unwrap_or_default();
            nodes.extend(covered.into_iter().map(|node| (node, *outcome)));
        }
        Ok(nodes)
    }
}
