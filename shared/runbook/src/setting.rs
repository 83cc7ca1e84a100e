use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{Code, Position, Reference, Template, duration};

/// A setting that documents write as a value or as text with references (`timeoutSeconds: "{{ Timeout }}"`,
/// `Duration: "PT{{ Minutes }}M"`).
#[derive(Clone, Debug, PartialEq)]
pub enum OrReference<T> {
    /// Known when the document is parsed.
    Literal(T),
    /// Known when its references are.
    Template(Template),
}

/// A type that a setting may have.
pub trait Setting: Sized {
    /// What is wanted, in the words of an error message.
    const EXPECTED: &'static str;
    /// The code of the error when a literal is something else.
    const CODE: Code;

    /// Reads the setting from a value: numbers and booleans are also taken as text, since documents quote them.
    fn read(value: &Value) -> Option<Self>;
}

/// Why a setting could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError<E> {
    /// A reference could not be looked up.
    #[error("{0}")]
    Lookup(E),
    /// The value looked up is not what the setting takes. The value is left out: it may be a secret.
    #[error("{position}: {expected}")]
    Unfit {
        /// What the setting takes, and what did not give it.
        expected: Unmet,
        /// Where the setting stands.
        position: Position,
    },
}

/// What a setting takes and did not get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// What it takes, in the words of [`Setting::EXPECTED`].
    pub what: &'static str,
    /// What its value came from.
    pub references: Vec<Reference>,
}

impl fmt::Display for Unmet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = |reference: &Reference| format!("{{{{ {reference} }}}}");
        let references = self.references.iter().map(written).collect::<Vec<_>>().join(" with ");
        write!(formatter, "{references} gives no value that is {}", self.what)
    }
}

impl<T> OrReference<T> {
    /// The template, if the setting has references.
    pub fn template(&self) -> Option<&Template> {
        match self {
            Self::Literal(_) => None,
            Self::Template(template) => Some(template),
        }
    }
}

impl<T: Setting + Clone> OrReference<T> {
    /// The value of the setting.
    ///
    /// # Errors
    /// The first error of `lookup`, or that what it gave is not a `T`.
    pub fn resolve<E>(&self, lookup: &impl Fn(&Reference) -> Result<Value, E>) -> Result<T, SettingError<E>> {
        match self {
            Self::Literal(value) => Ok(value.clone()),
            Self::Template(template) => {
                let value = template.resolve(lookup).map_err(SettingError::Lookup)?;
                T::read(&value).ok_or_else(|| {
                    let references = template.references().cloned().collect();
                    let expected = Unmet { what: T::EXPECTED, references };
                    SettingError::Unfit { expected, position: template.position }
                })
            }
        }
    }
}

impl Setting for u32 {
    const EXPECTED: &'static str = "a whole number, zero or more";
    const CODE: Code = Code::WrongType;

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Self::try_from(number.as_u64()?).ok(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl Setting for bool {
    const EXPECTED: &'static str = "true or false";
    const CODE: Code = Code::WrongType;

    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl Setting for SignedDuration {
    const EXPECTED: &'static str = "an ISO 8601 duration from PT0S to PT604799S, such as PT10M";
    const CODE: Code = Code::Duration;

    fn read(value: &Value) -> Option<Self> {
        duration::parse(value.as_str()?)
    }
}

impl Setting for Timestamp {
    const EXPECTED: &'static str = "an ISO 8601 timestamp with its offset, such as 2030-01-31T04:00:00Z";
    const CODE: Code = Code::Timestamp;

    fn read(value: &Value) -> Option<Self> {
        value.as_str()?.parse().ok()
    }
}
