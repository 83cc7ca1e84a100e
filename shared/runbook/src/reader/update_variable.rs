use super::{Fields, Reader};
use crate::{Code, Diagnostic, UpdateVariable};

pub(super) fn read(reader: &mut Reader, inputs: Fields<'_>, label: &str) -> Option<UpdateVariable> {
    inputs.only(reader, &["Name", "Value"], "aws:updateVariable");
    let name = inputs.require(reader, "Name", label);
    let value = inputs.require(reader, "Value", label).map(|node| reader.template(node));
    let name = name?;
    let text = reader.text(name, "Name")?;
    // `variable:name` is what the User Guide shows; some write it as the reference it is.
    let bare = text.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
    let variable = bare.strip_prefix("variable:").and_then(|name| reader.scope.variables.get(name.trim()));
    let Some(variable) = variable.cloned() else {
        let message = format!("Name: {text:?} is not variable: and the name of a variable of the document");
        let hint = "write variable:<name>, and declare the variable in variables";
        reader.diagnostics.push(Diagnostic::new(Code::InvalidValue, name.position, message).hint(hint));
        return None;
    };
    Some(UpdateVariable { variable, value: value? })
}
