//! A diagnostic with the line of the runbook it is about, in the manner of rustc.

use crate::text::{cut, grouped};
use annotate_snippets::renderer::Renderer;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Snippet, normalize_untrusted_str};
use console::Term;
use fleetwright_runbook::{Diagnostic, Position, Severity};

/// How wide a page is where nobody says.
const WIDTH: usize = 100;
/// And the narrowest on which a line can still be recognised.
const WIDTH_MIN: usize = 40;
/// Diagnostics of one file that are shown.
const DIAGNOSTICS_MAX: usize = 100;
/// Characters of a message: it may quote the runbook.
const MESSAGE_CHARS_MAX: usize = 600;

/// Where diagnostics are printed.
pub(crate) struct Printer {
    renderer: Renderer,
    width: usize,
}

impl Printer {
    /// For standard output.
    pub(crate) fn stdout() -> Self {
        Self::new(&Term::stdout(), console::colors_enabled())
    }

    /// For standard error.
    pub(crate) fn stderr() -> Self {
        Self::new(&Term::stderr(), console::colors_enabled_stderr())
    }

    fn new(terminal: &Term, colours: bool) -> Self {
        // A terminal that does not know its width says 0.
        let columns = terminal.size_checked().map(|(_, columns)| usize::from(columns));
        let width = columns.filter(|columns| *columns > 0).unwrap_or(WIDTH).max(WIDTH_MIN);
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        Self { renderer: renderer.term_width(width), width }
    }

    /// All that is said of a file with that text, an empty line after each: errors before warnings where there is too
    /// much of it for anybody to read.
    pub(crate) fn diagnostics(&self, file: &str, text: &str, all: &[Diagnostic]) -> String {
        let mut told: Vec<&Diagnostic> = all.iter().collect();
        if all.len() > DIAGNOSTICS_MAX {
            told.sort_by_key(|diagnostic| match diagnostic.severity {
                Severity::Error => 0,
                Severity::Warning => 1,
            });
            told.truncate(DIAGNOSTICS_MAX);
        }
        let mut page: String =
            told.iter().map(|diagnostic| self.diagnostic(file, text, diagnostic) + "\n").collect();
        if all.len() > told.len() {
            page += &format!("… and {} more\n\n", grouped((all.len() - told.len()) as u64));
        }
        page
    }

    fn diagnostic(&self, file: &str, text: &str, diagnostic: &Diagnostic) -> String {
        let Diagnostic { severity, code, message, hint, position } = diagnostic;
        let (line, at) = place(text, *position, self.width);
        let end = line[at..].chars().next().map_or(at, |c| at + c.len_utf8());
        let snippet = Snippet::source(line)
            .path(cut(file, usize::MAX))
            .line_start(number(position.line))
            .annotation(AnnotationKind::Primary.span(at..end));
        let title = level(*severity).primary_title(cut(message, MESSAGE_CHARS_MAX)).id(code.as_str());
        let mut group = title.element(snippet);
        if let Some(hint) = hint {
            group =
                group.element(Level::HELP.message(normalize_untrusted_str(&cut(hint, MESSAGE_CHARS_MAX))));
        }
        self.render(group)
    }

    /// An error of a whole file.
    pub(crate) fn error(&self, file: &str, code: &str, message: &str) -> String {
        let title = Level::ERROR.primary_title(cut(message, MESSAGE_CHARS_MAX)).id(code);
        self.render(title.element(Origin::path(cut(file, usize::MAX))))
    }

    fn render(&self, group: Group<'_>) -> String {
        let text = self.renderer.render(&[group]);
        let lines = text.lines().map(str::trim_end);
        lines.flat_map(|line| [line, "\n"]).collect()
    }
}

const fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    }
}

fn number(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// The line a position is in and at which of its bytes, its end for what lies behind it. What follows farther away
/// than `reach` characters is left out: nobody would see it, and the renderer reads all it is given.
fn place(text: &str, position: Position, reach: usize) -> (String, usize) {
    let column = number(position.column).saturating_sub(1);
    // The renderer shows what else steers a terminal, but not these: U+009B begins a sequence as ESC [ does.
    let shown = |c: char| if ('\u{80}'..='\u{9f}').contains(&c) { '\u{fffd}' } else { c };
    let line = line(text, position.line).chars().map(shown);
    let line: String = line.take(column.saturating_add(reach)).collect();
    let at = line.char_indices().nth(column).map_or(line.len(), |(at, _)| at);
    (line, at)
}

fn line(text: &str, number: u32) -> &str {
    // Positions don't count a byte order mark.
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    for _ in 1..number {
        rest = rest.find(['\n', '\r']).map_or("", |end| after_break(&rest[end..]));
    }
    rest.split(['\n', '\r']).next().unwrap_or_default()
}

fn after_break(text: &str) -> &str {
    text.strip_prefix("\r\n").unwrap_or_else(|| text.get(1..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, column: u32) -> Position {
        Position { line, column }
    }

    #[test]
    fn places_count_lines_and_characters_as_the_language_does() {
        for (text, position, found) in [
            ("a: 1\nb: 2\n", at(2, 4), ("b: 2", 3)),
            ("a: 1\r\nb: 2\r\n", at(2, 4), ("b: 2", 3)),
            ("a: 1\rb: 2", at(2, 4), ("b: 2", 3)),
            ("\u{feff}a: 1", at(1, 4), ("a: 1", 3)),
            ("ä: ö", at(1, 4), ("ä: ö", 4)),
            ("\u{9b}: ö", at(1, 4), ("\u{fffd}: ö", 5)),
            ("a: 1\n", at(1, 9), ("a: 1", 4)),
            ("a: 1\n", at(2, 1), ("", 0)),
            ("a: 1", at(7, 3), ("", 0)),
            ("", at(1, 1), ("", 0)),
        ] {
            let (line, byte) = place(text, position, 100);
            assert_eq!((line.as_str(), byte), found, "{position} of {text:?}");
        }
    }
    #[test]
    fn of_a_long_line_nothing_is_kept_that_is_far_behind_the_place() {
        assert_eq!(place("ääähere, and so on", at(1, 4), 5), ("ääähere,".to_owned(), 6));
    }
}
