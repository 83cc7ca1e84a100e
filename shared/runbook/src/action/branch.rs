use std::fmt;

use crate::{Position, StepName, Template};

/// `aws:branch` (SSM User Guide, automation-action-branch): the first choice that holds says where to go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The choices, tried in order; at least one.
    pub choices: Vec<Choice>,
    /// Where to go on if none holds. Without it the next step of the document follows, or none with `isEnd`.
    pub default: Option<StepName>,
}

/// One choice of a branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Where to go on if it holds.
    pub next_step: StepName,
    /// When it holds.
    pub condition: Condition,
    /// Where it begins.
    pub position: Position,
}

/// When a choice holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// When a comparison does.
    Comparison(Comparison),
    /// When all of these do; at least two.
    And(Vec<Self>),
    /// When one of these does; at least two.
    Or(Vec<Self>),
    /// When this does not.
    Not(Box<Self>),
}

/// A value compared with another.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The left side, nearly always a reference.
    pub variable: Template,
    /// How they are compared.
    pub operator: Operator,
    /// The right side; may have references too.
    pub constant: Template,
    /// Where the comparison begins.
    pub position: Position,
}

/// The comparisons SSM has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are SSM's and say it")]
pub enum Operator {
    StringEquals,
    EqualsIgnoreCase,
    StartsWith,
    EndsWith,
    Contains,
    NumericEquals,
    NumericGreater,
    NumericLesser,
    NumericGreaterOrEquals,
    NumericLesserOrEquals,
    BooleanEquals,
}

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 11] = [
        Self::StringEquals,
        Self::EqualsIgnoreCase,
        Self::StartsWith,
        Self::EndsWith,
        Self::Contains,
        Self::NumericEquals,
        Self::NumericGreater,
        Self::NumericLesser,
        Self::NumericGreaterOrEquals,
        Self::NumericLesserOrEquals,
        Self::BooleanEquals,
    ];

    /// The name SSM gives it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::StringEquals => "StringEquals",
            Self::EqualsIgnoreCase => "EqualsIgnoreCase",
            Self::StartsWith => "StartsWith",
            Self::EndsWith => "EndsWith",
            Self::Contains => "Contains",
            Self::NumericEquals => "NumericEquals",
            Self::NumericGreater => "NumericGreater",
            Self::NumericLesser => "NumericLesser",
            Self::NumericGreaterOrEquals => "NumericGreaterOrEquals",
            Self::NumericLesserOrEquals => "NumericLesserOrEquals",
            Self::BooleanEquals => "BooleanEquals",
        }
    }

    /// Whether both its sides are texts.
    pub(crate) const fn compares_texts(self) -> bool {
        match self {
            Self::StringEquals
            | Self::EqualsIgnoreCase
            | Self::StartsWith
            | Self::EndsWith
            | Self::Contains => true,
            Self::NumericEquals
            | Self::NumericGreater
            | Self::NumericLesser
            | Self::NumericGreaterOrEquals
            | Self::NumericLesserOrEquals
            | Self::BooleanEquals => false,
        }
    }

    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.as_str() == text)
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Branch {
    pub(super) fn templates(&self) -> Vec<&Template> {
        let mut templates = Vec::new();
        for choice in &self.choices {
            choice.condition.collect(&mut templates);
        }
        templates
    }
}

impl Condition {
    pub(super) fn collect<'a>(&'a self, templates: &mut Vec<&'a Template>) {
        match self {
            Self::Comparison(comparison) => templates.extend([&comparison.variable, &comparison.constant]),
            Self::And(conditions) | Self::Or(conditions) => {
                conditions.iter().for_each(|condition| condition.collect(templates));
            }
            Self::Not(condition) => condition.collect(templates),
        }
    }
}
