use std::fmt;

use crate::Position;

/// What kind of mistake a [`Diagnostic`] is about. The text form is stable: programs match on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The text is neither YAML nor JSON.
    Syntax,
    /// The text is longer than [`TEXT_BYTES_MAX`](crate::TEXT_BYTES_MAX).
    TooLarge,
    /// Nested deeper than any runbook needs.
    TooDeep,
    /// Aliases expand to more than a document may hold.
    TooManyAliases,
    /// The same key twice in one mapping.
    DuplicateKey,
    /// The document is not a mapping of properties.
    NotAMapping,
    /// `schemaVersion` is missing or not 0.3.
    SchemaVersion,
    /// A required property is missing or empty.
    MissingProperty,
    /// A property that its step or action does not have.
    UnknownProperty,
    /// A property has a value of the wrong type.
    WrongType,
    /// A property has a value of the right type that it does not take.
    InvalidValue,
    /// A step name is not well formed.
    StepName,
    /// Two steps have the same name.
    DuplicateStep,
    /// Two outputs of a step have the same name.
    DuplicateOutput,
    /// An action name is not well formed.
    ActionName,
    /// A target that is not a step of the document.
    UnknownStep,
    /// A branch operator that does not exist.
    UnsupportedOperator,
    /// A branch condition that is not one comparison, And, Or or Not.
    Condition,
    /// A parameter without a type, or with one that does not exist.
    ParameterType,
    /// Not an ISO 8601 duration, or one that `aws:sleep` does not take.
    Duration,
    /// Not an ISO 8601 timestamp.
    Timestamp,
    /// Steps lead back to themselves.
    Cycle,
    /// `{{ … }}` names a parameter, variable, step, output or system variable that does not exist.
    UnknownReference,
    /// `{{ … }}` names an output of a step that cannot have run by then.
    ReferenceOrder,
    /// `{{ssm:…}}` where it is not replaced: anywhere but in the default of a parameter.
    StoreReference,
    /// A selector that is not JSONPath.
    Selector,
    /// An `allowedPattern` that is not a regular expression.
    Pattern,
    /// SSM would not know this: it only works here.
    NotPortable,
    /// An action that is known and cannot be run here yet.
    UnsupportedAction,
}

impl Code {
    /// The stable text of the code, in kebab case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::TooLarge => "too-large",
            Self::TooDeep => "too-deep",
            Self::TooManyAliases => "too-many-aliases",
            Self::DuplicateKey => "duplicate-key",
            Self::NotAMapping => "not-a-mapping",
            Self::SchemaVersion => "schema-version",
            Self::MissingProperty => "missing-property",
            Self::UnknownProperty => "unknown-property",
            Self::WrongType => "wrong-type",
            Self::InvalidValue => "invalid-value",
            Self::StepName => "step-name",
            Self::DuplicateStep => "duplicate-step",
            Self::DuplicateOutput => "duplicate-output",
            Self::ActionName => "action-name",
            Self::UnknownStep => "unknown-step",
            Self::UnsupportedOperator => "unsupported-operator",
            Self::Condition => "condition",
            Self::ParameterType => "parameter-type",
            Self::Duration => "duration",
            Self::Timestamp => "timestamp",
            Self::Cycle => "cycle",
            Self::UnknownReference => "unknown-reference",
            Self::ReferenceOrder => "reference-order",
            Self::StoreReference => "store-reference",
            Self::Selector => "selector",
            Self::Pattern => "pattern",
            Self::NotPortable => "not-portable",
            Self::UnsupportedAction => "unsupported-action",
        }
    }
}

impl Code {
    /// How mistakes of this kind are mended, where no better hint is known.
    pub(crate) const fn hint(self) -> Option<&'static str> {
        match self {
            Self::TooLarge => Some("move scripts into attached files, or steps into a runbook of their own"),
            Self::TooDeep => Some("move what is inside into a step of its own"),
            Self::TooManyAliases => Some("write out what the aliases stand for"),
            Self::NotAMapping => Some("a runbook begins with schemaVersion: '0.3' and has mainSteps"),
            Self::MissingProperty => Some("add it: SSM refuses the document without it"),
            Self::UnknownProperty => Some("correct its name or remove it: nothing reads it"),
            Self::WrongType => Some("write a value of that type"),
            Self::StepName => Some("rename the step"),
            Self::DuplicateStep => Some("rename one of them: targets and references go by the name"),
            Self::DuplicateOutput => Some("rename one of them: references go by the name"),
            Self::ActionName => Some("the SSM User Guide lists the actions (automation-actions)"),
            Self::UnknownStep => Some("name a step of the same list: mainSteps, or the steps of the loop"),
            Self::Condition => Some("write one operator with its Variable, or And or Or with two conditions"),
            Self::Duration => Some("write it like PT10M or P1DT12H"),
            Self::Timestamp => Some("write it like 2030-01-31T04:00:00Z"),
            Self::UnknownReference => Some("declare what it names, or correct the name"),
            Self::StoreReference => Some("declare a parameter with that default and refer to it"),
            Self::UnsupportedAction => Some("rehearse it with a mocked response, or run it on SSM"),
            Self::NotPortable => Some("keep it if the runbook is to run here only"),
            Self::Pattern => Some("write a regular expression that Java and Rust read alike"),
            // Their messages say what is wanted, or the place says it all.
            Self::Syntax
            | Self::DuplicateKey
            | Self::SchemaVersion
            | Self::InvalidValue
            | Self::UnsupportedOperator
            | Self::ParameterType
            | Self::Cycle
            | Self::ReferenceOrder
            | Self::Selector => None,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The document is not valid.
    Error,
    /// The document is valid, and somebody should know this.
    Warning,
}

impl Severity {
    /// The stable text of it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One mistake in a runbook, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {code}: {message}")]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of mistake.
    pub code: Code,
    /// What is wrong, for people.
    pub message: String,
    /// How to mend it, where that can be said.
    pub hint: Option<String>,
    /// Where it is.
    pub position: Position,
}

impl Diagnostic {
    pub(crate) fn new(code: Code, position: Position, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into(), hint: None, position }
    }

    pub(crate) fn warning(code: Code, position: Position, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::new(code, position, message) }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
