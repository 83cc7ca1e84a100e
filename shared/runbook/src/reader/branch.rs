use super::{Fields, Reader};
use crate::{
    Branch, Choice, Code, Comparison, Condition, Diagnostic, Operator, Piece, Position, Reference, Setting,
    StepName, Template, TemplateContent,
    source::node::{Content, Entry, Node},
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
///
/// The User Guide knows one of them at a time. Published runbooks have several side by side (`Not` beside
/// `And`), which can only mean that all must hold; that reading is said in a warning.
pub(super) fn condition(reader: &mut Reader, fields: Fields<'_>, what: &str) -> Option<Condition> {
    let heads: Vec<&Entry> = fields
        .entries
        .iter()
        .filter(|entry| !matches!(entry.key.as_str(), "NextStep" | "Variable"))
        .collect();
    let is_compound = |entry: &Entry| matches!(entry.key.as_str(), "And" | "Or" | "Not");
    match heads.as_slice() {
        [] => {
            report(reader, fields.position, format!("{what} has no condition"));
            None
        }
        [head] => one(reader, fields, head),
        [_, second, ..] if heads.iter().filter(|head| !is_compound(head)).count() > 1 => {
            let message = format!("{what} has {} conditions, it takes one", heads.len());
            report(reader, second.key_position, message);
            None
        }
        [_, second, ..] => {
            let message = format!("{what} has {} conditions, SSM documents one: all must hold", heads.len());
            reader.warn(Code::Condition, second.key_position, message);
            let read: Vec<_> = heads.iter().map(|head| one(reader, fields, head)).collect();
            read.into_iter().collect::<Option<_>>().map(Condition::And)
        }
    }
}

fn report(reader: &mut Reader, position: Position, message: String) {
    let hint = "write one operator with its Variable, or And, Or or Not";
    reader.diagnostics.push(Diagnostic::new(Code::Condition, position, message).hint(hint));
}

fn one(reader: &mut Reader, fields: Fields<'_>, head: &Entry) -> Option<Condition> {
    match head.key.as_str() {
        "And" => conditions(reader, head, Condition::And),
        "Or" => conditions(reader, head, Condition::Or),
        "Not" => {
            let inner = reader.map(&head.value, "Not")?;
            condition(reader, inner, "Not").map(|inner| Condition::Not(Box::new(inner)))
        }
        _ => comparison(reader, fields, head).map(Condition::Comparison),
    }
}

/// The conditions of And and Or: at least two, says the User Guide, and its own examples have one; that
/// one is then what it stands for.
fn conditions(
    reader: &mut Reader,
    head: &Entry,
    combine: impl Fn(Vec<Condition>) -> Condition,
) -> Option<Condition> {
    let items = match &head.value.content {
        Content::Map(_) => std::slice::from_ref(&head.value),
        Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) | Content::List(_) => {
            reader.list(&head.value, &head.key)?
        }
    };
    match items.len() {
        0 => reader.report(
            Code::Condition,
            head.value.position,
            format!("{} takes at least two conditions", head.key),
        ),
        1 => {
            let message = format!("{} has one condition, which alone decides", head.key);
            reader.warn(Code::Condition, head.value.position, message);
        }
        _ => {}
    }
    let read: Vec<Option<Condition>> = items
        .iter()
        .map(|item| {
            let fields = reader.map(item, "a condition")?;
            condition(reader, fields, "a condition")
        })
        .collect();
    let mut read = read.into_iter().collect::<Option<Vec<_>>>()?;
    if read.len() == 1 { read.pop() } else { Some(combine(read)) }
}

fn comparison(reader: &mut Reader, fields: Fields<'_>, head: &Entry) -> Option<Comparison> {
    let operator = operator(reader, head);
    let variable = fields.require(reader, "Variable", "a comparison");
    if let Some(variable) = variable {
        warn_of_bare_name(reader, variable);
    }
    if let Some(operator) = operator {
        check_constant(reader, head, operator);
    }
    let operator = operator?;
    Some(Comparison {
        variable: reader.template(variable?),
        operator,
        constant: constant(reader, head, operator),
        position: fields.position,
    })
}

/// A name without its braces is a text like any other, and compared as that.
fn warn_of_bare_name(reader: &mut Reader, variable: &Node) {
    let Content::Text(text) = &variable.content else { return };
    let reference = reader.scope.find(text);
    let is_declared = reference.is_some_and(|reference| match reference {
        Reference::Parameter(_) | Reference::StepOutput { .. } | Reference::Variable(_) => true,
        Reference::Global(_) | Reference::ExecutionId | Reference::ResourceId => text.contains(':'),
    });
    if is_declared {
        let text = text.trim();
        let message = format!("Variable: {text} compares the text itself");
        let diagnostic = Diagnostic::warning(Code::Condition, variable.position, message);
        reader.diagnostics.push(diagnostic.hint(format!("write \"{{{{ {text} }}}}\"")));
    }
}

/// The right side. A number or boolean beside an operator of texts was meant as text and left unquoted.
fn constant(reader: &Reader, head: &Entry, operator: Operator) -> Template {
    let text = match &head.value.content {
        Content::Number(number) if operator.compares_texts() => number.to_string(),
        Content::Bool(flag) if operator.compares_texts() => flag.to_string(),
        Content::Null
        | Content::Bool(_)
        | Content::Number(_)
        | Content::Text(_)
        | Content::List(_)
        | Content::Map(_) => return reader.template(&head.value),
    };
    Template { position: head.value.position, content: TemplateContent::Text(vec![Piece::Literal(text)]) }
}

/// Whether the right side is of the operator's type. Quoted numbers and booleans are taken for what they say.
fn check_constant(reader: &mut Reader, head: &Entry, operator: Operator) {
    let Some(value) = reader.template(&head.value).literal() else { return };
    let expected = match operator {
        Operator::StringEquals
        | Operator::EqualsIgnoreCase
        | Operator::StartsWith
        | Operator::EndsWith
        | Operator::Contains => {
            let is_scalar = value.is_string() || value.is_number() || value.is_boolean();
            (!is_scalar).then_some("text")
        }
        Operator::NumericEquals
        | Operator::NumericGreater
        | Operator::NumericLesser
        | Operator::NumericGreaterOrEquals
        | Operator::NumericLesserOrEquals => {
            let is_number = value.is_number() || value.as_str().is_some_and(is_number);
            (!is_number).then_some("a number")
        }
        Operator::BooleanEquals => bool::read(&value).is_none().then_some(bool::EXPECTED),
    };
    if let Some(expected) = expected {
        reader.wrong_type(&head.value, &head.key, expected);
    }
}

/// Whether a text reads as a number. `inf` and `nan`, which Rust reads as well, are words.
fn is_number(text: &str) -> bool {
    text.trim().parse::<f64>().is_ok_and(f64::is_finite)
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
