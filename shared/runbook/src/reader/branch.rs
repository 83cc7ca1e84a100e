use super::{Fields, Reader};
use crate::{
    Branch, Choice, Code, Comparison, Condition, Diagnostic, Operator, StepName,
    source::node::{Entry, Node},
};

pub(super) fn read(reader: &mut Reader, inputs: Fields<'_>, label: &str) -> Option<Branch> {
    inputs.only(reader, &["Choices", "Default"], "aws:branch");
    let default = inputs.get("Default").map(|node| target(reader, node, "Default"));
    let node = inputs.require(reader, "Choices", label)?;
    let items = reader.list(node, "Choices")?;
    if items.is_empty() {
        reader.report(Code::MissingProperty, node.position, format!("{label} has no choice"));
    }
    // Every choice is read before the first that fails counts.
    let choices: Vec<Option<Choice>> = items.iter().map(|item| choice(reader, item)).collect();
    let choices = choices.into_iter().collect::<Option<Vec<_>>>()?;
    match default {
        None => Some(Branch { choices, default: None }),
        Some(default) => Some(Branch { choices, default: Some(default?) }),
    }
}

fn target(reader: &mut Reader, node: &Node, what: &str) -> Option<StepName> {
    let text = reader.text(node, what)?;
    reader.target(&text, node.position, what)
}

fn choice(reader: &mut Reader, node: &Node) -> Option<Choice> {
    let fields = reader.map(node, "a choice")?;
    let next_step = fields.require(reader, "NextStep", "a choice");
    let next_step = next_step.and_then(|node| target(reader, node, "NextStep"));
    let condition = condition(reader, fields, "a choice");
    Some(Choice { next_step: next_step?, condition: condition?, position: node.position })
}

/// One comparison, And, Or or Not; `NextStep` beside it is the choice's.
pub(super) fn condition(reader: &mut Reader, fields: Fields<'_>, what: &str) -> Option<Condition> {
    let heads: Vec<&Entry> = fields
        .entries
        .iter()
        .filter(|entry| !matches!(entry.key.as_str(), "NextStep" | "Variable"))
        .collect();
    let [head] = heads.as_slice() else {
        let message = match heads.len() {
            0 => format!("{what} has no condition"),
            _ => format!("{what} has {} conditions, it takes one", heads.len()),
        };
        let position = heads.get(1).map_or(fields.position, |entry| entry.key_position);
        let hint = "write one operator with its Variable, or And, Or or Not";
        reader.diagnostics.push(Diagnostic::new(Code::Condition, position, message).hint(hint));
        return None;
    };
    match head.key.as_str() {
        "And" => conditions(reader, head).map(Condition::And),
        "Or" => conditions(reader, head).map(Condition::Or),
        "Not" => {
            let inner = reader.map(&head.value, "Not")?;
            condition(reader, inner, "Not").map(|inner| Condition::Not(Box::new(inner)))
        }
        _ => comparison(reader, fields, head).map(Condition::Comparison),
    }
}

fn conditions(reader: &mut Reader, head: &Entry) -> Option<Vec<Condition>> {
    let items = reader.list(&head.value, &head.key)?;
    if items.len() < 2 {
        let message = format!("{} takes at least two conditions", head.key);
        reader.report(Code::Condition, head.value.position, message);
    }
    let read: Vec<Option<Condition>> = items
        .iter()
        .map(|item| {
            let fields = reader.map(item, "a condition")?;
            condition(reader, fields, "a condition")
        })
        .collect();
    read.into_iter().collect()
}

fn comparison(reader: &mut Reader, fields: Fields<'_>, head: &Entry) -> Option<Comparison> {
    let operator = operator(reader, head);
    let variable = fields.require(reader, "Variable", "a comparison");
    Some(Comparison {
        variable: reader.template(variable?),
        operator: operator?,
        constant: reader.template(&head.value),
        position: fields.position,
    })
}

fn operator(reader: &mut Reader, head: &Entry) -> Option<Operator> {
    let found = Operator::named(&head.key);
    if found.is_none() {
        let message = format!("{:?} is not an operator of aws:branch", head.key);
        let known = Operator::ALL.map(Operator::as_str);
        let hint = match super::nearest(&head.key, known.into_iter()) {
            Some(nearest) => format!("did you mean {nearest:?}?"),
            None => format!("the operators are {}", known.join(", ")),
        };
        reader
            .diagnostics
            .push(Diagnostic::new(Code::UnsupportedOperator, head.key_position, message).hint(hint));
    }
    found
}
