//! One constraint of a value, in SSM's words.

use super::shape::{Bounds, Model, Pattern, Shape};
use serde_json::Value;

/// What a value must satisfy.
pub(super) enum Rule<'a> {
    ValueAtLeast(i64),
    ValueAtMost(i64),
    LengthAtLeast(i64),
    LengthAtMost(i64),
    Pattern(&'a Pattern),
    OneOf(&'a [String]),
    /// Of every member of a list.
    Members(&'a str),
    /// Of every key of a map.
    Keys(&'a str),
    /// Of every value of a map.
    Values(&'a str),
}

/// What a value of this shape must satisfy. Of lists of structures, each structure is looked at by itself.
pub(super) fn rules<'a>(model: &'a Model, shape: &str) -> Vec<Rule<'a>> {
    match model.shape(shape) {
        Shape::String(text) => {
            let mut rules = lengths(text.length);
            rules.extend(text.pattern.as_ref().map(Rule::Pattern));
            rules.extend(text.one_of.as_deref().map(Rule::OneOf));
            rules
        }
        Shape::Integer(Bounds { min, max }) => {
            min.map(Rule::ValueAtLeast).into_iter().chain(max.map(Rule::ValueAtMost)).collect()
        }
        Shape::List { member, count } => {
            let mut rules = lengths(*count);
            if !model.has_structure(member) && !self::rules(model, member).is_empty() {
                rules.push(Rule::Members(member));
            }
            rules
        }
        Shape::Map { key, value, count } => {
            let mut rules = lengths(*count);
            let ruled = |shape: &str| !self::rules(model, shape).is_empty();
            rules.extend(ruled(key).then_some(Rule::Keys(key)));
            rules.extend(ruled(value).then_some(Rule::Values(value)));
            rules
        }
        Shape::Boolean | Shape::Structure { .. } => Vec::new(),
    }
}

fn lengths<'a>(Bounds { min, max }: Bounds) -> Vec<Rule<'a>> {
    let least = min.filter(|min| *min > 0).map(Rule::LengthAtLeast);
    least.into_iter().chain(max.map(Rule::LengthAtMost)).collect()
}

impl Rule<'_> {
    /// Whether a value, of the right type, satisfies it.
    pub(super) fn holds(&self, model: &Model, value: &Value) -> bool {
        let number = || value.as_i64().unwrap_or_default();
        let text = value.as_str().unwrap_or_default();
        let all =
            |shape: &str, value: &Value| rules(model, shape).iter().all(|rule| rule.holds(model, value));
        match self {
            Self::ValueAtLeast(least) => number() >= *least,
            Self::ValueAtMost(most) => number() <= *most,
            Self::LengthAtLeast(least) => length(value) >= *least,
            Self::LengthAtMost(most) => length(value) <= *most,
            Self::Pattern(pattern) => pattern.matches(text),
            Self::OneOf(values) => values.iter().any(|value| value == text),
            Self::Members(shape) => value.as_array().into_iter().flatten().all(|item| all(shape, item)),
            Self::Keys(shape) => {
                let mut keys = value.as_object().into_iter().flat_map(|map| map.keys());
                keys.all(|key| all(shape, &Value::String(key.clone())))
            }
            Self::Values(shape) => {
                value.as_object().into_iter().flat_map(|map| map.values()).all(|value| all(shape, value))
            }
        }
    }

    /// The constraint in SSM's words.
    pub(super) fn text(&self, model: &Model) -> String {
        let inner = |shape: &str| {
            let texts: Vec<String> = rules(model, shape).iter().map(|rule| rule.text(model)).collect();
            format!("satisfy constraint: [{}]", texts.join(", "))
        };
        match self {
            Self::ValueAtLeast(least) => format!("Member must have value greater than or equal to {least}"),
            Self::ValueAtMost(most) => format!("Member must have value less than or equal to {most}"),
            Self::LengthAtLeast(least) => {
                format!("Member must have length greater than or equal to {least}")
            }
            Self::LengthAtMost(most) => format!("Member must have length less than or equal to {most}"),
            Self::Pattern(pattern) => {
                format!("Member must satisfy regular expression pattern: {}", pattern.text)
            }
            Self::OneOf(values) => format!("Member must satisfy enum value set: [{}]", values.join(", ")),
            Self::Members(shape) => format!("Member must {}", inner(shape)),
            Self::Keys(shape) => format!("Map keys must {}", inner(shape)),
            Self::Values(shape) => format!("Map value must {}", inner(shape)),
        }
    }
}

/// How long a text is, or how many there are.
fn length(value: &Value) -> i64 {
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(map) => map.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    i64::try_from(length).unwrap_or(i64::MAX)
}
