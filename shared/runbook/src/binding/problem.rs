use crate::ValueType;

/// What is wrong with one parameter of a start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("parameter {parameter}: {problem}")]
pub struct ParameterError {
    /// The name of the parameter.
    pub parameter: String,
    /// What is wrong with it.
    pub problem: ParameterProblem,
}

/// What can be wrong with a parameter. No variant holds the value: parameters hold secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterProblem {
    /// The runbook does not declare it.
    #[error("the runbook has no such parameter")]
    Unknown,
    /// It has no default and was not given.
    #[error("it is required and was not given")]
    Missing,
    /// Not exactly one value for a type that is not a list.
    #[error("{} takes exactly one value, {given} were given", .expected.with_article())]
    NotOne {
        /// The type of the parameter.
        expected: ValueType,
        /// How many values were given.
        given: usize,
    },
    /// The value is not of the type.
    #[error("the value is not of type {expected}")]
    Type {
        /// The type of the parameter.
        expected: ValueType,
    },
    /// The value is none of `allowedValues`.
    #[error("the value is none of its allowedValues")]
    NotAllowed,
    /// The value does not match `allowedPattern`.
    #[error("the value does not match its allowedPattern {pattern}")]
    Pattern {
        /// The pattern.
        pattern: String,
    },
    /// `allowedPattern` is not a regular expression we can use (Java's has constructs ours lacks).
    #[error("its allowedPattern {pattern} cannot be used here")]
    PatternUnusable {
        /// The pattern.
        pattern: String,
    },
    /// Fewer items than `minItems`.
    #[error("it takes at least {min} items")]
    TooFewItems {
        /// The bound.
        min: u32,
    },
    /// More items than `maxItems`.
    #[error("it takes at most {max} items")]
    TooManyItems {
        /// The bound.
        max: u32,
    },
    /// Fewer characters than `minChars`.
    #[error("it takes at least {min} characters")]
    TooFewChars {
        /// The bound.
        min: u32,
    },
    /// More characters than `maxChars`.
    #[error("it takes at most {max} characters")]
    TooManyChars {
        /// The bound.
        max: u32,
    },
    /// It was not given, and its default is in Parameter Store, which is not read yet.
    #[error("its default is {{{{ssm:{name}}}}}, which cannot be read yet: give a value")]
    StoreDefault {
        /// The name in Parameter Store.
        name: String,
    },
}
