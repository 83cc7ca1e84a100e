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
    index: BTreeMap<StepName, usize>,
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
        let index = steps.iter().enumerate().map(|(at, step)| (step.name.clone(), at)).collect();
        Some(Self { description, assume_role, parameters, variables, outputs, files, steps, index })
    }

    /// Its steps, in document order; at least one.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The step where an execution begins.
    pub fn first(&self) -> &Step {
        // `new` refuses to build a runbook without steps.
        &self.steps[0]
    }

    /// The step of that name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.index.get(name).and_then(|at| self.steps.get(*at))
    }

    /// The step after that one in document order.
    pub fn following(&self, name: &StepName) -> Option<&Step> {
        self.index.get(name).and_then(|at| self.steps.get(at + 1))
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
            .chain(self.steps.iter().flat_map(Step::templates));
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
