use std::collections::BTreeMap;

use serde_json::{Number, Value};

use crate::{
    Position, Reference,
    reference::Scope,
    source::node::{Content, Entry, Node},
};

/// A value of the runbook with its references not yet looked up.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Where the value begins.
    pub position: Position,
    /// What it is.
    pub content: TemplateContent,
}

/// What a [`Template`] is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum TemplateContent {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text; one reference and nothing else is that reference's value.
    Text(Vec<Piece>),
    /// A list.
    List(Vec<Template>),
    /// A mapping. Keys hold no references: SSM does not replace them.
    Map(BTreeMap<String, Template>),
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text as it stands, never empty.
    Literal(String),
    /// `{{ … }}`.
    Reference(Reference),
}

impl Template {
    pub(crate) fn new(node: &Node, scope: &Scope) -> Self {
        let content = match &node.content {
            Content::Null => TemplateContent::Null,
            Content::Bool(flag) => TemplateContent::Bool(*flag),
            Content::Number(number) => TemplateContent::Number(number.clone()),
            Content::Text(text) => TemplateContent::Text(pieces(text, scope)),
            Content::List(items) => {
                TemplateContent::List(items.iter().map(|item| Self::new(item, scope)).collect())
            }
            Content::Map(entries) => {
                let entry = |entry: &Entry| (entry.key.clone(), Self::new(&entry.value, scope));
                TemplateContent::Map(entries.iter().map(entry).collect())
            }
        };
        Self { position: node.position, content }
    }

    /// A template of a value in which nothing is a reference.
    pub(crate) fn verbatim(node: &Node) -> Self {
        let content = match &node.content {
            Content::Text(text) => TemplateContent::Text(literal(text)),
            Content::List(items) => TemplateContent::List(items.iter().map(Self::verbatim).collect()),
            Content::Map(entries) => {
                let entry = |entry: &Entry| (entry.key.clone(), Self::verbatim(&entry.value));
                TemplateContent::Map(entries.iter().map(entry).collect())
            }
            Content::Null | Content::Bool(_) | Content::Number(_) => {
                return Self::new(node, &Scope::default());
            }
        };
        Self { position: node.position, content }
    }

    /// A template of a text in which only system variables (`global:`, `automation:`, `RESOURCE_ID`) are
    /// references: what the default of a parameter is, since it can refer to nothing else.
    pub fn of_system_text(text: &str, position: Position) -> Self {
        Self { position, content: TemplateContent::Text(pieces(text, &Scope::default())) }
    }

    /// The value with every reference looked up.
    ///
    /// A text that is one reference and nothing else becomes the value looked up, with its type. A reference
    /// within more text becomes text: text as it is, anything else as compact JSON. A list inside a list,
    /// which is what `["{{ ids }}"]` gives, stays nested: where lists are spliced is known to who asks.
    ///
    /// # Errors
    /// The first error of `lookup`.
    pub fn resolve<E>(&self, lookup: &impl Fn(&Reference) -> Result<Value, E>) -> Result<Value, E> {
        match &self.content {
            TemplateContent::Null => Ok(Value::Null),
            TemplateContent::Bool(flag) => Ok(Value::Bool(*flag)),
            TemplateContent::Number(number) => Ok(Value::Number(number.clone())),
            TemplateContent::Text(pieces) => resolve_text(pieces, lookup),
            TemplateContent::List(items) => items.iter().map(|item| item.resolve(lookup)).collect(),
            TemplateContent::Map(entries) => {
                let entry = |(key, value): (&String, &Self)| Ok((key.clone(), value.resolve(lookup)?));
                entries.iter().map(entry).collect::<Result<serde_json::Map<_, _>, E>>().map(Value::Object)
            }
        }
    }

    /// The value as text: text as it is, anything else as compact JSON.
    ///
    /// # Errors
    /// The first error of `lookup`.
    pub fn resolve_text<E>(&self, lookup: &impl Fn(&Reference) -> Result<Value, E>) -> Result<String, E> {
        self.resolve(lookup).map(into_text)
    }

    /// Every reference in the value, in document order but for the keys of mappings, which come sorted.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found.into_iter()
    }

    fn collect<'a>(&'a self, found: &mut Vec<&'a Reference>) {
        match &self.content {
            TemplateContent::Null | TemplateContent::Bool(_) | TemplateContent::Number(_) => {}
            TemplateContent::Text(pieces) => found.extend(pieces.iter().filter_map(Piece::reference)),
            TemplateContent::List(items) => items.iter().for_each(|item| item.collect(found)),
            TemplateContent::Map(entries) => entries.values().for_each(|value| value.collect(found)),
        }
    }

    /// The value, if nothing in it is a reference.
    pub fn literal(&self) -> Option<Value> {
        self.resolve(&|_| Err(())).ok()
    }
}

impl Piece {
    /// The reference, if the piece is one.
    pub fn reference(&self) -> Option<&Reference> {
        match self {
            Self::Literal(_) => None,
            Self::Reference(reference) => Some(reference),
        }
    }
}

fn resolve_text<E>(pieces: &[Piece], lookup: &impl Fn(&Reference) -> Result<Value, E>) -> Result<Value, E> {
    if let [Piece::Reference(reference)] = pieces {
        return lookup(reference);
    }
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Reference(reference) => text.push_str(&into_text(lookup(reference)?)),
        }
    }
    Ok(Value::String(text))
}

fn into_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// A value where SSM wants a list of texts: lists are spliced into one, anything else is one text.
///
/// So `InstanceIds: "{{ ids }}"`, `InstanceIds: ["{{ ids }}"]` and `Operation: Scan` all give what
/// SendCommand takes.
pub fn into_texts(value: Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.into_iter().flat_map(into_texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            vec![into_text(value)]
        }
    }
}

fn pieces(text: &str, scope: &Scope) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut literal_from = 0;
    let mut braces = Braces::new(text);
    while let Some(Brace { open, inner, end }) = braces.next() {
        let Some(reference) = scope.find(inner) else { continue };
        push_literal(&mut pieces, &text[literal_from..open]);
        pieces.push(Piece::Reference(reference));
        literal_from = end;
        braces.skip_to(end);
    }
    push_literal(&mut pieces, &text[literal_from..]);
    pieces
}

/// The longest a reference can be with generous space inside its braces.
const REFERENCE_BYTES_MAX: usize = 1024;

/// Everything in a text that could be a reference. Unless told to skip what it was, the search goes on one
/// brace further, not two: the reference of `{{{ name }}}` begins at the second.
pub(crate) struct Braces<'t> {
    text: &'t str,
    at: usize,
    /// The first closing braces at or after `at`: looked for once, or a text of nothing but opening braces
    /// would be searched to its end from every one of them.
    close: usize,
}

/// `{{ inner }}`
pub(crate) struct Brace<'t> {
    pub(crate) open: usize,
    pub(crate) inner: &'t str,
    pub(crate) end: usize,
}

impl<'t> Braces<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { text, at: 0, close: 0 }
    }

    /// Goes on behind what turned out to be a reference.
    pub(crate) fn skip_to(&mut self, end: usize) {
        self.at = end;
    }
}

impl<'t> Iterator for Braces<'t> {
    type Item = Brace<'t>;

    fn next(&mut self) -> Option<Brace<'t>> {
        loop {
            let open = self.at + self.text.get(self.at..)?.find("{{")?;
            let start = open + 2;
            if self.close < start {
                self.close = start + self.text.get(start..)?.find("}}")?;
            }
            self.at = open + 1;
            let inner = self.text.get(start..self.close)?;
            if inner.len() <= REFERENCE_BYTES_MAX && !inner.starts_with('{') {
                return Some(Brace { open, inner, end: self.close + 2 });
            }
        }
    }
}

fn literal(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    push_literal(&mut pieces, text);
    pieces
}

fn push_literal(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Literal(text.to_owned()));
    }
}
