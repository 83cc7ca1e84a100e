mod approve;
mod branch;
mod inputs;
mod looping;
mod other;
mod run_command;
mod sleep;
mod update_variable;

pub(crate) use self::inputs::{Exclusive, InputKind};
pub use self::{
    approve::{Approve, Approvers},
    branch::{Branch, Choice, Comparison, Condition, Operator},
    looping::{ITERATIONS_MAX, Iteration, IteratorType, Loop},
    other::{OtherAction, OtherKind},
    run_command::{
        AlarmConfiguration, CloudWatchOutputConfig, NotificationConfig, RunCommand, Target, TextList,
    },
    sleep::Sleep,
    update_variable::{UpdateVariable, VariableProblem},
};
use crate::{BuiltInOutput, Step, Template, output};

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

    /// Whether somebody can answer for a step of it in a rehearsal. The others need nothing from outside, and always run
    /// themselves.
    pub const fn can_be_answered(&self) -> bool {
        match self {
            Self::RunCommand(_) | Self::Pause | Self::Approve(_) | Self::Other(_) => true,
            Self::Branch(_) | Self::Sleep(_) | Self::Loop(_) | Self::UpdateVariable(_) => false,
        }
    }

    /// The outputs that a step of it has without declaring them.
    pub fn built_in_outputs(&self) -> &'static [BuiltInOutput] {
        match self {
            Self::RunCommand(command) => {
                let name = command.document_name.literal();
                output::run_command(name.as_ref().and_then(serde_json::Value::as_str))
            }
            Self::Approve(_) => output::APPROVE,
            Self::Loop(looping) => match &looping.iteration {
                Iteration::ForEach { .. } => output::LOOP_OVER_ITEMS,
                Iteration::While(_) => output::LOOP_WHILE,
            },
            Self::Other(other) => output::other(other.kind),
            Self::Branch(_) | Self::Sleep(_) | Self::Pause | Self::UpdateVariable(_) => &[],
        }
    }

    /// Whether it gives a response that declared outputs can be selected from.
    pub(crate) fn has_response(&self) -> bool {
        match self {
            Self::Other(other) => other.kind.has_response(),
            Self::RunCommand(_)
            | Self::Branch(_)
            | Self::Sleep(_)
            | Self::Pause
            | Self::Approve(_)
            | Self::Loop(_)
            | Self::UpdateVariable(_) => false,
        }
    }

    /// Whether a step of it that failed can be tried again (`maxAttempts`). Sleeping, deciding or waiting for a person a
    /// second time would change nothing, and a loop's steps have attempts of their own.
    pub(crate) const fn is_tried_again(&self) -> bool {
        match self {
            Self::RunCommand(_) | Self::Other(_) => true,
            Self::Branch(_)
            | Self::Sleep(_)
            | Self::Pause
            | Self::Approve(_)
            | Self::Loop(_)
            | Self::UpdateVariable(_) => false,
        }
    }

    /// How long it may take unless the step says so, in seconds; none where SSM documents none, and for approvals, which
    /// have a longest time as well.
    pub const fn default_timeout_seconds(&self) -> Option<u32> {
        match self {
            Self::Other(other) => other.kind.default_timeout_seconds(),
            Self::RunCommand(_)
            | Self::Branch(_)
            | Self::Sleep(_)
            | Self::Pause
            | Self::Approve(_)
            | Self::Loop(_)
            | Self::UpdateVariable(_) => None,
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
