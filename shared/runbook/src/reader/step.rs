use super::{Fields, Reader, approve, branch, looping, run_command, sleep, update_variable};
use crate::{
    Action, Code, OnCancel, OnFailure, OrReference, OtherAction, OtherKind, Selector, Step, StepName,
    Template, TemplateContent, UserOutput, ValueType,
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
    let description = fields.get("description").and_then(|node| reader.text(node, "description"));
    let max_attempts = fields.get("maxAttempts").and_then(|node| reader.setting(node, "maxAttempts"));
    let timeout_seconds =
        fields.get("timeoutSeconds").and_then(|node| reader.setting(node, "timeoutSeconds"));
    let is_end = fields.get("isEnd").and_then(|node| reader.literal(node, "isEnd"));
    let critical = fields.get("isCritical").and_then(|node| reader.literal(node, "isCritical"));
    let next_step = fields.get("nextStep").and_then(|node| next_step(reader, node));
    let on_failure = fields.get("onFailure").and_then(|node| on_failure(reader, node));
    let on_cancel = fields.get("onCancel").and_then(|node| on_cancel(reader, node));
    let outputs = fields.get("outputs").map(|node| outputs(reader, node));
    Some(Step {
        name: name?,
        action: action?,
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
        "aws:pause" => Some(Action::Pause),
        _ => {
            let Some(kind) = OtherKind::ALL.into_iter().find(|kind| kind.as_str() == name) else {
                let message = format!("there is no action {name:?}");
                reader.report(Code::ActionName, node.position, message);
                return None;
            };
            let empty = Template { position: fields.position, content: TemplateContent::Map([].into()) };
            let inputs = inputs.map_or(empty, |node| reader.template(node));
            Some(Action::Other(OtherAction { kind, inputs }))
        }
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
        _ => step_after(reader, node, &text, "onFailure", "Abort, Continue or step:<name>")
            .map(OnFailure::Step),
    }
}

fn on_cancel(reader: &mut Reader, node: &Node) -> Option<OnCancel> {
    let text = reader.text(node, "onCancel")?;
    match text.as_str() {
        "Abort" => Some(OnCancel::Abort),
        _ => step_after(reader, node, &text, "onCancel", "Abort or step:<name>").map(OnCancel::Step),
    }
}

fn step_after(reader: &mut Reader, node: &Node, text: &str, what: &str, expected: &str) -> Option<StepName> {
    let Some(name) = text.strip_prefix("step:") else {
        let message = format!("{what} is {expected}, not {text:?}");
        reader.report(Code::InvalidValue, node.position, message);
        return None;
    };
    reader.target(name.trim(), node.position, what)
}

fn outputs(reader: &mut Reader, node: &Node) -> Vec<UserOutput> {
    let Some(items) = reader.list(node, "outputs") else { return Vec::new() };
    items.iter().filter_map(|item| output(reader, item)).collect()
}

fn output(reader: &mut Reader, node: &Node) -> Option<UserOutput> {
    if let Content::Text(name) = &node.content {
        // A bare name declares a text output of the action: old documents do so.
        return Some(UserOutput {
            name: name.clone(),
            selector: None,
            value_type: ValueType::String,
            position: node.position,
        });
    }
    let fields = reader.map(node, "an output")?;
    fields.only(reader, &["Name", "Selector", "Type"], "an output");
    let name = fields.require(reader, "Name", "an output").and_then(|node| reader.text(node, "Name"));
    let selector = fields.get("Selector").and_then(|node| selector(reader, node));
    let value_type = match fields.get("Type") {
        Some(node) => output_type(reader, node),
        None => Some(ValueType::String),
    };
    Some(UserOutput { name: name?, selector, value_type: value_type?, position: node.position })
}

fn selector(reader: &mut Reader, node: &Node) -> Option<Selector> {
    let text = reader.text(node, "Selector")?;
    Some(Selector { text, position: node.position })
}

fn output_type(reader: &mut Reader, node: &Node) -> Option<ValueType> {
    let text = reader.text(node, "Type")?;
    let found = ValueType::named(&text);
    if found.is_none() {
        let message = format!("{text:?} is not a type: {}", ValueType::ALL.map(ValueType::as_str).join(", "));
        reader.report(Code::InvalidValue, node.position, message);
    }
    found
}
