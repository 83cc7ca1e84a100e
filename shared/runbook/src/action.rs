mod branch;
mod run_command;
mod sleep;

pub use self::{
    branch::{Branch, Choice, Comparison, Condition, Operator},
    run_command::{
        AlarmConfiguration, CloudWatchOutputConfig, NotificationConfig, RunCommand, Target, TextList,
    },
    sleep::Sleep,
};
use crate::Template;

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `aws:runCommand`. Boxed, being far larger than the others.
    RunCommand(Box<RunCommand>),
    /// `aws:branch`
    Branch(Branch),
    /// `aws:sleep`
    Sleep(Sleep),
    /// Any other action, with its inputs as they stand.
    Other(OtherAction),
}

/// An action whose inputs are not typed here.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherAction {
    /// Its name, such as `aws:pause`.
    pub name: String,
    /// Its inputs, a mapping.
    pub inputs: Template,
}

impl Action {
    /// The name of the action, such as `aws:runCommand`.
    pub fn name(&self) -> &str {
        match self {
            Self::RunCommand(_) => "aws:runCommand",
            Self::Branch(_) => "aws:branch",
            Self::Sleep(_) => "aws:sleep",
            Self::Other(other) => &other.name,
        }
    }

    /// Every template in the inputs.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Self::RunCommand(command) => command.templates(),
            Self::Branch(branch) => branch.templates(),
            Self::Sleep(sleep) => sleep.template().into_iter().collect(),
            Self::Other(other) => vec![&other.inputs],
        }
    }
}
