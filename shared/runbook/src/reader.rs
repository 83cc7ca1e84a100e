//! From the positioned tree to the syntax tree, reporting everything that is wrong on the way.

mod approve;
mod branch;
mod document;
mod fields;
mod looping;
mod on_cancel;
mod other;
mod output;
mod parameter;
mod references;
mod run_command;
mod sleep;
mod step;
mod update_variable;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use crate::{
    Code, Diagnostic, OrReference, Portability, Position, Runbook, Setting, Severity, StepName, Template,
    TextList,
    outline::Outline,
    reference::Scope,
    source::{
        self,
        node::{Content, Node},
    },
};

use self::fields::Fields;

/// Reads a runbook from YAML or JSON.
///
/// # Errors
/// Everything that is wrong with the text, in the order it stands there.
pub fn parse(text: &str) -> Result<Runbook, Vec<Diagnostic>> {
    let Reading { runbook, mut diagnostics, .. } = read(text, Portability::Here);
    diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    runbook.ok_or(diagnostics)
}

/// What a text was read as.
pub(crate) struct Reading {
    /// The runbook, if nothing is wrong with it.
    pub(crate) runbook: Option<Runbook>,
    /// Errors and warnings, in the order they stand in the text.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Its steps as far as they could be made out.
    pub(crate) outline: Outline,
}

/// Reads a text as far as it goes.
pub(crate) fn read(text: &str, portability: Portability) -> Reading {
    let (root, diagnostics) = source::read(text);
    let mut reader = Reader {
        scope: Scope::default(),
        step_positions: BTreeMap::new(),
        diagnostics,
        portability,
        patterns: 0,
    };
    let runbook = root.and_then(|root| document::read(&mut reader, &root));
    let Reader { scope, mut diagnostics, .. } = reader;
    drop_consequences(&mut diagnostics);
    for diagnostic in diagnostics.iter_mut().filter(|diagnostic| diagnostic.hint.is_none()) {
        diagnostic.hint = diagnostic.code.hint().map(str::to_owned);
    }
    diagnostics.sort_by_key(|diagnostic| diagnostic.position);
    let is_valid = diagnostics.iter().all(|diagnostic| diagnostic.severity == Severity::Warning);
    Reading { runbook: runbook.filter(|_| is_valid), diagnostics, outline: scope.outline }
}

/// A value that is a reference to nothing is also not a number, not a duration and so on: that is not said.
fn drop_consequences(diagnostics: &mut Vec<Diagnostic>) {
    let is_cause = |code| matches!(code, Code::UnknownReference | Code::StoreReference);
    // A warning is no cause: what is wrong has to stay wrong.
    let causes: BTreeSet<Position> = diagnostics
        .iter()
        .filter(|diagnostic| is_cause(diagnostic.code) && diagnostic.severity == Severity::Error)
        .map(|diagnostic| diagnostic.position)
        .collect();
    diagnostics.retain(|diagnostic| is_cause(diagnostic.code) || !causes.contains(&diagnostic.position));
}

/// What is known while a document is read: what it declares, and what is wrong so far.
struct Reader {
    scope: Scope,
    /// Where the steps read so far stand.
    step_positions: BTreeMap<StepName, Position>,
    diagnostics: Vec<Diagnostic>,
    portability: Portability,
    /// How many patterns were read.
    patterns: usize,
}

impl Reader {
    fn report(&mut self, code: Code, position: Position, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::new(code, position, message));
    }

    fn warn(&mut self, code: Code, position: Position, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::warning(code, position, message));
    }

    /// Says what SSM itself would not know, if somebody wants to know.
    fn not_portable(&mut self, position: Position, message: impl Into<String>) {
        if self.portability == Portability::Portable {
            self.warn(Code::NotPortable, position, message);
        }
    }

    /// "did you mean", where that can be said.
    fn hint_for<'a>(&self, text: &str, names: impl Iterator<Item = &'a str>) -> Option<String> {
        self.near(text, names).map(|nearest| format!("did you mean {nearest:?}?"))
    }

    /// What was meant, where that can be said.
    fn near<'a>(&self, text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        (self.diagnostics.len() < HINTS_MAX).then(|| nearest(text, names)).flatten()
    }

    fn wrong_type(&mut self, node: &Node, what: &str, expected: &str) {
        let message = format!("{what} must be {expected}, not {}", node.kind());
        self.report(Code::WrongType, node.position, message);
    }

    fn map<'n>(&mut self, node: &'n Node, what: &str) -> Option<Fields<'n>> {
        let Content::Map(entries) = &node.content else {
            self.wrong_type(node, what, "a mapping");
            return None;
        };
        Some(Fields { entries, position: node.position })
    }

    fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        let Content::List(items) = &node.content else {
            self.wrong_type(node, what, "a list");
            return None;
        };
        Some(items)
    }

    /// Text. Numbers and booleans that stand where text is wanted were meant as text and left unquoted.
    fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        let text = node.text();
        if text.is_none() {
            self.wrong_type(node, what, "text");
        }
        text.map(Cow::into_owned)
    }

    fn template(&self, node: &Node) -> Template {
        Template::new(node, &self.scope)
    }

    /// A list of texts; anything that is not a list stands for a list of one.
    fn text_list(&self, node: &Node) -> TextList {
        let items = match &node.content {
            Content::List(items) => items.iter().map(|item| self.template(item)).collect(),
            Content::Null | Content::Bool(_) | Content::Number(_) | Content::Text(_) | Content::Map(_) => {
                vec![self.template(node)]
            }
        };
        TextList { items }
    }

    /// A setting that has to be known now.
    fn literal<T: Setting>(&mut self, node: &Node, what: &str) -> Option<T> {
        match self.setting(node, what)? {
            OrReference::Literal(value) => Some(value),
            OrReference::Template(template) => {
                let message = format!("{what} cannot be a reference, it must be {}", T::EXPECTED);
                self.report(T::CODE, template.position, message);
                None
            }
        }
    }

    fn setting<T: Setting>(&mut self, node: &Node, what: &str) -> Option<OrReference<T>> {
        let template = self.template(node);
        let Some(value) = template.literal() else { return Some(OrReference::Template(template)) };
        let setting = T::read(&value).map(OrReference::Literal);
        if setting.is_none() {
            self.report(T::CODE, node.position, format!("{what} must be {}", T::EXPECTED));
        }
        setting
    }

    /// The name of a step to go to, which the document must have.
    fn target(&mut self, text: &str, position: Position, what: &str) -> Option<StepName> {
        let found = self.scope.targets.get(text).cloned();
        if found.is_none() {
            let hint = self.hint_for(text, self.scope.targets.iter().map(StepName::as_str));
            let message = format!("{what}: there is no step {text:?}");
            let mut diagnostic = Diagnostic::new(Code::UnknownStep, position, message);
            diagnostic.hint = hint;
            self.diagnostics.push(diagnostic);
        }
        found
    }
}

/// How many diagnostics may have cost a search for the nearest name. A document of nothing but wrong targets
/// would make thousands times thousands of comparisons, and nobody reads the hundredth hint.
const HINTS_MAX: usize = 100;

/// The first of what may be a long list, for a hint.
fn first_of<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const NAMES_MAX: usize = 8;
    let mut names: Vec<&str> = names.take(NAMES_MAX + 1).collect();
    if names.len() > NAMES_MAX {
        names[NAMES_MAX] = "…";
    }
    names.join(", ")
}

/// The known name that differs from what was written only in case, or in at most two letters.
fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const DIFFERENCE_MAX: usize = 2;
    const NAME_BYTES_MAX: usize = 128;
    if text.len() > NAME_BYTES_MAX {
        return None;
    }
    let scored = names.map(|name| (distance(&text.to_lowercase(), &name.to_lowercase()), name));
    let (score, name) = scored.min()?;
    (score <= DIFFERENCE_MAX && score < name.len()).then_some(name)
}

/// The Levenshtein distance of two short names.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (at, letter) in left.chars().enumerate() {
        let mut diagonal = at;
        row[0] = at + 1;
        for (column, other) in right.chars().enumerate() {
            let substituted = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = substituted.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}
