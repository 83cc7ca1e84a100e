use std::{collections::BTreeMap, iter::Peekable, str::CharIndices};

use super::{
    DEPTH_MAX, duplicate_key,
    node::{Content, Entry, Node},
    too_deep,
};
use crate::{Code, Diagnostic, Position};

/// Reads a text that is known to be JSON, and keeps positions, which is what serde_json does not do.
pub(super) fn read(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Result<Node, Diagnostic> {
    Cursor { text, letters: text.char_indices().peekable(), position: Position::START, diagnostics }.value(0)
}

struct Cursor<'a> {
    text: &'a str,
    letters: Peekable<CharIndices<'a>>,
    position: Position,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Cursor<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, Diagnostic> {
        self.skip_space();
        let position = self.position;
        if depth > DEPTH_MAX {
            return Err(too_deep(position));
        }
        let content = match self.peek() {
            Some('{') => Content::Map(self.map(depth)?),
            Some('[') => Content::List(self.list(depth)?),
            Some('"') => Content::Text(self.text()?),
            _ => self.word()?,
        };
        Ok(Node { position, content })
    }

    fn map(&mut self, depth: usize) -> Result<Vec<Entry>, Diagnostic> {
        let mut entries = Vec::new();
        let mut seen = BTreeMap::new();
        self.advance();
        loop {
            self.skip_space();
            if self.take('}') {
                return Ok(entries);
            }
            let key_position = self.position;
            let key = self.text()?;
            self.skip_space();
            self.expect(':')?;
            let value = self.value(depth + 1)?;
            if let Some(first) = seen.get(&key) {
                self.diagnostics.push(duplicate_key(&key, key_position, *first));
            } else {
                seen.insert(key.clone(), key_position);
                entries.push(Entry { key, key_position, value });
            }
            self.skip_space();
            self.take(',');
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Diagnostic> {
        let mut items = Vec::new();
        self.advance();
        loop {
            self.skip_space();
            if self.take(']') {
                return Ok(items);
            }
            items.push(self.value(depth + 1)?);
            self.skip_space();
            self.take(',');
        }
    }

    fn text(&mut self) -> Result<String, Diagnostic> {
        let position = self.position;
        let start = self.offset();
        self.expect('"')?;
        while let Some(letter) = self.advance() {
            if letter == '\\' {
                self.advance();
            } else if letter == '"' {
                break;
            }
        }
        self.decode(start, position)
    }

    /// Numbers, `true`, `false` and `null`.
    fn word(&mut self) -> Result<Content, Diagnostic> {
        let position = self.position;
        let start = self.offset();
        while self.peek().is_some_and(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter)) {
            self.advance();
        }
        match self.decode(start, position)? {
            serde_json::Value::Bool(flag) => Ok(Content::Bool(flag)),
            serde_json::Value::Number(number) => Ok(Content::Number(number)),
            serde_json::Value::Null => Ok(Content::Null),
            serde_json::Value::String(_) | serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                Err(malformed(position))
            }
        }
    }

    fn decode<T: serde::de::DeserializeOwned>(
        &mut self,
        start: usize,
        position: Position,
    ) -> Result<T, Diagnostic> {
        let slice = self.text.get(start..self.offset()).unwrap_or_default();
        serde_json::from_str(slice).map_err(|_| malformed(position))
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|letter| letter.is_ascii_whitespace()) {
            self.advance();
        }
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, wanted: char) -> Result<(), Diagnostic> {
        if self.take(wanted) { Ok(()) } else { Err(malformed(self.position)) }
    }

    fn peek(&mut self) -> Option<char> {
        self.letters.peek().map(|(_, letter)| *letter)
    }

    fn offset(&mut self) -> usize {
        self.letters.peek().map_or(self.text.len(), |(offset, _)| *offset)
    }

    fn advance(&mut self) -> Option<char> {
        let (_, letter) = self.letters.next()?;
        if letter == '\n' {
            self.position.line += 1;
            self.position.column = 1;
        } else {
            self.position.column += 1;
        }
        Some(letter)
    }
}

fn malformed(position: Position) -> Diagnostic {
    Diagnostic::new(Code::Syntax, position, "not JSON")
}
