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

fn too_deep(position: Position) -> Diagnostic {
    Diagnostic::new(Code::TooDeep, position, format!("nested deeper than {DEPTH_MAX} levels"))
}

fn duplicate_key(key: &str, position: Position, first: Position) -> Diagnostic {
    Diagnostic::new(Code::DuplicateKey, position, format!("the key {key:?} stands at {first} already"))
        .hint("a mapping has each key once: rename or remove one of them")
}
