use std::{borrow::Borrow, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A text that cannot be the name it was meant to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {rule}")]
pub struct InvalidName {
    /// Which kind of name was wanted.
    pub what: &'static str,
    /// The rule the text breaks.
    pub rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:expr, $rule:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text and takes it as a name.
            ///
            /// # Errors
            /// The rule the text breaks.
            pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
                let text = text.into();
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() || text.len() > $max || !text.chars().all(allowed) {
                    return Err(InvalidName { what: $what, rule: $rule });
                }
                Ok(Self(text))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The name of a step, unique in its runbook (SSM User Guide, automation-actions).
    ///
    /// The documented rule is `[a-zA-Z0-9_]+`, and none of the 281 published runbooks we test against breaks
    /// it (but for one unexpanded template), so there is nothing to be lenient about. 128 is the longest
    /// `StepName` the API takes.
    StepName,
    "step name",
    128,
    "letters, digits and _ only, at most 128 of them",
    |letter| letter.is_ascii_alphanumeric() || letter == '_'
);

name!(
    /// The name of a parameter of a runbook.
    ///
    /// `.` and `:` are left out because they make a reference one to a step or to a system variable.
    /// 50 is the longest key of the API's parameter map.
    ParameterName,
    "parameter name",
    50,
    "letters, digits, _ and - only, at most 50 of them",
    |letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-'
);

name!(
    /// The name of a variable of a runbook, without the prefix `variable:`.
    VariableName,
    "variable name",
    50,
    "letters, digits, _ and - only, at most 50 of them",
    |letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-'
);
