mod approve;
mod branch;
mod looping;
mod other;
mod run_command;
mod sleep;
mod update_variable;

pub use self::{
    approve::{Approve, Approvers},
    branch::{Branch, Choice, Comparison, Condition, Operator},
    looping::{ITERATIONS_MAX, Iteration, IteratorType, Loop},
    other::{OtherAction, OtherKind},
    run_command::{
        AlarmConfiguration, CloudWatchOutputConfig, NotificationConfig, RunCommand, Target, TextList,
    },
    sleep::Sleep,
    update_variable::UpdateVariable,
};
use crate::{Step, Template};

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// `aws:runCommand`. Boxed, being far larger than the others.
    RunCommand(Box<RunCommand>),
    /// `aws:branch`
    Branch(Branch),
    /// `aws:sleep`
    Sleep(Sleep),
    /// `aws:pause`: waits until somebody lets it go on.
    Pause,
    /// `aws:approve`
    Approve(Approve),
    /// `aws:loop`
    Loop(Loop),
    /// `aws:updateVariable`
    UpdateVariable(UpdateVariable),
    /// An action of another service, which is known and cannot be run here yet.
    Other(OtherAction),
}

impl Action {
    /// The name of the action, such as `aws:runCommand`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RunCommand(_) => "aws:runCommand",
            Self::Branch(_) => "aws:branch",
            Self::Sleep(_) => "aws:sleep",
            Self::Pause => "aws:pause",
            Self::Approve(_) => "aws:approve",
            Self::Loop(_) => "aws:loop",
            Self::UpdateVariable(_) => "aws:updateVariable",
            Self::Other(other) => other.kind.as_str(),
        }
    }

    /// Whether it can be executed here. Steps inside a loop are asked themselves.
    pub fn is_runnable(&self) -> bool {
        match self {
            Self::RunCommand(_)
            | Self::Branch(_)
            | Self::Sleep(_)
            | Self::Pause
            | Self::Loop(_)
            | Self::UpdateVariable(_) => true,
            Self::Approve(approve) => matches!(approve.approvers, Approvers::Listed(_)),
            Self::Other(_) => false,
        }
    }

    /// The steps inside it: those of a loop.
    pub fn steps(&self) -> &[Step] {
        match self {
            Self::Loop(looping) => &looping.steps,
            Self::RunCommand(_)
            | Self::Branch(_)
            | Self::Sleep(_)
            | Self::Pause
            | Self::Approve(_)
            | Self::UpdateVariable(_)
            | Self::Other(_) => &[],
        }
    }

    /// Every template in the inputs; those of steps inside it are theirs.
    pub fn templates(&self) -> Vec<&Template> {
        match self {
            Self::RunCommand(command) => command.templates(),
            Self::Branch(branch) => branch.templates(),
            Self::Sleep(sleep) => sleep.template().into_iter().collect(),
            Self::Pause => Vec::new(),
            Self::Approve(approve) => approve.templates(),
            Self::Loop(looping) => looping.templates(),
            Self::UpdateVariable(update) => vec![&update.value],
            Self::Other(other) => vec![&other.inputs],
        }
    }
}
