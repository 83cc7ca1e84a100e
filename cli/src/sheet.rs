//! What pages for people are made of, 100 columns wide.

use crate::text::{self, OUTCOMES, cut, word};
use crate::view::StepView;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table, TableStyle};
use console::{StyledObject, style};
use fleetwright_fleet::Outcome;
use std::fmt::Write;

/// How wide a page is.
pub(crate) const WIDTH: usize = 100;
/// Lines of an output.
const LINES_MAX: usize = 6;
/// Nodes of a group, in lines of three.
const NODES_MAX: usize = 9;
/// Between the parts of a table.
const LINE: LineStyle = LineStyle::none().fill('─').junction('─');

// Writing to a String cannot fail: every result of it below is dropped for that reason.

/// A table of these columns and rows.
pub(crate) fn table(header: Vec<Cell>, rows: impl IntoIterator<Item = Vec<Cell>>) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().top_border(LINE).header_separator(LINE).bottom_border(LINE));
    table.set_content_arrangement(ContentArrangement::Disabled);
    if !console::colors_enabled() {
        table.force_no_tty();
    }
    table.set_header(header);
    for row in rows {
        table.add_row(row);
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((1, 0));
    });
    table
}

/// A table of steps: their nodes by outcome, and how long they took.
pub(crate) fn steps<'a>(steps: impl IntoIterator<Item = &'a StepView>) -> Table {
    let counted = OUTCOMES.map(|outcome| right(word(outcome).to_uppercase().replace(' ', "\n")));
    let mut header = vec![Cell::new("STEP"), Cell::new("STATUS"), right("NODES")];
    header.extend(counted);
    header.push(right("TOOK"));
    table(header, steps.into_iter().map(row))
}

fn row(step: &StepView) -> Vec<Cell> {
    let tries = if step.attempt > 1 { format!(" ×{}", step.attempt) } else { String::new() };
    let status = Cell::new(format!("{}{tries}", step.status)).fg(colour_of_status(&step.status));
    let open = step.total.filter(|_| !step.is_over()).unwrap_or_default();
    let total = step.counts.map_or_else(String::new, |counts| text::grouped(counts.total().max(open)));
    let mut row = vec![Cell::new(cut(&name(step), 24)).add_attribute(Attribute::Bold), status, right(total)];
    for outcome in OUTCOMES {
        row.push(match step.counts.map(|counts| counts.of(outcome)) {
            None => right(""),
            Some(0) => right("·"),
            Some(count) => right(text::grouped(count)).fg(colour(outcome)),
        });
    }
    let took = step.took();
    row.push(right(if took.is_zero() { String::new() } else { text::duration(took) }));
    row
}

/// A step inside a loop stands under it, with its round.
fn name(step: &StepView) -> String {
    match step.round {
        None => step.name.clone(),
        Some(round) => format!("  {} #{round}", step.name),
    }
}

/// A cell whose text ends at its right.
pub(crate) fn right(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// The colour of an outcome in a table.
pub(crate) const fn colour(outcome: Outcome) -> Color {
    match outcome {
        Outcome::Success => Color::Green,
        Outcome::Failed => Color::Red,
        Outcome::TimedOut => Color::Yellow,
        Outcome::Unknown => Color::Magenta,
        Outcome::NotRun => Color::Blue,
    }
}

/// The colour of a status in a table: whatever isn't known to have ended well or badly is yellow.
pub(crate) fn colour_of_status(status: &str) -> Color {
    match status {
        "Success" => Color::Green,
        "Failed" | "TimedOut" => Color::Red,
        _ => Color::Yellow,
    }
}

/// A status in a line of text.
pub(crate) fn coloured_status(status: &str) -> StyledObject<String> {
    let text = style(cut(status, 20));
    match status {
        "Success" => text.green(),
        "Failed" | "TimedOut" => text.red(),
        _ => text.yellow(),
    }
}

/// What is said of an outcome in a line of text.
pub(crate) fn coloured<T>(outcome: Outcome, text: T) -> StyledObject<T> {
    let text = style(text);
    match outcome {
        Outcome::Success => text.green(),
        Outcome::Failed => text.red(),
        Outcome::TimedOut => text.yellow(),
        Outcome::Unknown => text.magenta(),
        Outcome::NotRun => text.blue(),
    }
}

/// The title of a part of a page.
pub(crate) fn title(page: &mut String, text: &str) {
    let _ = writeln!(page, "{}", style(text).bold().underlined());
}

/// Lines that say who says what; nothing if nobody says anything.
pub(crate) fn messages<'a>(
    page: &mut String,
    heading: &str,
    messages: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    let mut messages = messages.into_iter().peekable();
    if messages.peek().is_none() {
        return;
    }
    title(page, heading);
    for (name, message) in messages {
        for (at, line) in text::wrap(&format!("{name}: {message}"), WIDTH - 4).iter().enumerate() {
            let _ = writeln!(page, "  {}{line}", if at == 0 { "" } else { "  " });
        }
    }
    page.push('\n');
}

/// The first lines of what nodes said.
pub(crate) fn quote(page: &mut String, said: &[String]) {
    let said: Vec<String> = said.iter().flat_map(|line| text::wrap(line, WIDTH - 6)).collect();
    for line in said.iter().take(LINES_MAX) {
        let _ = writeln!(page, "    {} {line}", style("│").dim());
    }
    if said.len() > LINES_MAX {
        let _ = writeln!(page, "    {} … {} more lines", style("│").dim(), said.len() - LINES_MAX);
    }
}

/// The first of `count` nodes, as many in a line as there is room for.
pub(crate) fn nodes(page: &mut String, labels: impl IntoIterator<Item = String>, count: usize) {
    let shown: Vec<String> = labels.into_iter().take(NODES_MAX).collect();
    let width = shown.iter().map(|label| label.chars().count()).max().unwrap_or_default();
    let in_a_line = ((WIDTH - 4) / (width + 2)).max(1);
    for line in shown.chunks(in_a_line) {
        let line: Vec<String> = line.iter().map(|label| format!("{label:width$}")).collect();
        let _ = writeln!(page, "    {}", line.join("  ").trim_end());
    }
    if count > shown.len() {
        let _ = writeln!(page, "    … and {} more", count - shown.len());
    }
}

/// The outputs of a runbook; nothing if it has none.
pub(crate) fn outputs<'a>(
    page: &mut String,
    outputs: impl IntoIterator<Item = (&'a String, &'a Vec<String>)>,
) {
    let outputs: Vec<_> = outputs.into_iter().collect();
    if outputs.is_empty() {
        return;
    }
    title(page, "Outputs of the runbook");
    let width = outputs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, values) in outputs {
        let _ = writeln!(page, "  {name:width$}  {}", value(values, WIDTH.saturating_sub(width + 4)));
    }
    page.push('\n');
}

/// A value of the runbook: the whole of it, or how many items it has and as many of them as there is room for.
fn value(values: &[String], room: usize) -> String {
    if values.is_empty() {
        return style("none").dim().to_string();
    }
    let whole = values.join(", ");
    if whole.chars().count() <= room {
        return cut(&whole, room);
    }
    if let [single] = values {
        return cut(single, room);
    }
    let mut line = format!("{}: ", text::grouped(values.len() as u64));
    for value in values {
        if line.chars().count() + value.chars().count() + 3 > room {
            break;
        }
        line.push_str(&cut(value, room));
        line.push_str(", ");
    }
    line.push('…');
    line
}
