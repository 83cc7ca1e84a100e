//! The outputs a step declares (SSM User Guide, automation-action-outputs-inputs).

use std::collections::BTreeMap;

use super::{Fields, Reader};
use crate::{
    Action, Code, Diagnostic, Position, Selector, UserOutput, ValueType,
    source::node::{Content, Node},
};

pub(super) fn read_all(reader: &mut Reader, node: &Node, action: Option<&Action>) -> Vec<UserOutput> {
    let Some(items) = reader.list(node, "outputs") else { return Vec::new() };
    let outputs: Vec<UserOutput> = items.iter().filter_map(|item| output(reader, item, action)).collect();
    each_once(reader, &outputs);
    if let Some(action) = action {
        warn_of_no_response(reader, action, &outputs);
    }
    outputs
}

/// A reference goes by the name: it could mean either of two.
fn each_once(reader: &mut Reader, outputs: &[UserOutput]) {
    let mut seen = BTreeMap::new();
    for output in outputs {
        if let Some(first) = seen.get(output.name.as_str()) {
            let message = format!("the output {:?} is declared at {first} already", output.name);
            reader.report(Code::DuplicateOutput, output.position, message);
        } else {
            seen.insert(output.name.as_str(), output.position);
        }
    }
}

/// What an action has without declaring it has its value all the same.
fn is_built_in(action: &Action, name: &str) -> bool {
    action.built_in_outputs().iter().any(|output| output.name == name)
}

/// Published runbooks select `$.Output` of aws:runCommand, where many nodes have many: it has no response here.
fn warn_of_no_response(reader: &mut Reader, action: &Action, outputs: &[UserOutput]) {
    let without = outputs.iter().find(|output| !is_built_in(action, &output.name));
    if let Some(output) = without
        && !action.has_response()
    {
        let (name, built_in) = (action.name(), action.built_in_outputs());
        let (message, hint) = if built_in.is_empty() {
            let message = format!("{name} gives no response: its outputs never have a value");
            (message, "remove it: nothing gives it a value".to_owned())
        } else {
            let message = format!("{name} gives no response here: outputs declared for it have no value");
            let names = super::first_of(built_in.iter().map(|output| output.name));
            (message, format!("refer to what it has without declaring it: {names}"))
        };
        let diagnostic = Diagnostic::warning(Code::UnknownProperty, output.position, message);
        reader.diagnostics.push(diagnostic.hint(hint));
    }
}

/// Actions without a response are spoken of as a whole.
fn warn_of_no_selector(reader: &mut Reader, fields: Fields<'_>, action: Option<&Action>, name: &str) {
    let is_taken = action.is_none_or(|action| !action.has_response() || is_built_in(action, name));
    if !is_taken && fields.get("Selector").is_none() {
        let message = format!("the output {name:?} has no value without a Selector");
        let hint = "add a Selector that says where in the response the value is, such as $.Name";
        reader
            .diagnostics
            .push(Diagnostic::warning(Code::MissingProperty, fields.position, message).hint(hint));
    }
}

fn output(reader: &mut Reader, node: &Node, action: Option<&Action>) -> Option<UserOutput> {
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
    if let Some(name) = &name {
        warn_of_no_selector(reader, fields, action, name);
    }
    let selector = fields.get("Selector").and_then(|node| selector(reader, node));
    let value_type = match fields.get("Type") {
        Some(node) => output_type(reader, node),
        None => Some(ValueType::String),
    };
    Some(UserOutput { name: name?, selector, value_type: value_type?, position: node.position })
}

fn selector(reader: &mut Reader, node: &Node) -> Option<Selector> {
    let text = reader.text(node, "Selector")?;
    Selector::new(&text, node.position)
        .map_err(|problem| bad_selector(reader, &text, node.position, &problem))
        .ok()
}

pub(super) fn bad_selector(reader: &mut Reader, text: &str, position: Position, problem: &str) {
    let message = format!("the selector {text:?} is not JSONPath: {problem}");
    let hint = "$ is the response, .name a field, [0] an item, .. everything below";
    reader.diagnostics.push(Diagnostic::new(Code::Selector, position, message).hint(hint));
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
