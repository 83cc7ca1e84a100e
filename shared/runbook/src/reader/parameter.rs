mod bounds;

use serde_json::Value;

use super::{Fields, Reader};
use crate::{
    Code, Diagnostic, Parameter, ParameterDefault, ParameterName, Template, ValueType, Variable,
    VariableName,
    binding::lenient,
    source::node::{Entry, Node},
};

/// Reads `parameters:`. Properties of a parameter that are not known are left alone: SSM adds some
/// (`interpolationType`) and published documents invent others (`minValue`), none of which changes a value.
pub(super) fn read_all(reader: &mut Reader, fields: Fields<'_>) -> Vec<Parameter> {
    let Some(node) = fields.get("parameters") else { return Vec::new() };
    let Some(map) = reader.map(node, "parameters") else { return Vec::new() };
    map.entries.iter().filter_map(|entry| read(reader, entry)).collect()
}

/// Reads `variables:`.
pub(super) fn read_variables(reader: &mut Reader, fields: Fields<'_>) -> Vec<Variable> {
    let Some(node) = fields.get("variables") else { return Vec::new() };
    let Some(map) = reader.map(node, "variables") else { return Vec::new() };
    map.entries.iter().filter_map(|entry| variable(reader, entry)).collect()
}

fn read(reader: &mut Reader, entry: &Entry) -> Option<Parameter> {
    let label = format!("parameter {}", entry.key);
    let name = ParameterName::new(entry.key.as_str());
    if let Err(error) = &name {
        reader.report(Code::InvalidValue, entry.key_position, error.to_string());
    }
    let fields = reader.map(&entry.value, &label)?;
    let declared = declared_type(reader, entry, fields, &label);
    let count = |reader: &mut Reader, key: &str| {
        fields.get(key).and_then(|node| reader.literal::<u32>(node, &format!("{key} of {label}")))
    };
    let text = |reader: &mut Reader, key: &str| {
        fields.get(key).and_then(|node| reader.text(node, &format!("{key} of {label}")))
    };
    let min_items = count(reader, "minItems");
    let max_items = count(reader, "maxItems");
    let min_chars = count(reader, "minChars");
    let max_chars = count(reader, "maxChars");
    let description = text(reader, "description");
    let allowed_pattern = text(reader, "allowedPattern");
    let display_type = text(reader, "displayType");
    bounds::ordered(reader, fields, "minItems", "maxItems", &label);
    bounds::ordered(reader, fields, "minChars", "maxChars", &label);
    let pattern_is_usable = bounds::usable_pattern(reader, fields, allowed_pattern.as_deref(), &label);
    bounds::displayed(reader, fields, display_type.as_deref(), &label);
    let (value_type, declared_type) = declared?;
    let default = fields.get("default").and_then(|node| default(reader, node, value_type, &label));
    let allowed_values = fields.get("allowedValues").map(|node| allowed(reader, node, value_type, &label));
    let parameter = Parameter {
        name: name.ok()?,
        value_type,
        declared_type,
        description,
        default,
        allowed_values: allowed_values.unwrap_or_default(),
        allowed_pattern,
        min_items,
        max_items,
        min_chars,
        max_chars,
        display_type,
        position: entry.key_position,
    };
    if let (Some(node), Some(ParameterDefault::Value(value))) = (fields.get("default"), &parameter.default) {
        bounds::conforming_default(reader, node, &parameter, value, pattern_is_usable);
    }
    Some(parameter)
}

fn variable(reader: &mut Reader, entry: &Entry) -> Option<Variable> {
    let label = format!("variable {}", entry.key);
    let name = VariableName::new(entry.key.as_str());
    if let Err(error) = &name {
        reader.report(Code::InvalidValue, entry.key_position, error.to_string());
    }
    let fields = reader.map(&entry.value, &label)?;
    let (value_type, _) = declared_type(reader, entry, fields, &label)?;
    let default = fields.get("default").map(|node| reader.template(node));
    if let Some(literal) = default.as_ref().and_then(Template::literal)
        && lenient(value_type, literal).is_none()
    {
        let position = default.as_ref().map_or(entry.key_position, |default| default.position);
        let message = format!("the default of {label} is not a value of type {value_type}");
        reader.report(Code::WrongType, position, message);
    }
    Some(Variable { name: name.ok()?, value_type, default, position: entry.key_position })
}

fn declared_type(
    reader: &mut Reader,
    entry: &Entry,
    fields: Fields<'_>,
    label: &str,
) -> Option<(ValueType, String)> {
    let Some(node) = fields.get("type") else {
        reader.report(Code::ParameterType, entry.key_position, format!("{label} has no type"));
        return None;
    };
    let text = reader.text(node, &format!("type of {label}"))?;
    let Some(value_type) = ValueType::declared(&text) else {
        let known = ValueType::ALL.map(ValueType::as_str).join(", ");
        let message = format!("{text:?}, the type of {label}, does not exist");
        let hint = format!("the types are {known}, AWS::… and List<AWS::…>");
        reader.diagnostics.push(Diagnostic::new(Code::ParameterType, node.position, message).hint(hint));
        return None;
    };
    Some((value_type, text))
}

/// A literal of the document: no reference is looked up in it.
fn literal(node: &Node) -> Option<Value> {
    Template::verbatim(node).literal()
}

fn default(reader: &mut Reader, node: &Node, value_type: ValueType, label: &str) -> Option<ParameterDefault> {
    let value = literal(node)?;
    if let Some(name) = value.as_str().and_then(store_name) {
        return Some(ParameterDefault::Store { name: name.to_owned() });
    }
    let found = lenient(value_type, value).map(ParameterDefault::Value);
    if found.is_none() {
        let message = format!("the default of {label} is not a value of type {value_type}");
        reader.report(Code::WrongType, node.position, message);
    }
    found
}

/// The name in `{{ssm:name}}` (SSM User Guide, parameter-store: in runbooks, as a default only).
pub(super) fn store_name(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let name = inner.strip_prefix("ssm:")?.trim();
    (!name.is_empty() && !name.contains(['{', '}'])).then_some(name)
}

/// The allowed values of a parameter; of a list those its items may have.
fn allowed(reader: &mut Reader, node: &Node, value_type: ValueType, label: &str) -> Vec<Value> {
    let item_type = if value_type == ValueType::StringList { ValueType::String } else { value_type };
    let Some(items) = reader.list(node, &format!("allowedValues of {label}")) else { return Vec::new() };
    let mut values = Vec::new();
    for item in items {
        match literal(item).and_then(|value| lenient(item_type, value)) {
            Some(value) => values.push(value),
            None => {
                let message = format!("an allowed value of {label} is not of type {item_type}");
                reader.report(Code::WrongType, item.position, message);
            }
        }
    }
    values
}
