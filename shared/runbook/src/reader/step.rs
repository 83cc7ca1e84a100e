use super::{Fields, Reader, approve, branch, looping, other, output, run_command, sleep, update_variable};
use crate::{
    Action, Code, Diagnostic, OnCancel, OnFailure, OrReference, OtherKind, Setting, Step, StepName, Template,
    source::node::{Content, Node},
};

const PROPERTIES: [&str; 12] = [
    "name",
    "action",
    "description",
    "maxAttempts",
    "timeoutSeconds",
    "onFailure",
    "onCancel",
    "isEnd",
    "nextStep",
    "isCritical",
    "inputs",
    "outputs",
];

/// Reads a step. Everything in it is read even if it cannot become one, so that all that is wrong is said.
pub(super) fn read(reader: &mut Reader, node: &Node) -> Option<Step> {
    let fields = reader.map(node, "a step")?;
    let name = name(reader, fields);
    let label = name.as_ref().map_or_else(|| "a step".to_owned(), |name| format!("step {name}"));
    fields.only(reader, &PROPERTIES, &label);
    let action = action(reader, fields, &label);
    // The action's reader has reported what is wrong with it.
    let inputs = fields.get("inputs").map(|node| Template::new(node, &reader.scope));
    let description = fields.get("description").and_then(|node| reader.text(node, "description"));
    let max_attempts = at_least_one(reader, fields, "maxAttempts");
    let timeout_seconds = at_least_one(reader, fields, "timeoutSeconds");
    let is_end = fields.get("isEnd").and_then(|node| reader.literal(node, "isEnd"));
    let critical = fields.get("isCritical").and_then(|node| reader.literal(node, "isCritical"));
    let next_step = fields.get("nextStep").and_then(|node| next_step(reader, node));
    let on_failure = fields.get("onFailure").and_then(|node| on_failure(reader, node));
    let on_cancel = fields.get("onCancel").and_then(|node| on_cancel(reader, node));
    let outputs = fields.get("outputs").map(|node| output::read_all(reader, node, action.as_ref()));
    if let Some(action) = &action {
        warn_of_attempts(reader, action, fields, max_attempts.as_ref());
    }
    Some(Step {
        name: name?,
        action: action?,
        inputs,
        description,
        max_attempts: max_attempts.unwrap_or(OrReference::Literal(1)),
        timeout_seconds,
        on_failure,
        on_cancel: on_cancel.unwrap_or(OnCancel::Abort),
        is_end: is_end.unwrap_or(false),
        next_step,
        critical,
        outputs: outputs.unwrap_or_default(),
        position: node.position,
    })
}

fn warn_of_attempts(
    reader: &mut Reader,
    action: &Action,
    fields: Fields<'_>,
    attempts: Option<&OrReference<u32>>,
) {
    let is_more = match attempts {
        None | Some(OrReference::Literal(0 | 1)) => false,
        Some(OrReference::Literal(_) | OrReference::Template(_)) => true,
    };
    if let Some(node) = fields.get("maxAttempts")
        && is_more
        && !action.is_tried_again()
    {
        let message = format!("{} is tried once, whatever maxAttempts says", action.name());
        let hint = "remove it: nothing reads it";
        reader
            .diagnostics
            .push(Diagnostic::warning(Code::UnknownProperty, node.position, message).hint(hint));
    }
}

fn at_least_one(reader: &mut Reader, fields: Fields<'_>, key: &str) -> Option<OrReference<u32>> {
    let node = fields.get(key)?;
    let template = reader.template(node);
    let Some(value) = template.literal() else { return Some(OrReference::Template(template)) };
    let number = u32::read(&value);
    if number.is_none_or(|number| number == 0) {
        let code = if number.is_some() { Code::InvalidValue } else { Code::WrongType };
        reader.report(code, node.position, format!("{key} must be a whole number, 1 or more"));
    }
    number.map(OrReference::Literal)
}

fn name(reader: &mut Reader, fields: Fields<'_>) -> Option<StepName> {
    let node = fields.require(reader, "name", "a step")?;
    let text = reader.text(node, "name")?;
    StepName::new(text).map_err(|error| reader.report(Code::StepName, node.position, error.to_string())).ok()
}

fn action(reader: &mut Reader, fields: Fields<'_>, label: &str) -> Option<Action> {
    let node = fields.require(reader, "action", label)?;
    let name = reader.text(node, "action")?;
    let inputs = fields.get("inputs");
    if let Some(inputs) = inputs {
        reader.map(inputs, "inputs")?;
    }
    match name.as_str() {
        "aws:runCommand" => {
            let inputs = inputs_of(reader, fields, label)?;
            run_command::read(reader, inputs, label).map(|command| Action::RunCommand(Box::new(command)))
        }
        "aws:branch" => {
            let inputs = inputs_of(reader, fields, label)?;
            branch::read(reader, inputs, label).map(Action::Branch)
        }
        "aws:sleep" => {
            let inputs = inputs_of(reader, fields, label)?;
            sleep::read(reader, inputs, label).map(Action::Sleep)
        }
        "aws:approve" => {
            let inputs = inputs_of(reader, fields, label)?;
            approve::read(reader, inputs, label).map(Action::Approve)
        }
        "aws:loop" => {
            let inputs = inputs_of(reader, fields, label)?;
            looping::read(reader, inputs, label).map(Action::Loop)
        }
        "aws:updateVariable" => {
            let inputs = inputs_of(reader, fields, label)?;
            update_variable::read(reader, inputs, label).map(Action::UpdateVariable)
        }
        "aws:pause" => {
            pause(reader, inputs);
            Some(Action::Pause)
        }
        _ => {
            let Some(kind) = OtherKind::named(&name) else {
                unknown_action(reader, &name, node);
                return None;
            };
            let inputs = inputs_of(reader, fields, label)?;
            Some(Action::Other(other::read(reader, kind, inputs, label)))
        }
    }
}

fn unknown_action(reader: &mut Reader, name: &str, node: &Node) {
    const OURS: [&str; 7] = [
        "aws:approve",
        "aws:branch",
        "aws:loop",
        "aws:pause",
        "aws:runCommand",
        "aws:sleep",
        "aws:updateVariable",
    ];
    let names = OURS.into_iter().chain(OtherKind::ALL.map(OtherKind::as_str));
    let mut diagnostic =
        Diagnostic::new(Code::ActionName, node.position, format!("there is no action {name:?}"));
    diagnostic.hint = reader.hint_for(name, names);
    reader.diagnostics.push(diagnostic);
}

/// `aws:pause` takes no inputs (SSM User Guide, automation-action-pause). Published runbooks give it a
/// `Message`, which SSM lets stand and shows to nobody.
fn pause(reader: &mut Reader, inputs: Option<&Node>) {
    let Some(Content::Map(entries)) = inputs.map(|inputs| &inputs.content) else { return };
    for entry in entries {
        let message = format!("aws:pause takes no inputs: nothing reads {:?}", entry.key);
        reader.warn(Code::UnknownProperty, entry.key_position, message);
    }
}

fn inputs_of<'n>(reader: &mut Reader, fields: Fields<'n>, label: &str) -> Option<Fields<'n>> {
    let node = fields.require(reader, "inputs", label)?;
    reader.map(node, "inputs")
}

fn next_step(reader: &mut Reader, node: &Node) -> Option<StepName> {
    let text = reader.text(node, "nextStep")?;
    reader.target(&text, node.position, "nextStep")
}

fn on_failure(reader: &mut Reader, node: &Node) -> Option<OnFailure> {
    let text = reader.text(node, "onFailure")?;
    match text.as_str() {
        "Abort" => Some(OnFailure::Abort),
        "Continue" => Some(OnFailure::Continue),
        _ => step_after(reader, node, &text, "onFailure", &["Abort", "Continue"]).map(OnFailure::Step),
    }
}

fn on_cancel(reader: &mut Reader, node: &Node) -> Option<OnCancel> {
    let text = reader.text(node, "onCancel")?;
    match text.as_str() {
        "Abort" => Some(OnCancel::Abort),
        _ => step_after(reader, node, &text, "onCancel", &["Abort"]).map(OnCancel::Step),
    }
}

/// The step that `step:<name>` names; `words` are what else may stand there.
fn step_after(reader: &mut Reader, node: &Node, text: &str, what: &str, words: &[&str]) -> Option<StepName> {
    let Some(name) = text.strip_prefix("step:") else {
        let message = format!("{what} is {} or step:<name>, not {text:?}", words.join(", "));
        let mut diagnostic = Diagnostic::new(Code::InvalidValue, node.position, message);
        diagnostic.hint = if reader.scope.targets.contains(text) {
            Some(format!("write step:{text}"))
        } else {
            reader.hint_for(text, words.iter().copied())
        };
        reader.diagnostics.push(diagnostic);
        return None;
    };
    reader.target(name.trim(), node.position, what)
}
