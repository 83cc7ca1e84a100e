//! A result as a page for people, 100 columns wide.

use crate::price::{self, Price};
use crate::report::{Report, Usage};
use crate::snapshot::StepSight;
use crate::text::{self, OUTCOMES, cut, word};
use crate::trouble::Trouble;
use comfy_table::{Attribute, Cell, CellAlignment, Color, ContentArrangement, LineStyle, Table, TableStyle};
use console::style;
use fleetwright_engine::Status;
use fleetwright_fleet::Outcome;
use std::collections::BTreeSet;
use std::fmt::Write;

/// How wide a page is.
const WIDTH: usize = 100;
/// Groups of nodes that are told of.
const GROUPS_MAX: usize = 10;
/// Lines of an output.
const LINES_MAX: usize = 6;
/// Nodes of a group, in lines of three.
const NODES_MAX: usize = 9;

/// Between the parts of a table.
const LINE: LineStyle = LineStyle::none().fill('─').junction('─');

/// The page.
pub(crate) fn page(report: &Report) -> String {
    let mut page = heading(report);
    let _ = writeln!(page, "{}\n", steps(&report.steps));
    answered(&mut page, report);
    messages(&mut page, report);
    troubles(&mut page, &report.troubles);
    outputs(&mut page, report);
    usage(&mut page, &report.usage);
    price(&mut page, report.price);
    page
}

// Writing to a String cannot fail: every result of it below is dropped for that reason.

fn heading(report: &Report) -> String {
    let status = style(report.status.as_str()).bold();
    let status = if report.succeeded() { status.green() } else { status.red() };
    let fleet = match report.nodes {
        0 => "without a fleet".to_owned(),
        nodes => format!("on {}", text::plural(nodes, "node")),
    };
    format!(
        "{} {fleet}: {status} after {} of virtual time (seed {})\n\n",
        style(&report.runbook).bold(),
        text::duration(report.duration),
        report.seed
    )
}

fn steps(steps: &[StepSight]) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().top_border(LINE).header_separator(LINE).bottom_border(LINE));
    table.set_content_arrangement(ContentArrangement::Disabled);
    if !console::colors_enabled() {
        table.force_no_tty();
    }
    let counted = OUTCOMES.map(|outcome| right(word(outcome).to_uppercase().replace(' ', "\n")));
    let mut header = vec![Cell::new("STEP"), Cell::new("STATUS"), right("NODES")];
    header.extend(counted);
    header.push(right("TOOK"));
    table.set_header(header);
    for sight in steps {
        table.add_row(row(sight));
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((1, 0));
    });
    table
}

fn row(sight: &StepSight) -> Vec<Cell> {
    let step = &sight.step;
    let tries = if step.attempt > 1 { format!(" ×{}", step.attempt) } else { String::new() };
    let status = Cell::new(format!("{}{tries}", step.status.as_str())).fg(colour_of_status(step.status));
    let total = sight.counts.map_or_else(String::new, |counts| text::grouped(counts.total()));
    let mut row = vec![Cell::new(cut(&name(sight), 24)).add_attribute(Attribute::Bold), status, right(total)];
    for outcome in OUTCOMES {
        row.push(match sight.counts.map(|counts| counts.of(outcome)) {
            None => right(""),
            Some(0) => right("·"),
            Some(count) => right(text::grouped(count)).fg(colour(outcome)),
        });
    }
    let took = step.ended_at.map(|end| end.duration_since(step.started_at)).unwrap_or_default();
    row.push(right(if took.is_zero() { String::new() } else { text::duration(took) }));
    row
}

/// A step inside a loop stands under it, with its round.
fn name(sight: &StepSight) -> String {
    match &sight.step.parent {
        None => sight.step.name.to_string(),
        Some(round) => format!("  {} #{}", sight.step.name, round.iteration),
    }
}

fn right(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

const fn colour(outcome: Outcome) -> Color {
    match outcome {
        Outcome::Success => Color::Green,
        Outcome::Failed => Color::Red,
        Outcome::TimedOut => Color::Yellow,
        Outcome::Unknown => Color::Magenta,
        Outcome::NotRun => Color::Blue,
    }
}

const fn colour_of_status(status: Status) -> Color {
    match status {
        Status::Success => Color::Green,
        Status::Failed | Status::TimedOut => Color::Red,
        Status::Cancelled | Status::Cancelling | Status::InProgress | Status::Waiting => Color::Yellow,
    }
}

fn title(page: &mut String, text: &str) {
    let _ = writeln!(page, "{}", style(text).bold().underlined());
}

/// Which of the steps that ran were answered for instead of being performed.
fn answered(page: &mut String, report: &Report) {
    let mut names: Vec<&str> = report.steps.iter().map(|sight| sight.step.name.as_str()).collect();
    names.retain(|name| report.answered.contains(*name));
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    if names.is_empty() {
        return;
    }
    let is_command = |sight: &StepSight| {
        sight.step.action == "aws:runCommand" && report.answered.contains(&sight.step.name)
    };
    let hint = if report.nodes == 0 && report.steps.iter().any(is_command) {
        " (--nodes or --fleet gives aws:runCommand something to run on)"
    } else {
        ""
    };
    let text = format!("Answered for, not performed: {}{hint}", names.join(", "));
    for line in text::wrap(&text, WIDTH) {
        let _ = writeln!(page, "{line}");
    }
    page.push('\n');
}

/// Why the execution and its steps failed.
fn messages(page: &mut String, report: &Report) {
    let of_steps = report.steps.iter().filter_map(|sight| {
        let message = sight.step.failure_message.as_deref()?;
        Some((sight.step.name.as_str(), message))
    });
    let of_execution = report.failure.as_deref().map(|message| ("execution", message));
    let messages: Vec<_> = of_steps.chain(of_execution).collect();
    if messages.is_empty() {
        return;
    }
    title(page, "What went wrong");
    for (name, message) in messages {
        for (at, line) in text::wrap(&format!("{name}: {message}"), WIDTH - 4).iter().enumerate() {
            let _ = writeln!(page, "  {}{line}", if at == 0 { "" } else { "  " });
        }
    }
    page.push('\n');
}

fn troubles(page: &mut String, troubles: &[Trouble]) {
    if troubles.is_empty() {
        return;
    }
    title(page, "Nodes that did not succeed");
    for trouble in troubles.iter().take(GROUPS_MAX) {
        group(page, trouble);
    }
    let rest = troubles.get(GROUPS_MAX..).unwrap_or_default();
    if !rest.is_empty() {
        let nodes: usize = rest.iter().map(|trouble| trouble.nodes.len()).sum();
        let _ = writeln!(page, "\n  … and {} more groups of {} nodes", rest.len(), nodes);
    }
    page.push('\n');
}

fn group(page: &mut String, trouble: &Trouble) {
    let many = format!("{} {}", trouble.nodes.len(), word(trouble.outcome));
    let many = style(many).bold();
    let many = match trouble.outcome {
        Outcome::Failed => many.red(),
        Outcome::TimedOut => many.yellow(),
        Outcome::Unknown => many.magenta(),
        Outcome::NotRun | Outcome::Success => many.blue(),
    };
    let details = trouble.details.as_ref().map_or_else(String::new, |details| format!(" ({details})"));
    let code = trouble.exit_code.map_or_else(String::new, |code| format!(", exit code {code}"));
    let _ = writeln!(page, "\n  {}: {many}{details}{code}", style(&trouble.step).bold());
    let said: Vec<String> = trouble.said.iter().flat_map(|line| text::wrap(line, WIDTH - 6)).collect();
    for line in said.iter().take(LINES_MAX) {
        let _ = writeln!(page, "    {} {line}", style("│").dim());
    }
    if said.len() > LINES_MAX {
        let _ = writeln!(page, "    {} … {} more lines", style("│").dim(), said.len() - LINES_MAX);
    }
    nodes(page, &trouble.nodes);
    if !trouble.later.is_empty() {
        let later = trouble.later.iter().map(|(step, counts)| format!("{step} {}", text::counts(*counts)));
        let _ = writeln!(page, "    later: {}", later.collect::<Vec<_>>().join("; "));
    }
}

fn nodes(page: &mut String, nodes: &[(String, String)]) {
    let label = |(name, id): &(String, String)| {
        if name.is_empty() || name == id { id.clone() } else { format!("{id} {}", cut(name, 16)) }
    };
    let shown: Vec<String> = nodes.iter().take(NODES_MAX).map(label).collect();
    let width = shown.iter().map(|label| label.chars().count()).max().unwrap_or_default();
    let in_a_line = ((WIDTH - 4) / (width + 2)).max(1);
    for line in shown.chunks(in_a_line) {
        let line: Vec<String> = line.iter().map(|label| format!("{label:width$}")).collect();
        let _ = writeln!(page, "    {}", line.join("  ").trim_end());
    }
    if nodes.len() > NODES_MAX {
        let _ = writeln!(page, "    … and {} more", nodes.len() - NODES_MAX);
    }
}

fn outputs(page: &mut String, report: &Report) {
    if report.outputs.is_empty() {
        return;
    }
    title(page, "Outputs of the runbook");
    let width = report.outputs.keys().map(|name| name.chars().count()).max().unwrap_or_default();
    for (name, values) in &report.outputs {
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

fn usage(page: &mut String, usage: &Usage) {
    title(page, "What it took");
    for (service, name) in
        [("ssm", "SSM"), ("dynamodb", "DynamoDB"), ("sqs", "SQS"), ("sns", "SNS"), ("events", "EventBridge")]
    {
        let calls = usage.of_service(service);
        if !calls.is_empty() {
            line(page, name, &text::plural(usage.total(service), "call"), &calls);
        }
        if service == "dynamodb" {
            let (read, write) = (usage.units.read, usage.units.write);
            let _ = writeln!(page, "             {read:.0} read units, {write:.0} write units");
        }
    }
    let invocations: Vec<(&str, u64)> =
        usage.invocations.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    let total: u64 = invocations.iter().map(|(_, count)| count).sum();
    line(page, "Lambda", &format!("{} invocations", text::grouped(total)), &invocations);
}

fn price(page: &mut String, price: Price) {
    let [here, per_node, single] =
        [price.here, price.ssm_automation, price.ssm_automation_one_execution].map(price::dollars);
    let here = if here.starts_with('$') { format!("about {here}") } else { here };
    let text = format!(
        "{here} here, by list prices. As SSM Automation: {per_node} with an execution per node, which is what \
         gives results per node; {single} as a single execution, without them."
    );
    for (at, line) in text::wrap(&text, WIDTH - 13).iter().enumerate() {
        let _ = writeln!(page, "  {:11}{line}", if at == 0 { "Estimate" } else { "" });
    }
}

/// `SSM        31 calls: ListCommandInvocations 12, SendCommand 7`, broken where it is too long.
fn line(page: &mut String, name: &str, total: &str, parts: &[(&str, u64)]) {
    let indent = " ".repeat(13);
    let mut line = format!("  {name:11}{total}:");
    for (at, (part, count)) in parts.iter().enumerate() {
        let end = if at + 1 < parts.len() { "," } else { "" };
        let part = format!(" {part} {}{end}", text::grouped(*count));
        if line.chars().count() + part.chars().count() > WIDTH {
            let _ = writeln!(page, "{line}");
            line.clone_from(&indent);
            line.pop();
        }
        line.push_str(&part);
    }
    let _ = writeln!(page, "{line}");
}
