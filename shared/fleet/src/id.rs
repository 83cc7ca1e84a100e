//! Identifiers, parsed at the edge.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An identifier that is not of SSM's form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} \"{text}\" is not of the form {form}")]
pub struct InvalidId {
    what: &'static str,
    text: String,
    form: &'static str,
}

/// A managed node: `i-` with 8 or 17, or `mi-` with 17 word characters (SSM API reference, InstanceId).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeId(String);

/// A command: 36 characters, a UUID (SSM API reference, CommandId).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommandId(String);

impl NodeId {
    /// The id as SSM writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CommandId {
    /// The id as SSM writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl TryFrom<String> for NodeId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        let ok = match (text.strip_prefix("i-"), text.strip_prefix("mi-")) {
            (Some(rest), _) => (rest.len() == 8 || rest.len() == 17) && is_word(rest),
            (None, Some(rest)) => rest.len() == 17 && is_word(rest),
            (None, None) => false,
        };
        if ok {
            Ok(Self(text))
        } else {
            Err(InvalidId { what: "node id", text, form: "i-0123456789abcdef0 or mi-0123456789abcdef0" })
        }
    }
}

impl TryFrom<String> for CommandId {
    type Error = InvalidId;
    fn try_from(text: String) -> Result<Self, InvalidId> {
        let ok = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
        if ok { Ok(Self(text)) } else { Err(InvalidId { what: "command id", text, form: "a UUID" }) }
    }
}

macro_rules! id_conversions {
    ($($id:ty),*) => {$(
        impl From<$id> for String {
            fn from(id: $id) -> Self {
                id.0
            }
        }
        impl std::str::FromStr for $id {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
id_conversions!(NodeId, CommandId);
