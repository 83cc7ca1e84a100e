//! Reading executions for people and programs.

use crate::stop::no_execution;
use crate::table::Loaded;
use crate::{Error, Orchestrator};
use fleetwright_engine::{
    Execution, ExecutionId, INPUT_ITEMS_MAX, Observations, Output, StepExecution, input_lists, inputs,
};
use fleetwright_runbook::{OnFailure, OrReference, Runbook, Step};
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

impl ExecutionView {
    pub(crate) fn of(loaded: Loaded, outputs: OutputView) -> Self {
        Self {
            execution: loaded.execution,
            outputs,
            parked: loaded.parked.map(|parked| parked.reason).or(loaded.wrong),
            warnings: loaded.warnings,
        }
    }
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
        Ok(ExecutionView::of(loaded, outputs))
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
        let outputs: Vec<_> = steps.iter().map(|(step, _)| (id, &step.outputs)).collect();
        let outputs = self.output_views(&outputs).await?;
        let mut views = Vec::new();
        for (((step, contradicted_by), outputs), inputs) in steps.into_iter().zip(outputs).zip(given) {
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
        Ok(self.output_views(&[(id, outputs)]).await?.pop().unwrap_or_default())
    }

    /// Outputs of many, in their order; the node lists among them are read together.
    pub(crate) async fn output_views(
        &self,
        all: &[(&ExecutionId, &BTreeMap<String, Output>)],
    ) -> Result<Vec<OutputView>, Error> {
        let listed = |(id, outputs): &(&ExecutionId, &BTreeMap<String, Output>)| {
            let list = |output: &Output| match output {
                Output::Nodes(list) => Some((((*id).clone(), list.id.clone()), list.clone())),
                Output::Value(_) => None,
            };
            outputs.values().filter_map(list).collect::<Vec<_>>()
        };
        let lists = self.table.lists(&all.iter().flat_map(listed).collect()).await?;
        let view = |(id, outputs): &(&ExecutionId, &BTreeMap<String, Output>)| {
            let texts = |output: &Output| match output {
                Output::Value(value) => fleetwright_runbook::into_texts(value.clone()),
                Output::Nodes(list) => {
                    let nodes = lists.get(&((*id).clone(), list.id.clone()));
                    nodes.into_iter().flatten().map(ToString::to_string).collect()
                }
            };
            outputs.iter().map(|(name, output)| (name.clone(), texts(output))).collect()
        };
        Ok(all.iter().map(view).collect())
    }
}
