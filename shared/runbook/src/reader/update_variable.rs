use serde_json::Value;

use super::{Fields, Reader};
use crate::{Code, Diagnostic, Position, UpdateVariable, ValueType, VariableProblem};

pub(super) fn read(reader: &mut Reader, inputs: Fields<'_>, label: &str) -> Option<UpdateVariable> {
    inputs.only(reader, &["Name", "Value"], "aws:updateVariable");
    let name = inputs.require(reader, "Name", label);
    let value = inputs.require(reader, "Value", label).map(|node| reader.template(node));
    let name = name?;
    let text = reader.text(name, "Name")?;
    // `variable:name` is what the User Guide shows; some write it as the reference it is.
    let bare = text.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
    let found = bare.strip_prefix("variable:");
    let found = found.and_then(|name| reader.scope.variables.get_key_value(name.trim()));
    let Some((variable, value_type)) = found.map(|(name, value_type)| (name.clone(), *value_type)) else {
        let message = format!("Name: {text:?} is not variable: and the name of a variable of the document");
        let hint = name_hint(reader, bare);
        reader.diagnostics.push(Diagnostic::new(Code::InvalidValue, name.position, message).hint(hint));
        return None;
    };
    let value = value?;
    if let (Some(value_type), Some(literal)) = (value_type, value.literal()) {
        check(reader, value_type, &literal, value.position);
    }
    Some(UpdateVariable { variable, value })
}

/// What to write instead: the variable that was meant, where that is plain.
fn name_hint(reader: &Reader, text: &str) -> String {
    let name = text.strip_prefix("variable:").unwrap_or(text).trim();
    let names = reader.scope.variables.keys().map(|name| name.as_str());
    match reader.near(name, names) {
        Some(nearest) => format!("write variable:{nearest}"),
        None => "write variable:<name>, and declare the variable in variables".to_owned(),
    }
}

fn check(reader: &mut Reader, value_type: ValueType, value: &Value, position: Position) {
    match UpdateVariable::check(value_type, value) {
        Ok(()) => {}
        Err(VariableProblem::Type(expected)) => {
            let kind = expected.with_article();
            let message = format!("Value is not {kind}, which the variable is: nothing is converted");
            reader.report(Code::WrongType, position, message);
        }
        Err(bound @ VariableProblem::Bound(_)) => {
            reader.report(Code::InvalidValue, position, format!("Value: {bound}"));
        }
    }
}
