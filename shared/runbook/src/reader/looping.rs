use super::{Fields, Reader, branch, document};
use crate::{
    Code, Diagnostic, ITERATIONS_MAX, Iteration, IteratorType, Loop, OrReference,
    source::node::{Content, Node},
};

pub(super) fn read(reader: &mut Reader, inputs: Fields<'_>, label: &str) -> Option<Loop> {
    let known = ["Iterators", "IteratorDataType", "LoopCondition", "MaxIterations", "Steps"];
    inputs.only(reader, &known, "aws:loop");
    let iteration = iteration(reader, inputs, label);
    let max_iterations: Option<OrReference<u32>> =
        inputs.get("MaxIterations").and_then(|node| reader.setting(node, "MaxIterations"));
    if let (Some(node), Some(OrReference::Literal(count))) = (inputs.get("MaxIterations"), &max_iterations)
        && !(1..=ITERATIONS_MAX).contains(count)
    {
        let message = format!("MaxIterations is a number from 1 to {ITERATIONS_MAX}");
        reader.report(Code::InvalidValue, node.position, message);
    }
    let node = inputs.require(reader, "Steps", label)?;
    let items = reader.list(node, "Steps")?;
    if items.is_empty() {
        reader.report(Code::MissingProperty, node.position, format!("{label} has no step"));
    }
    // Steps of a loop go on to one another only.
    let outside = std::mem::replace(&mut reader.scope.targets, document::step_names(items));
    let steps = document::read_steps(reader, items);
    reader.scope.targets = outside;
    Some(Loop { iteration: iteration?, max_iterations, steps })
}

fn iteration(reader: &mut Reader, inputs: Fields<'_>, label: &str) -> Option<Iteration> {
    match (inputs.get("Iterators"), inputs.get("LoopCondition")) {
        (Some(node), None) => {
            let data_type = match inputs.get("IteratorDataType") {
                None => IteratorType::String,
                Some(node) => data_type(reader, node)?,
            };
            items(reader, node, data_type);
            Some(Iteration::ForEach { iterators: reader.template(node), data_type })
        }
        (None, Some(node)) => {
            inputs.require(reader, "MaxIterations", label);
            let fields = reader.map(node, "LoopCondition")?;
            branch::condition(reader, fields, "LoopCondition").map(Iteration::While)
        }
        (Some(_), Some(node)) => {
            let message = format!("{label} has Iterators and a LoopCondition: it goes by one of them");
            reader.report(Code::InvalidValue, node.position, message);
            None
        }
        (None, None) => {
            let message = format!("{label} has neither Iterators nor a LoopCondition");
            reader.report(Code::MissingProperty, inputs.position, message);
            None
        }
    }
}

/// "The maximum number of iterators is 100."
fn items(reader: &mut Reader, node: &Node, data_type: IteratorType) {
    let Content::List(items) = &node.content else {
        if reader.template(node).literal().is_some() {
            reader.wrong_type(node, "Iterators", "a list");
        }
        return;
    };
    if items.len() > ITERATIONS_MAX as usize {
        let message = format!("Iterators has {} items, SSM takes at most {ITERATIONS_MAX}", items.len());
        reader.report(Code::InvalidValue, node.position, message);
    }
    for item in items {
        let Some(value) = reader.template(item).literal() else { continue };
        if data_type.read(&value).is_none() {
            reader.wrong_type(item, "an item of Iterators", &format!("of type {}", data_type.as_str()));
        }
    }
}

fn data_type(reader: &mut Reader, node: &Node) -> Option<IteratorType> {
    let text = reader.text(node, "IteratorDataType")?;
    let found = IteratorType::ALL.into_iter().find(|kind| kind.as_str() == text);
    if found.is_none() {
        let message = format!("{text:?} is not a type that a loop goes over");
        let hint = format!("the types are {}", IteratorType::ALL.map(IteratorType::as_str).join(", "));
        reader.diagnostics.push(Diagnostic::new(Code::InvalidValue, node.position, message).hint(hint));
    }
    found
}
