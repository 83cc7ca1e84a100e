//! Where in a response the value of an output stands (SSM User Guide, automation-action-outputs-inputs).

use std::fmt::Write as _;

use serde_json::Value;
use serde_json_path::JsonPath;

use crate::{Position, UserOutput, ValueType, binding::converted};

/// A JSONPath.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The path as written.
    pub text: String,
    /// Where it stands.
    pub position: Position,
    path: JsonPath,
    is_definite: bool,
}

/// Why the value of an output could not be taken. The value is left out: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutputProblem {
    /// What was selected is not of the declared type.
    #[error("output {output}: what {selector} selects is not of type {expected}")]
    Type {
        /// The name of the output.
        output: String,
        /// The selector.
        selector: String,
        /// The declared type.
        expected: ValueType,
    },
}

/// The longest selector read, and how deeply its brackets and parentheses nest. The parser of filters calls
/// itself, and tries a filter within a filter more than once.
const TEXT_BYTES_MAX: usize = 1024;
const NESTING_MAX: usize = 6;

/// How many deep scans: each multiplies what the next has to look at.
const SCANS_MAX: usize = 4;

impl Selector {
    /// Reads a selector, or says what is wrong with it.
    pub(crate) fn new(text: &str, position: Position) -> Result<Self, String> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(format!("it is longer than {TEXT_BYTES_MAX} bytes"));
        }
        let standard = Standard::write(text)?;
        let path = JsonPath::parse(&standard.text).map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), position, path, is_definite: standard.is_definite })
    }

    /// Everything it selects, in document order.
    pub fn select<'v>(&self, response: &'v Value) -> Vec<&'v Value> {
        self.path.query(response).all()
    }

    /// Whether it names one place, and not every place of some kind.
    pub fn is_definite(&self) -> bool {
        self.is_definite
    }
}

impl UserOutput {
    /// Its value in the response of the action; none if nothing is there.
    ///
    /// A list takes everything that a deep scan or a wildcard finds, and the list itself that a definite path
    /// leads to. Any other type takes the value of a definite path, or the first of what is found. "If the
    /// value of an output doesn't match the data type you've specified, Automation tries to convert the data type."
    ///
    /// # Errors
    /// That what is there is not of its type and is not converted to it.
    pub fn take(&self, response: &Value) -> Result<Option<Value>, OutputProblem> {
        let Some(selector) = &self.selector else { return Ok(None) };
        let mut found = selector.select(response);
        found.retain(|value| !value.is_null());
        let value = match self.value_type {
            ValueType::StringList | ValueType::MapList if !selector.is_definite && !found.is_empty() => {
                Some(found.into_iter().cloned().collect())
            }
            ValueType::StringList
            | ValueType::MapList
            | ValueType::String
            | ValueType::Integer
            | ValueType::Boolean
            | ValueType::StringMap => found.first().copied().cloned(),
        };
        let Some(value) = value else { return Ok(None) };
        let problem = || OutputProblem::Type {
            output: self.name.clone(),
            selector: selector.text.clone(),
            expected: self.value_type,
        };
        converted(self.value_type, value).map(Some).ok_or_else(problem)
    }
}

/// A selector as RFC 9535 writes it. SSM's are laxer in two ways: the root may be left out, and a name after a
/// dot may have any letter but those that end it (`$.Payload.my-key`).
struct Standard {
    text: String,
    is_definite: bool,
}

impl Standard {
    fn write(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let rest = text.strip_prefix('$').unwrap_or(text);
        let mut standard = Self { text: "$".to_owned(), is_definite: true };
        let mut scans = 0;
        let mut rest = match rest.chars().next() {
            None | Some('.' | '[') => rest.to_owned(),
            Some(_) if text.starts_with('$') => return Err("a dot or a bracket follows the $".to_owned()),
            Some(_) => format!(".{rest}"),
        };
        while !rest.is_empty() {
            let after = if let Some(after) = rest.strip_prefix("..") {
                scans += 1;
                standard.is_definite = false;
                standard.text.push_str("..");
                standard.name(after)?
            } else if let Some(after) = rest.strip_prefix('.') {
                if !after.starts_with('[') {
                    standard.text.push('.');
                }
                standard.name(after)?
            } else {
                standard.bracket(&rest)?
            };
            rest = after.to_owned();
        }
        if scans > SCANS_MAX {
            return Err(format!("it has more than {SCANS_MAX} deep scans"));
        }
        Ok(standard)
    }

    /// Writes the name that the text begins with and returns what follows it.
    fn name<'t>(&mut self, text: &'t str) -> Result<&'t str, String> {
        if text.starts_with('[') {
            return self.bracket(text);
        }
        let end = text.find(['.', '[']).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err("a name is missing after a dot".to_owned());
        }
        if name == "*" {
            self.is_definite = false;
            self.text.push('*');
        } else {
            // In brackets any name can stand; the dot before it goes, those of a deep scan stay.
            if !self.text.ends_with("..") {
                self.text.pop();
            }
            let quoted = serde_json::to_string(name).map_err(|error| error.to_string())?;
            write!(self.text, "[{quoted}]").map_err(|error| error.to_string())?;
        }
        Ok(rest)
    }

    /// Writes the bracket that the text begins with and returns what follows it.
    fn bracket<'t>(&mut self, text: &'t str) -> Result<&'t str, String> {
        let mut nesting = 0_usize;
        let mut quote = None;
        let mut is_escaped = false;
        for (at, letter) in text.char_indices() {
            match (quote, letter) {
                (Some(_), _) if is_escaped => is_escaped = false,
                (Some(_), '\\') => is_escaped = true,
                (Some(open), _) if open == letter => quote = None,
                (Some(_), _) => {}
                (None, '\'' | '"') => quote = Some(letter),
                (None, '[' | '(') => nesting += 1,
                (None, ']' | ')') => nesting = nesting.saturating_sub(1),
                (None, '*' | '?' | ':' | ',') => self.is_definite = false,
                (None, _) => {}
            }
            if nesting > NESTING_MAX {
                return Err(format!("its brackets nest deeper than {NESTING_MAX} levels"));
            }
            if nesting == 0 {
                let (bracket, rest) = text.split_at(at + letter.len_utf8());
                self.text.push_str(bracket);
                return Ok(rest);
            }
        }
        Err("a bracket is not closed".to_owned())
    }
}
