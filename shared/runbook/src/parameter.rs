use serde_json::Value;

use crate::{ParameterName, Position, Template, ValueType, VariableName};

/// A parameter a runbook declares (SSM User Guide, documents-syntax-data-elements-parameters).
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: ParameterName,
    /// The type of its values.
    pub value_type: ValueType,
    /// The type as declared: AWS-specific types (`AWS::EC2::Instance::Id`) say more than `value_type`.
    pub declared_type: String,
    /// What it is for, in Markdown.
    pub description: Option<String>,
    /// Its value when none is given. Without one the parameter is required.
    pub default: Option<ParameterDefault>,
    /// The values it may have; empty means any.
    pub allowed_values: Vec<Value>,
    /// A regular expression that texts match in full.
    pub allowed_pattern: Option<String>,
    /// The fewest items of a list.
    pub min_items: Option<u32>,
    /// The most items of a list.
    pub max_items: Option<u32>,
    /// The fewest characters of a text.
    pub min_chars: Option<u32>,
    /// The most characters of a text.
    pub max_chars: Option<u32>,
    /// How the console shows it: `textfield` or `textarea`.
    pub display_type: Option<String>,
    /// Where it is declared.
    pub position: Position,
}

/// The default of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterDefault {
    /// A value of the parameter's type.
    Value(Value),
    /// `{{ssm:name}}`: the value of that parameter in Parameter Store when the execution starts.
    Store {
        /// The name in Parameter Store.
        name: String,
    },
}

/// A variable a runbook declares, which `aws:updateVariable` changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Its name, without the prefix `variable:`.
    pub name: VariableName,
    /// The type of its values.
    pub value_type: ValueType,
    /// Its value when the execution starts.
    pub default: Option<Template>,
    /// Where it is declared.
    pub position: Position,
}
