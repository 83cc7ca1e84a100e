//! How sure it is that braces in a text were meant as a reference.

use crate::{Position, Reference, Severity};

/// The longest single-line text in which braces around something unknown are taken for a mistake.
const LINE_BYTES_MAX: usize = 512;

/// The text that a reference stands in.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) position: Position,
    /// The reference is the whole of it.
    pub(super) is_whole: bool,
    /// Whoever wrote braces here meant a reference: it is no script and no template of something else.
    pub(super) is_meant: bool,
    /// How bad it is if a name here is that of nothing; None where others have braces of their own.
    pub(super) doubt: Option<Severity>,
}

impl Place {
    pub(super) fn new(text: &str, position: Position, is_whole: bool, is_foreign: bool) -> Self {
        let is_line = is_line(text);
        let doubt = match (is_whole, is_foreign) {
            (true, _) => Some(Severity::Error),
            (false, _) if !is_line || is_markup(text) => None,
            (false, true) => Some(Severity::Warning),
            (false, false) => Some(Severity::Error),
        };
        Self { position, is_whole, is_meant: is_whole || is_line, doubt }
    }

    /// A text that can only be a reference.
    pub(super) fn whole(position: Position) -> Self {
        Self { position, is_whole: true, is_meant: true, doubt: Some(Severity::Error) }
    }
}

fn is_line(text: &str) -> bool {
    !text.contains('\n') && text.len() <= LINE_BYTES_MAX
}

/// Whether it is HTML or XML, which templates of others fill in.
fn is_markup(text: &str) -> bool {
    let opens = |rest: &str| rest.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '/');
    text.contains('>') && text.split('<').skip(1).any(opens)
}

/// Inputs that hold scripts, templates and documents of something else: their braces may be its own.
pub(super) fn is_foreign_input(key: &str) -> bool {
    const INPUTS: [&str; 7] =
        ["Script", "InputPayload", "Payload", "ClientContext", "input", "UserData", "commands"];
    const ENDS: [&str; 4] = ["Body", "Content", "Document", "Definition"];
    INPUTS.contains(&key) || key.starts_with("Template") || ENDS.iter().any(|end| key.ends_with(end))
}

/// The name in a text that begins like a reference and has no end.
pub(super) fn unclosed(text: &str) -> Option<&str> {
    let rest = text.trim().strip_prefix("{{").filter(|rest| is_line(text) && !rest.contains("}}"))?;
    let name = rest.trim_end_matches('}').trim();
    name.parse::<Reference>().is_ok().then_some(name)
}
