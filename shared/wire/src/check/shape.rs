//! The model: operations and the shapes of their requests.

use fancy_regex::Regex;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What was extracted of SSM's model.
#[derive(Debug, Deserialize)]
pub(super) struct Model {
    /// The shape of each operation's request.
    pub(super) operations: BTreeMap<String, String>,
    shapes: BTreeMap<String, Shape>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Shape {
    String(Text),
    Integer(Bounds),
    Boolean,
    List {
        member: String,
        #[serde(flatten)]
        count: Bounds,
    },
    Map {
        key: String,
        value: String,
        #[serde(flatten)]
        count: Bounds,
    },
    Structure {
        /// Name and shape, in the model's order.
        members: Vec<(String, String)>,
        #[serde(default)]
        required: Vec<String>,
    },
}

/// Of a number, of how many there are, or of a length.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(default)]
pub(super) struct Bounds {
    pub(super) min: Option<i64>,
    pub(super) max: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Text {
    #[serde(flatten)]
    pub(super) length: Bounds,
    pub(super) pattern: Option<Pattern>,
    #[serde(rename = "enum")]
    pub(super) one_of: Option<Vec<String>>,
}

/// A pattern of the model, which a whole text must match; read when it is first needed.
#[derive(Debug, Deserialize)]
#[serde(from = "String")]
pub(super) struct Pattern {
    pub(super) text: String,
    regex: OnceLock<Option<Regex>>,
}

impl From<String> for Pattern {
    fn from(text: String) -> Self {
        Self { text, regex: OnceLock::new() }
    }
}

impl Pattern {
    /// `\w` and `\d` are Java's: ASCII only.
    fn regex(&self) -> Option<&Regex> {
        let read = || {
            let ascii = self.text.replace(r"\w", "[0-9A-Za-z_]").replace(r"\d", "[0-9]");
            Regex::new(&format!(r"\A(?:{ascii})\z")).ok()
        };
        self.regex.get_or_init(read).as_ref()
    }

    /// Whether it can be read at all; a test asks it of every pattern of the model.
    #[cfg(test)]
    pub(super) fn is_readable(&self) -> bool {
        self.regex().is_some()
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text).unwrap_or(false))
    }
}

impl Model {
    /// A shape by its name.
    pub(super) fn shape(&self, name: &str) -> &Shape {
        // The extraction takes every shape with all that it consists of; a test reads them all.
        self.shapes.get(name).unwrap_or(&Shape::Boolean)
    }

    /// Whether its violations are told for a member inside it.
    pub(super) fn has_structure(&self, name: &str) -> bool {
        match self.shape(name) {
            Shape::Structure { .. } => true,
            Shape::List { member, .. } => self.has_structure(member),
            Shape::Map { value, .. } => self.has_structure(value),
            Shape::String(_) | Shape::Integer(_) | Shape::Boolean => false,
        }
    }

    #[cfg(test)]
    pub(super) const fn shapes(&self) -> &BTreeMap<String, Shape> {
        &self.shapes
    }
}
