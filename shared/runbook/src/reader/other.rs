use super::{Fields, Reader};
use crate::{
    Code, OtherAction, OtherKind, Selector, Setting, Template, TemplateContent,
    action::{Exclusive, InputKind},
    source::node::{Content, Entry, Node},
};

/// Reads the inputs of an action of another service and holds them against what its page lists. A value with
/// references is held against nothing: what it becomes is not known yet.
pub(super) fn read(reader: &mut Reader, kind: OtherKind, inputs: Fields<'_>, label: &str) -> OtherAction {
    let expected = kind.inputs();
    for input in expected.known {
        let node = if input.is_required {
            inputs.require(reader, input.name, label)
        } else {
            inputs.get(input.name)
        };
        if let Some(node) = node {
            value(reader, node, input.name, input.kind);
        }
    }
    for exclusive in expected.exclusive {
        one_of(reader, inputs, exclusive, label);
    }
    if !expected.is_open {
        let names: Vec<&str> = expected.known.iter().map(|input| input.name).collect();
        inputs.only(reader, &names, kind.as_str());
    }
    if kind == OtherKind::ExecuteScript {
        script(reader, inputs, label);
    }
    let entry = |entry: &Entry| (entry.key.clone(), reader.template(&entry.value));
    let content = TemplateContent::Map(inputs.entries.iter().map(entry).collect());
    OtherAction { kind, inputs: Template { position: inputs.position, content } }
}

/// "Handler: required (Python)", and the script is embedded or attached (automation-action-executeScript).
fn script(reader: &mut Reader, inputs: Fields<'_>, label: &str) {
    let runtime = inputs.get("Runtime").and_then(Node::text).unwrap_or_default();
    if runtime.starts_with("python") {
        inputs.require(reader, "Handler", label);
    }
    if inputs.get("Script").is_none() && inputs.get("Attachment").is_none() {
        let message = format!("{label} has neither Script nor Attachment");
        reader.report(Code::MissingProperty, inputs.position, message);
    }
}

fn one_of(reader: &mut Reader, inputs: Fields<'_>, exclusive: &Exclusive, label: &str) {
    let Exclusive { left, right, is_required } = exclusive;
    match (inputs.get(left), inputs.get(right)) {
        (Some(_), Some(node)) => {
            let message = format!("{label} has {left} and {right}: it takes one of them");
            reader.report(Code::InvalidValue, node.position, message);
        }
        (None, None) if *is_required => {
            let message = format!("{label} has neither {left} nor {right}");
            reader.report(Code::MissingProperty, inputs.position, message);
        }
        (Some(_), None) | (None, Some(_) | None) => {}
    }
}

fn value(reader: &mut Reader, node: &Node, name: &str, kind: InputKind) {
    let literal = if is_scalar(node) { reader.template(node).literal() } else { None };
    if matches!(node.content, Content::Text(_)) && literal.is_none() {
        return;
    }
    match kind {
        InputKind::Anything => {}
        InputKind::Text => {
            if !is_scalar(node) {
                reader.wrong_type(node, name, "text");
            }
        }
        InputKind::OneOf(values) => {
            let text = reader.text(node, name);
            if let Some(text) = text.filter(|text| !values.contains(&text.as_str())) {
                let message = format!("{name} is one of {}, not {text:?}", values.join(", "));
                reader.report(Code::InvalidValue, node.position, message);
            }
        }
        InputKind::TextList => {
            for item in node.items().iter().filter(|item| !is_scalar(item)) {
                reader.wrong_type(item, &format!("an item of {name}"), "text");
            }
            if matches!(node.content, Content::Map(_)) {
                reader.wrong_type(node, name, "a list of texts");
            }
        }
        InputKind::WholeNumber => {
            if literal.as_ref().and_then(u32::read).is_none() {
                reader.wrong_type(node, name, u32::EXPECTED);
            }
        }
        InputKind::Boolean => {
            if literal.as_ref().and_then(bool::read).is_none() {
                reader.wrong_type(node, name, bool::EXPECTED);
            }
        }
        InputKind::Mapping => drop(reader.map(node, name)),
        InputKind::MappingList => mapping_list(reader, node, name),
        InputKind::Selector => {
            let Some(text) = reader.text(node, name) else { return };
            if let Err(problem) = Selector::new(&text, node.position) {
                super::output::bad_selector(reader, &text, node.position, &problem);
            }
        }
    }
}

/// A list of mappings; a reference may stand for one of them, and a mapping for a list of one.
fn mapping_list(reader: &mut Reader, node: &Node, name: &str) {
    match &node.content {
        Content::Map(_) => {}
        Content::List(items) => {
            for item in items {
                let is_reference = matches!(item.content, Content::Text(_)) && is_template(reader, item);
                if !is_reference && !matches!(item.content, Content::Map(_)) {
                    reader.wrong_type(item, &format!("an item of {name}"), "a mapping");
                }
            }
        }
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) => {
            reader.wrong_type(node, name, "a list of mappings");
        }
    }
}

fn is_template(reader: &Reader, node: &Node) -> bool {
    reader.template(node).literal().is_none()
}

/// Whether it is text, or something that is read as text.
fn is_scalar(node: &Node) -> bool {
    match node.content {
        Content::Bool(_) | Content::Number(_) | Content::Text(_) => true,
        Content::Null | Content::List(_) | Content::Map(_) => false,
    }
}
