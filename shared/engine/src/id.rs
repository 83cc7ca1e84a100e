//! Identifiers of the engine's own things.

use fleetwright_fleet::NodeId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// Crockford's base 32: no letter that looks like a digit, for the one who types it from a console.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Characters of a send token; `fw:` and the token leave 70 of the 100 characters of SendCommand's Comment.
pub(crate) const TOKEN_CHARS: usize = 26;

/// An execution: a UUID, as SSM's AutomationExecutionId.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionId(String);

/// A send: our intent to call SendCommand once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SendToken(String);

/// A list of node ids, named by its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListId(String);

/// A node list by reference: lists of ids never stand in execution items, they are referenced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListRef {
    /// The list.
    pub id: ListId,
    /// How many ids it has.
    pub count: u64,
}

/// A list's content, to be written before the commit that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeList {
    /// Its name.
    pub reference: ListRef,
    /// Its ids.
    pub nodes: Vec<NodeId>,
}

fn base32(bytes: &[u8], characters: usize) -> String {
    (0..characters)
        .map(|at| {
            let bit = at * 5;
            let high = u16::from(bytes[bit / 8]) << 8;
            let pair = high | u16::from(bytes.get(bit / 8 + 1).copied().unwrap_or(0));
            let index = (pair >> (11 - bit % 8)) & 0x1f;
            char::from(ALPHABET[usize::from(index)])
        })
        .collect()
}

impl ExecutionId {
    /// Takes an execution id as given by whoever made it.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SendToken {
    /// The token of an execution's n-th send in an attempt of a step: the same whoever computes it.
    #[must_use]
    pub fn derive(execution: &ExecutionId, step: u32, attempt: u32, ordinal: u32) -> Self {
        let digest = Sha256::digest(format!("{execution}/{step}/{attempt}/{ordinal}"));
        Self(base32(&digest, TOKEN_CHARS))
    }

    /// The token of a request to send, by what names the request: the same whoever computes it.
    #[must_use]
    pub fn of_request(key: &str) -> Self {
        Self(base32(&Sha256::digest(format!("request/{key}")), TOKEN_CHARS))
    }

    /// Takes a token read from an item or from a command's comment.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == TOKEN_CHARS && text.bytes().all(|b| ALPHABET.contains(&b)))
            .then(|| Self(text.to_owned()))
    }

    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ListId {
    /// Takes an id read from an item.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl NodeList {
    /// Names a list by its content.
    #[must_use]
    pub fn of(nodes: Vec<NodeId>) -> Self {
        let mut digest = Sha256::new();
        for node in &nodes {
            digest.update(node.as_str());
            digest.update(b"\n");
        }
        let id = ListId(base32(&digest.finalize(), TOKEN_CHARS));
        Self { reference: ListRef { id, count: nodes.len() as u64 }, nodes }
    }
}

macro_rules! display {
    ($($id:ty),*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
display!(ExecutionId, SendToken, ListId);
