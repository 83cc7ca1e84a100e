use crate::{Template, VariableName};

/// `aws:updateVariable` (SSM User Guide, automation-action-update-variable).
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateVariable {
    /// The variable, which the document declares.
    pub variable: VariableName,
    /// Its new value, of the variable's type.
    pub value: Template,
}
