use std::collections::{BTreeMap, BTreeSet};

use crate::{OnCancel, OnFailure, Parameter, Position, Reference, Step, StepName, Template, Variable, graph};

/// An Automation document, schema 0.3: the program an execution runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Runbook {
    /// What it is for, in Markdown.
    pub description: Option<String>,
    /// The role it runs as: an ARN or a reference to a parameter.
    pub assume_role: Option<Template>,
    /// Its parameters, in document order.
    pub parameters: Vec<Parameter>,
    /// Its variables, in document order.
    pub variables: Vec<Variable>,
    /// What an execution of it gives back.
    pub outputs: Vec<DocumentOutput>,
    /// The files attached to it, by name.
    pub files: BTreeMap<String, AttachedFile>,
    steps: Vec<Step>,
    /// Where each step stands, those inside loops too: its place among the steps around it, the outermost first.
    index: BTreeMap<StepName, Vec<usize>>,
}

/// One entry of `outputs:`, the text `step.Output`.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentOutput {
    /// The text as written.
    pub text: String,
    /// What it refers to. `step.*` is an output called `*`: all of that step's. None if there is no such step.
    pub reference: Option<Reference>,
    /// Where it stands.
    pub position: Position,
}

/// A file attached to a runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttachedFile {
    /// Its checksums, by algorithm.
    pub checksums: BTreeMap<String, String>,
    /// Its size in bytes.
    pub size: Option<u64>,
}

/// What stands around the steps of a runbook.
pub(crate) struct Frame {
    pub(crate) description: Option<String>,
    pub(crate) assume_role: Option<Template>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) outputs: Vec<DocumentOutput>,
    pub(crate) files: BTreeMap<String, AttachedFile>,
}

impl Runbook {
    /// None without a step: a runbook has a first one.
    pub(crate) fn new(frame: Frame, steps: Vec<Step>) -> Option<Self> {
        if steps.is_empty() {
            return None;
        }
        let Frame { description, assume_role, parameters, variables, outputs, files } = frame;
        let mut index = BTreeMap::new();
        place(&steps, &[], &mut index);
        Some(Self { description, assume_role, parameters, variables, outputs, files, steps, index })
    }

    /// The steps of `mainSteps`, in document order; at least one.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The step where an execution begins.
    pub fn first(&self) -> &Step {
        // `new` refuses to build a runbook without steps.
        &self.steps[0]
    }

    /// Every step, those inside a loop after the loop.
    pub fn all_steps(&self) -> Vec<&Step> {
        let mut all = Vec::new();
        collect(&self.steps, &mut all);
        all
    }

    /// The step of that name, which may stand inside a loop.
    pub fn step(&self, name: &str) -> Option<&Step> {
        let (at, around) = self.index.get(name)?.split_last()?;
        self.within(around)?.get(*at)
    }

    /// The step after that one in document order; the last of a loop has none.
    pub fn following(&self, name: &StepName) -> Option<&Step> {
        let (at, around) = self.index.get(name)?.split_last()?;
        self.within(around)?.get(at + 1)
    }

    /// The loops a step stands in, the outermost first.
    pub fn loops_around(&self, name: &StepName) -> Vec<&Step> {
        let Some((_, around)) = self.index.get(name).and_then(|path| path.split_last()) else {
            return Vec::new();
        };
        let outer = |depth: usize| self.within(&around[..depth])?.get(around[depth]);
        (0..around.len()).filter_map(outer).collect()
    }

    /// The steps inside the loop at that place, or those of the document.
    fn within(&self, path: &[usize]) -> Option<&[Step]> {
        path.iter().try_fold(self.steps.as_slice(), |steps, at| Some(steps.get(*at)?.action.steps()))
    }

    /// Where an execution goes on after a success of that step, or after a branch in which nothing matched
    /// and that has no default: `nextStep`, else the next step of the document, and nowhere with `isEnd`.
    pub fn next(&self, step: &Step) -> Option<&Step> {
        if step.is_end {
            return None;
        }
        match &step.next_step {
            Some(name) => self.step(name.as_str()),
            None => self.following(&step.name),
        }
    }

    /// Every step that can come directly after that one: on success, failure, cancellation, or by a choice.
    /// In that order, each once.
    pub fn successors(&self, name: &StepName) -> Vec<&StepName> {
        let Some(step) = self.step(name.as_str()) else { return Vec::new() };
        graph::successors(self, step)
    }

    /// The parameter of that name.
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The variable of that name.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// Every reference in the document: in the role, variables, steps and outputs.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let templates = self
            .assume_role
            .iter()
            .chain(self.variables.iter().filter_map(|variable| variable.default.as_ref()))
            .chain(self.all_steps().into_iter().flat_map(Step::templates));
        let outputs = self.outputs.iter().filter_map(|output| output.reference.as_ref());
        templates.flat_map(Template::references).chain(outputs)
    }

    /// The outputs of a step that anything in the document reads: what is worth keeping once it has run.
    ///
    /// Of `{{ step.Output.field }}` that is `Output`. An output called `*` means all of them (`outputs: step.*`).
    pub fn outputs_read(&self, step: &StepName) -> BTreeSet<&str> {
        let outputs = self.references().filter_map(Reference::step_output);
        outputs.filter(|(name, _)| *name == step).map(|(_, output)| output).collect()
    }
}

fn place(steps: &[Step], around: &[usize], index: &mut BTreeMap<StepName, Vec<usize>>) {
    for (at, step) in steps.iter().enumerate() {
        let path = [around, &[at]].concat();
        place(step.action.steps(), &path, index);
        index.insert(step.name.clone(), path);
    }
}

fn collect<'a>(steps: &'a [Step], all: &mut Vec<&'a Step>) {
    for step in steps {
        all.push(step);
        collect(step.action.steps(), all);
    }
}

impl OnFailure {
    /// The step it names.
    pub fn step(&self) -> Option<&StepName> {
        match self {
            Self::Abort | Self::Continue => None,
            Self::Step(name) => Some(name),
        }
    }
}

impl OnCancel {
    /// The step it names.
    pub fn step(&self) -> Option<&StepName> {
        match self {
            Self::Abort => None,
            Self::Step(name) => Some(name),
        }
    }
}
