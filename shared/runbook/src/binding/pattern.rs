use fancy_regex::{Regex, RegexBuilder};

use super::ParameterProblem;

/// An `allowedPattern`. Patterns are Java's at the API, and AWS's own runbooks look ahead and behind in
/// theirs, which `regex` does not; hence `fancy_regex`, which limits its backtracking.
pub(crate) struct Pattern<'a> {
    text: &'a str,
    regex: Regex,
}

/// How much a pattern may cost.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    backtracks: usize,
    bytes: usize,
}

/// What one may cost when an execution is started: a moment.
pub(crate) const AT_START: Effort = Effort { backtracks: 1_000_000, bytes: 10 << 20 };

/// What one may cost when a document is read.
pub(crate) const AT_READING: Effort = Effort { backtracks: 1_000, bytes: 256 << 10 };

impl<'a> Pattern<'a> {
    pub(crate) fn new(text: &'a str, effort: Effort) -> Result<Self, ParameterProblem> {
        // Matched in full, as Java's `matches` does.
        let anchored = format!(r"\A(?:{})\z", ascii_classes(text));
        let regex = RegexBuilder::new(&anchored)
            .backtrack_limit(effort.backtracks)
            .delegate_size_limit(effort.bytes)
            .build();
        let regex = regex.map_err(|_| unusable(text))?;
        Ok(Self { text, regex })
    }

    pub(super) fn check(&self, value: &str) -> Result<(), ParameterProblem> {
        match self.regex.is_match(value) {
            Ok(true) => Ok(()),
            Ok(false) => Err(ParameterProblem::Pattern { pattern: self.text.to_owned() }),
            // It went back and forth for too long, which says nothing about the value.
            Err(_) => Err(unusable(self.text)),
        }
    }
}

fn unusable(pattern: &str) -> ParameterProblem {
    ParameterProblem::PatternUnusable { pattern: pattern.to_owned() }
}

/// Writes out `\w`, `\d` and `\s`, which in Java are ASCII and here are Unicode. That is not only another
/// meaning: `[\w/]{1,512}`, as many runbooks have it, is too large to compile with all of Unicode in it.
/// A class may stand inside a class in both languages.
fn ascii_classes(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            written.push(letter);
            continue;
        }
        match letters.next() {
            Some('w') => written.push_str("[0-9A-Za-z_]"),
            Some('W') => written.push_str("[^0-9A-Za-z_]"),
            Some('d') => written.push_str("[0-9]"),
            Some('D') => written.push_str("[^0-9]"),
            Some('s') => written.push_str(r"[ \t\n\x0B\f\r]"),
            Some('S') => written.push_str(r"[^ \t\n\x0B\f\r]"),
            Some(other) => written.extend(['\\', other]),
            None => written.push('\\'),
        }
    }
    written
}
