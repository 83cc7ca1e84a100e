use std::borrow::Cow;

use serde_json::Number;

use crate::Position;

/// A value of the document with the place it stands at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(crate) content: Content,
}

/// What a node holds. Scalars are typed here, once, by the YAML core schema.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a mapping and its value. Keys are always text: schema 0.3 knows no other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_position: Position,
    pub(crate) value: Node,
}

impl Node {
    /// What the node is, in the words of an error message.
    pub(crate) fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "nothing",
            Content::Bool(_) => "a boolean",
            Content::Number(_) => "a number",
            Content::Text(_) => "text",
            Content::List(_) => "a list",
            Content::Map(_) => "a mapping",
        }
    }

    /// How much room the node takes, children included: nodes and bytes of text together.
    pub(crate) fn weight(&self) -> usize {
        match &self.content {
            Content::Null | Content::Bool(_) | Content::Number(_) => 1,
            Content::Text(text) => 1 + text.len(),
            Content::List(items) => 1 + items.iter().map(Self::weight).sum::<usize>(),
            Content::Map(entries) => {
                1 + entries.iter().map(|entry| entry.key.len() + entry.value.weight()).sum::<usize>()
            }
        }
    }

    /// The text of a scalar. Numbers and booleans that stand where text is wanted were left unquoted.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match &self.content {
            Content::Text(text) => Some(Cow::Borrowed(text)),
            Content::Number(number) => Some(Cow::Owned(number.to_string())),
            Content::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
            Content::Null | Content::List(_) | Content::Map(_) => None,
        }
    }

    /// The items of a list; none if it is something else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.content {
            Content::List(items) => items,
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) | Content::Map(_) => &[],
        }
    }

    /// The child of a mapping, if this is one and has it. Null is as good as absent: SSM treats both alike.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Content::Map(entries) = &self.content else { return None };
        let value = entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)?;
        (value.content != Content::Null).then_some(value)
    }

    /// How many levels of lists and mappings the node has below it.
    pub(crate) fn height(&self) -> usize {
        match &self.content {
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) => 0,
            Content::List(items) => 1 + items.iter().map(Self::height).max().unwrap_or(0),
            Content::Map(entries) => 1 + entries.iter().map(|entry| entry.value.height()).max().unwrap_or(0),
        }
    }
}
