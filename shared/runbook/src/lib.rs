//! The language of runbooks: SSM Automation documents, schema 0.3, in YAML or JSON.
//!
//! [`parse`] makes a [`Runbook`] of a text, or says everything that is wrong with it and where. What is not
//! known before a step runs stays a [`Template`]: text and values with [`Reference`]s, which [`Template::resolve`]
//! replaces. [`validate`] says beside the errors what is worth a warning, and does so of a text that is no
//! runbook too. [`bind`] checks the parameters an execution is started with.
//!
//! The rules are those of the SSM User Guide (automation-actions, automation-variables,
//! documents-syntax-data-elements-parameters, automation-action-branch and so on); where it is silent, a
//! comment says what was chosen and why. Nothing here reads a clock, a file or the network.

mod action;
mod binding;
mod diagnostic;
mod duration;
mod graph;
mod name;
mod outline;
mod output;
mod parameter;
mod position;
mod reader;
mod reference;
mod runbook;
mod selector;
mod setting;
mod source;
mod step;
mod template;
mod validation;
mod value_type;

pub use self::{
    action::{
        Action, AlarmConfiguration, Approve, Approvers, Branch, Choice, CloudWatchOutputConfig, Comparison,
        Condition, ITERATIONS_MAX, Iteration, IteratorType, Loop, NotificationConfig, Operator, OtherAction,
        OtherKind, RunCommand, Sleep, Target, TextList, UpdateVariable, VariableProblem,
    },
    binding::{ParameterError, ParameterProblem, bind, bind_typed},
    diagnostic::{Code, Diagnostic, Severity},
    duration::SLEEP_MAX,
    name::{InvalidName, ParameterName, StepName, VariableName},
    output::BuiltInOutput,
    parameter::{Parameter, ParameterDefault, Variable},
    position::Position,
    reader::parse,
    reference::{Global, Reference, output_and_path},
    runbook::{AttachedFile, DocumentOutput, Runbook},
    selector::{OutputProblem, Selector},
    setting::{OrReference, Setting, SettingError, Unmet},
    source::TEXT_BYTES_MAX,
    step::{OnCancel, OnFailure, Step, UserOutput},
    template::{Piece, Template, TemplateContent, into_texts},
    validation::{Portability, Validation, validate},
    value_type::ValueType,
};
