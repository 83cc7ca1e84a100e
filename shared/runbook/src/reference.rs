use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::{InvalidName, ParameterName, StepName, ValueType, VariableName, outline::Outline};

/// What a `{{ … }}` in a runbook stands for (SSM User Guide, automation-variables and
/// automation-action-outputs-inputs). Its text form is what stands between the braces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Reference {
    /// `{{ Name }}`: a parameter.
    Parameter(ParameterName),
    /// `{{ step.Output }}`: an output of a step, also `{{ loop.CurrentIteratorValue }}`.
    StepOutput {
        /// The step.
        step: StepName,
        /// What follows the first dot. More dots (`{{ step.Output.field }}`) are kept as they are.
        output: String,
    },
    /// `{{ variable:name }}`: a variable of the runbook.
    Variable(VariableName),
    /// `{{ global:… }}`: what the account, the region and the clock say.
    Global(Global),
    /// `{{ automation:EXECUTION_ID }}`: the id of the execution.
    ExecutionId,
    /// `{{ RESOURCE_ID }}`: the resource a rate-controlled execution works on.
    ResourceId,
}

/// The system variables with the prefix `global:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Global {
    /// The account the execution runs in.
    AccountId,
    /// The day the step runs, `yyyy-MM-dd`, UTC.
    Date,
    /// The moment the step runs, `yyyy-MM-dd_HH.mm.ss`, UTC.
    DateTime,
    /// The region the execution runs in.
    Region,
    /// The partition: `aws`, `aws-cn`, `aws-us-gov`.
    AwsPartition,
}

impl Global {
    /// Every global variable.
    pub const ALL: [Self; 5] =
        [Self::AccountId, Self::Date, Self::DateTime, Self::Region, Self::AwsPartition];

    /// The name without its prefix.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountId => "ACCOUNT_ID",
            Self::Date => "DATE",
            Self::DateTime => "DATE_TIME",
            Self::Region => "REGION",
            Self::AwsPartition => "AWS_PARTITION",
        }
    }
}

const GLOBAL: &str = "global:";
const VARIABLE: &str = "variable:";
pub(crate) const EXECUTION_ID: &str = "automation:EXECUTION_ID";
const RESOURCE_ID: &str = "RESOURCE_ID";

impl Reference {
    /// The step and the name of its output, if this refers to one.
    pub fn step_output(&self) -> Option<(&StepName, &str)> {
        let Self::StepOutput { step, output } = self else { return None };
        Some((step, output_and_path(output).0))
    }
}

/// The name an output is stored by, and the path into it: of `Output.field[0]` that is `Output` and `.field[0]`.
pub fn output_and_path(output: &str) -> (&str, &str) {
    output.split_at(output.find(['.', '[']).unwrap_or(output.len()))
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => write!(formatter, "{name}"),
            Self::StepOutput { step, output } => write!(formatter, "{step}.{output}"),
            Self::Variable(name) => write!(formatter, "{VARIABLE}{name}"),
            Self::Global(global) => write!(formatter, "{GLOBAL}{}", global.as_str()),
            Self::ExecutionId => formatter.write_str(EXECUTION_ID),
            Self::ResourceId => formatter.write_str(RESOURCE_ID),
        }
    }
}

impl FromStr for Reference {
    type Err = InvalidName;

    /// Reads what stands between the braces by its form alone, whether or not a document declares it.
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        const INVALID: InvalidName = InvalidName {
            what: "reference",
            rule: "a parameter, step.Output, variable:, global: or automation: name",
        };
        if let Some(system) = system(text) {
            return Ok(system);
        }
        if let Some(name) = text.strip_prefix(VARIABLE) {
            return VariableName::new(name).map(Self::Variable);
        }
        match text.split_once('.') {
            Some((step, output)) if is_output(output) => {
                Ok(Self::StepOutput { step: StepName::new(step)?, output: output.to_owned() })
            }
            Some(_) => Err(INVALID),
            None => ParameterName::new(text).map(Self::Parameter).map_err(|_| INVALID),
        }
    }
}

impl TryFrom<String> for Reference {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> Self {
        reference.to_string()
    }
}

fn system(text: &str) -> Option<Reference> {
    match text {
        EXECUTION_ID => Some(Reference::ExecutionId),
        RESOURCE_ID => Some(Reference::ResourceId),
        _ => {
            let name = text.strip_prefix(GLOBAL)?;
            Global::ALL.into_iter().find(|global| global.as_str() == name).map(Reference::Global)
        }
    }
}

/// One or more words with dots between them.
fn is_output(text: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-[]".contains(letter))
    };
    text.split('.').all(is_word)
}

/// What a document declares. `{{ x }}` is a reference only if `x` is one of these; anything else is text,
/// because scripts, templates and HTML have double braces of their own.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) parameters: BTreeSet<ParameterName>,
    /// The variables, with their types as far as those can be read.
    pub(crate) variables: BTreeMap<VariableName, Option<ValueType>>,
    /// The steps, those inside loops too.
    pub(crate) outline: Outline,
    /// Steps that other steps may name as their target: those of `mainSteps`, or of the same loop.
    pub(crate) targets: BTreeSet<StepName>,
}

impl Scope {
    /// The reference between two braces, if the document declares it.
    pub(crate) fn find(&self, text: &str) -> Option<Reference> {
        let text = text.trim();
        // A parameter that is called like a system variable is that parameter: it was declared.
        if let Some(name) = self.parameters.get(text) {
            return Some(Reference::Parameter(name.clone()));
        }
        let reference = text.parse().ok()?;
        let declared = match &reference {
            Reference::Parameter(_) => false,
            Reference::StepOutput { step, output } => {
                let step = self.outline.index(step.as_str());
                step.is_some_and(|at| self.outline.steps[at].output(output).is_some())
            }
            Reference::Variable(name) => self.variables.contains_key(name),
            Reference::Global(_) | Reference::ExecutionId | Reference::ResourceId => true,
        };
        declared.then_some(reference)
    }
}
