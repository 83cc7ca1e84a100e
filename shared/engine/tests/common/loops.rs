//! Runbooks with a loop.

use super::Shell;
use fleetwright_engine::{AnswerStatus, StepExecution};

/// A loop called `each` over these, with steps inside, and a step `after` it.
pub(crate) fn looping(settings: &str, inputs: &str, inner: &str) -> String {
    format!(
        "  - name: each\n    action: aws:loop\n{settings}    inputs:\n{inputs}      Steps:\n{inner}  - name: after\n    action: aws:sleep\n    inputs: {{ Duration: PT0S }}\n"
    )
}

pub(crate) const ITEMS: &str = "      Iterators: [a, b, c]\n";

pub(crate) fn api(name: &str, settings: &str) -> String {
    format!(
        "        - name: {name}\n{settings}          action: aws:executeAwsApi\n          inputs: {{ Service: ec2, Api: Describe, Item: \"{{{{ each.CurrentIteratorValue }}}}\", Round: \"{{{{ each.CurrentIteration }}}}\" }}\n"
    )
}

/// A setting of a step inside the loop: it has an output of that name and type.
pub(crate) fn output(name: &str, kind: &str) -> String {
    format!("          outputs: [{{ Name: {name}, Selector: '$.{name}', Type: {kind} }}]\n")
}

pub(crate) fn succeed(_: &StepExecution) -> AnswerStatus {
    AnswerStatus::Success
}

pub(crate) fn fail_in(round: u32) -> impl Fn(&StepExecution) -> AnswerStatus {
    move |step| match &step.parent {
        Some(parent) if parent.iteration == round => AnswerStatus::Failed,
        Some(_) | None => AnswerStatus::Success,
    }
}

pub(crate) fn steps(shell: &Shell) -> String {
    let steps = shell.steps();
    steps.iter().map(|(name, status)| format!("{name}={status}")).collect::<Vec<_>>().join(" ")
}
