use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};

use super::{
    DEPTH_MAX, EXPANDED_WEIGHT_MAX, duplicate_key,
    node::{Content, Entry, Node},
    scalar, too_deep,
};
use crate::{Code, Diagnostic, Position};

/// The key of YAML 1.1 that takes over what another mapping has. YAML 1.2, in its core schema, has none.
const MERGE: &str = "<<";

/// How many lines are indented anew before the text is taken for broken.
const REPAIRS_MAX: usize = 200;

/// How far a line is moved: beyond any block it may stand in.
const REPAIR: &str = "                                                                ";

/// Reads one YAML document.
///
/// The parser holds flow collections to the indentation of the block around them, as YAML 1.2 does:
/// ```yaml
/// a:
///   b: {
///   }
/// ```
/// SSM's parser does not, and AWS's own runbooks are written so. The parser says which line it minds; within
/// braces indentation means nothing, so that line is indented and the text read again.
pub(super) fn read(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Result<Node, Diagnostic> {
    let mut repaired =
        Repaired { lines: text.split_inclusive('\n').map(Cow::Borrowed).collect(), moved: BTreeSet::new() };
    loop {
        let mut duplicates = Vec::new();
        let text = repaired.lines.concat();
        let result = build(&text, &mut duplicates, &repaired);
        let misplaced = result.as_ref().err().and_then(|failure| failure.misplaced);
        if misplaced.is_some_and(|line| repaired.repair(line)) {
            continue;
        }
        diagnostics.append(&mut duplicates);
        return result.map_err(|failure| failure.diagnostic);
    }
}

/// The lines of a text, and which of them were moved to the right.
struct Repaired<'a> {
    lines: Vec<Cow<'a, str>>,
    moved: BTreeSet<usize>,
}

impl Repaired<'_> {
    /// Moves a line, if that was not tried already.
    fn repair(&mut self, line: usize) -> bool {
        let Some(text) = line.checked_sub(1).and_then(|at| self.lines.get_mut(at)) else { return false };
        if self.moved.len() == REPAIRS_MAX || !self.moved.insert(line) {
            return false;
        }
        *text = Cow::Owned(format!("{REPAIR}{text}"));
        true
    }

    /// The position in the text as it was given.
    fn position(&self, marker: &Marker) -> Position {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let shift = if self.moved.contains(&marker.line()) { REPAIR.len() } else { 0 };
        Position {
            line: number(marker.line().max(1)),
            column: number(marker.col().saturating_sub(shift) + 1),
        }
    }
}

struct Failure {
    diagnostic: Diagnostic,
    /// The line whose indentation is at fault, if that is it.
    misplaced: Option<usize>,
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, misplaced: None }
    }
}

fn build(text: &str, duplicates: &mut Vec<Diagnostic>, repaired: &Repaired<'_>) -> Result<Node, Failure> {
    let mut builder = Builder::new(duplicates);
    let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(text);
    while let Some(step) = parser.next_event() {
        let (event, span) = step.map_err(|error| syntax(&error, repaired))?;
        builder.take(event, repaired.position(&span.start))?;
    }
    let empty = || Diagnostic::new(Code::NotAMapping, Position::START, "the document is empty");
    Ok(builder.root.ok_or_else(empty)?)
}

fn syntax(error: &ScanError, repaired: &Repaired<'_>) -> Failure {
    let position = repaired.position(error.marker());
    if error.info() == "recursion limit exceeded" {
        return too_deep(position).into();
    }
    let message = format!("neither YAML nor JSON: {}", error.info());
    // The parser gives these two only within braces or brackets.
    let is_misplaced =
        matches!(error.info(), "invalid indentation" | "invalid indentation in flow construct");
    Failure {
        diagnostic: Diagnostic::new(Code::Syntax, position, message),
        misplaced: is_misplaced.then_some(error.marker().line()),
    }
}

/// A list or mapping whose end has not come yet.
struct Open {
    position: Position,
    anchor: usize,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: BTreeMap<String, Position>, key: Option<(String, Position)> },
}

/// Builds the tree from events with a stack of its own, so that no input makes it recurse.
struct Builder<'a> {
    open: Vec<Open>,
    root: Option<Node>,
    anchors: BTreeMap<usize, Node>,
    expanded: usize,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    fn new(diagnostics: &'a mut Vec<Diagnostic>) -> Self {
        Self { open: Vec::new(), root: None, anchors: BTreeMap::new(), expanded: 0, diagnostics }
    }

    fn take(&mut self, event: Event<'_>, position: Position) -> Result<(), Diagnostic> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if self.wants_key() {
                    if style == ScalarStyle::Plain && text == MERGE {
                        return Err(Diagnostic::new(Code::Syntax, position, "merge keys are not supported")
                            .hint("write the properties out"));
                    }
                    return self.key(&text, position);
                }
                let is_text = style != ScalarStyle::Plain || tag.as_deref().is_some_and(means_text);
                let content = if is_text { Content::Text(text.into_owned()) } else { scalar::plain(&text) };
                self.put(Node { position, content }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(Kind::List(Vec::new()), anchor, position),
            Event::MappingStart(anchor, _) => {
                let kind = Kind::Map { entries: Vec::new(), seen: BTreeMap::new(), key: None };
                self.begin(kind, anchor, position)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, position),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(Diagnostic::new(Code::Syntax, position, "a second YAML document begins here")
                    .hint("a runbook is one document"))
            }
            Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::StreamStart
            | Event::StreamEnd
            | Event::Nothing => Ok(()),
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { kind: Kind::Map { key: None, .. }, .. }))
    }

    fn begin(&mut self, kind: Kind, anchor: usize, position: Position) -> Result<(), Diagnostic> {
        if self.wants_key() {
            return Err(Diagnostic::new(Code::Syntax, position, "a list or mapping cannot be a key")
                .hint("write references in quotes: \"{{ name }}\""));
        }
        if self.open.len() > DEPTH_MAX {
            return Err(too_deep(position));
        }
        self.open.push(Open { position, anchor, kind });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Diagnostic> {
        let Some(Open { position, anchor, kind }) = self.open.pop() else { return Ok(()) };
        let content = match kind {
            Kind::List(items) => Content::List(items),
            Kind::Map { entries, .. } => Content::Map(entries),
        };
        self.put(Node { position, content }, anchor)
    }

    fn key(&mut self, text: &str, position: Position) -> Result<(), Diagnostic> {
        if let Some(Open { kind: Kind::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = Some((text.to_owned(), position));
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, position: Position) -> Result<(), Diagnostic> {
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(Diagnostic::new(Code::Syntax, position, "an alias cannot stand inside its anchor"));
        };
        // Weighed before it is copied: a few lines of aliases of aliases stand for gigabytes.
        self.expanded = self.expanded.saturating_add(node.weight());
        if self.expanded > EXPANDED_WEIGHT_MAX {
            return Err(Diagnostic::new(Code::TooManyAliases, position, "the aliases expand to too much"));
        }
        if self.open.len() + node.height() > DEPTH_MAX {
            return Err(too_deep(position));
        }
        if self.wants_key() {
            return Err(Diagnostic::new(Code::Syntax, position, "an alias cannot be a key"));
        }
        let node = Node { position, content: node.content.clone() };
        self.put(node, 0)
    }

    /// Puts a complete node where it belongs: into what is open, or at the root.
    fn put(&mut self, node: Node, anchor: usize) -> Result<(), Diagnostic> {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root.get_or_insert(node);
            return Ok(());
        };
        match &mut open.kind {
            Kind::List(items) => items.push(node),
            Kind::Map { entries, seen, key } => {
                let Some((key, key_position)) = key.take() else { return Ok(()) };
                if let Some(first) = seen.get(&key) {
                    self.diagnostics.push(duplicate_key(&key, key_position, *first));
                } else {
                    seen.insert(key.clone(), key_position);
                    entries.push(Entry { key, key_position, value: node });
                }
            }
        }
        Ok(())
    }
}

/// `!!str` makes text of what looks like a number. Other tags (`!Ref`, left over from CloudFormation) say
/// nothing SSM would read, and what they stand at is taken as it is.
fn means_text(tag: &Tag) -> bool {
    tag.is_yaml_core_schema() && tag.suffix == "str"
}
