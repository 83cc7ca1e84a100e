//! From text to a tree that knows where everything stands.

mod json;
pub(crate) mod node;
mod scalar;
mod yaml;

use self::node::Node;
use crate::{Code, Diagnostic, Position};

/// The longest runbook SSM takes, in bytes (SSM quotas: document size 64 KB).
pub const TEXT_BYTES_MAX: usize = 65_536;

/// The deepest nesting taken. Scripts are text, so real documents stay below 15; every later walk over the
/// tree recurses, and this is what bounds it.
pub(crate) const DEPTH_MAX: usize = 64;

/// How much aliases may make of a text, in nodes and bytes together: what a document may hold without them,
/// several times over.
const EXPANDED_WEIGHT_MAX: usize = 8 * TEXT_BYTES_MAX;

/// Reads YAML or JSON. Duplicate keys are reported and the reading goes on with the first of them.
pub(crate) fn read(text: &str) -> (Option<Node>, Vec<Diagnostic>) {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the text has {} bytes, SSM takes at most {TEXT_BYTES_MAX}", text.len());
        return (None, vec![Diagnostic::new(Code::TooLarge, Position::START, message)]);
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut diagnostics = Vec::new();
    // JSON is nearly YAML, but not with tabs as indentation nor with surrogate pairs (`"\ud83d\ude80"`, which
    // is how Python writes an emoji): what is JSON is read as JSON.
    if let Some(diagnostic) = comment(text) {
        return (None, vec![diagnostic]);
    }
    let result =
        if is_json(text) { json::read(text, &mut diagnostics) } else { yaml::read(text, &mut diagnostics) };
    match result {
        Ok(node) => (Some(node), diagnostics),
        Err(fatal) => {
            diagnostics.push(fatal);
            (None, diagnostics)
        }
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// What is meant as JSON and has a comment may be YAML all the same, in which the comment is the beginning of a key or
/// more of a value: what would be said of that helps nobody.
fn comment(text: &str) -> Option<Diagnostic> {
    if !text.trim_start().starts_with(['{', '[', '/']) {
        return None;
    }
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    let line = text.lines().nth(error.line().checked_sub(1)?)?;
    let (before, rest) = line.split_at_checked(error.column().checked_sub(1)?)?;
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let position = Position { line: number(error.line()), column: number(before.chars().count() + 1) };
    let message = "JSON has no comments, and those of YAML begin with #";
    let is_comment = rest.starts_with("//") || rest.starts_with("/*");
    is_comment.then(|| Diagnostic::new(Code::Syntax, position, message).hint("remove the comment"))
}

fn too_deep(position: Position) -> Diagnostic {
    Diagnostic::new(Code::TooDeep, position, format!("nested deeper than {DEPTH_MAX} levels"))
}

fn duplicate_key(key: &str, position: Position, first: Position) -> Diagnostic {
    Diagnostic::new(Code::DuplicateKey, position, format!("the key {key:?} stands at {first} already"))
        .hint("a mapping has each key once: rename or remove one of them")
}
