use super::Reader;
use crate::{
    Code, Diagnostic, Position,
    source::node::{Content, Entry, Node},
};

/// The properties of a mapping.
#[derive(Clone, Copy)]
pub(super) struct Fields<'n> {
    pub(super) entries: &'n [Entry],
    pub(super) position: Position,
}

impl<'n> Fields<'n> {
    /// The property, unless it is absent or null: SSM treats both alike.
    pub(super) fn get(self, key: &str) -> Option<&'n Node> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        (entry.value.content != Content::Null).then_some(&entry.value)
    }

    /// The property, or an error at the mapping that lacks it.
    pub(super) fn require(self, reader: &mut Reader, key: &str, what: &str) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let position = self.entries.iter().find(|entry| entry.key == key).map(|entry| entry.key_position);
            let message = format!("{what} has no {key}");
            reader.report(Code::MissingProperty, position.unwrap_or(self.position), message);
        }
        found
    }

    /// Reports the properties that are none of these: a misspelt one would be ignored in silence.
    pub(super) fn only(self, reader: &mut Reader, known: &[&str], what: &str) {
        for entry in self.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let message = format!("{what} has no property {:?}", entry.key);
            let mut diagnostic = Diagnostic::new(Code::UnknownProperty, entry.key_position, message);
            if let Some(nearest) = super::nearest(&entry.key, known.iter().copied()) {
                diagnostic = diagnostic.hint(format!("did you mean {nearest:?}?"));
            }
            reader.diagnostics.push(diagnostic);
        }
    }
}
