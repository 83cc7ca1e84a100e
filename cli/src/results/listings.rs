//! Lists for people: executions, nodes, what a node went through, what happened when.

use crate::clock;
use crate::sheet::{self, colour, colour_of_status, right};
use crate::text::{self, cut, word};
use crate::trouble;
use crate::view;
use comfy_table::{Attribute, Cell};
use fleetwright_wire::results::{
    Execution, NodeHistory, NodeOutcome, NodeResult, Timeline, TimelineEvent, TimelineKind,
};
use jiff::{SignedDuration, Timestamp};

/// What a node said last, as far as there is room.
const SAID_CHARS: usize = 34;

/// A day and a minute of it, in UTC.
pub(super) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

/// A time in seconds.
pub(super) fn took(seconds: f64) -> String {
    text::duration(SignedDuration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// An outcome in a word.
pub(super) const fn outcome(outcome: NodeOutcome) -> &'static str {
    match view::outcome(outcome) {
        Some(outcome) => word(outcome),
        None => "not over",
    }
}

fn outcome_cell(of: NodeOutcome) -> Cell {
    let cell = Cell::new(outcome(of));
    match view::outcome(of) {
        Some(outcome) => cell.fg(colour(outcome)),
        None => cell,
    }
}

fn code(code: Option<i32>) -> Cell {
    right(code.filter(|code| *code != -1).map_or_else(String::new, |code| code.to_string()))
}

fn header(names: &[&str]) -> Vec<Cell> {
    names.iter().map(Cell::new).collect()
}

/// The most recent executions.
pub(super) fn executions(executions: &[Execution]) -> String {
    if executions.is_empty() {
        return "No executions.\n".to_owned();
    }
    let now = clock::now();
    let row = |execution: &Execution| {
        let status = if execution.parked.is_some() { "Parked" } else { execution.status.as_str() };
        let end = execution.ended_at.unwrap_or(now);
        vec![
            Cell::new(cut(&execution.execution_id, 36)),
            Cell::new(cut(&execution.document_name, 20)).add_attribute(Attribute::Bold),
            Cell::new(cut(status, 10)).fg(colour_of_status(status)),
            Cell::new(moment(execution.started_at)),
            right(text::duration(end.duration_since(execution.started_at))),
        ]
    };
    let header = header(&["EXECUTION", "RUNBOOK", "STATUS", "STARTED", "TOOK"]);
    format!("{}\n", sheet::table(header, executions.iter().map(row)))
}

/// Nodes, step by step.
pub(super) fn nodes(nodes: &[NodeResult]) -> String {
    if nodes.is_empty() {
        return "No nodes.\n".to_owned();
    }
    let row = |node: &NodeResult| {
        let said = trouble::said(&node.output).pop().unwrap_or_default();
        vec![
            Cell::new(cut(&node.step_name, 16)).add_attribute(Attribute::Bold),
            Cell::new(cut(&node.instance_id, 20)),
            outcome_cell(node.outcome),
            code(node.response_code),
            right(node.duration_s.map_or_else(String::new, took)),
            Cell::new(cut(&said, SAID_CHARS)),
        ]
    };
    let header = header(&["STEP", "NODE", "OUTCOME", "EXIT", "TOOK", "SAID LAST"]);
    format!("{}\n", sheet::table(header, nodes.iter().map(row)))
}

/// What a node went through.
pub(super) fn history(history: &NodeHistory) -> String {
    let node = cut(&history.instance_id, 40);
    if history.commands.is_empty() {
        return format!("Nothing was run on {node}.\n");
    }
    let rows = history.commands.iter().map(|command| {
        let step = command.step_name.as_deref().unwrap_or_default();
        vec![
            Cell::new(moment(command.requested_at)),
            Cell::new(cut(&command.document_name, 25)).add_attribute(Attribute::Bold),
            outcome_cell(command.outcome),
            code(command.response_code),
            right(command.duration_s.map_or_else(String::new, took)),
            Cell::new(cut(step, 26)),
        ]
    });
    let header = header(&["WHEN", "DOCUMENT", "OUTCOME", "EXIT", "TOOK", "STEP"]);
    let table = sheet::table(header, rows);
    let more = if history.next_token.is_some() { " … and more before\n" } else { "" };
    format!("{node}, the newest first\n{table}\n{more}")
}

/// What happened when.
pub(super) fn timeline(timeline: &Timeline) -> String {
    let Some(start) = timeline.events.first().map(|event| event.at) else {
        return "Nothing has happened.\n".to_owned();
    };
    let row = |event: &TimelineEvent| {
        let nodes = event.nodes.map_or_else(String::new, text::grouped);
        let status = event.status.as_deref().unwrap_or_default();
        vec![
            Cell::new(text::clock(event.at)),
            right(format!("+{}", text::duration(event.at.duration_since(start)))),
            Cell::new(happened(event.kind)),
            Cell::new(cut(event.step_name.as_deref().unwrap_or_default(), 18)).add_attribute(Attribute::Bold),
            right(nodes),
            Cell::new(cut(status, 12)).fg(colour_of_status(status)),
            Cell::new(cut(event.command_id.as_deref().unwrap_or_default(), 8)),
        ]
    };
    let header = header(&["UTC", "", "WHAT", "STEP", "NODES", "STATUS", "COMMAND"]);
    let more = if timeline.truncated { " … and more, which is too long to tell\n" } else { "" };
    format!("{}\n{more}", sheet::table(header, timeline.events.iter().map(row)))
}

const fn happened(kind: TimelineKind) -> &'static str {
    match kind {
        TimelineKind::ExecutionStarted => "execution started",
        TimelineKind::StepStarted => "step began",
        TimelineKind::CommandSent => "command sent",
        TimelineKind::FirstNodeEnded => "first node ended",
        TimelineKind::LastNodeEnded => "last node ended",
        TimelineKind::StepEnded => "step ended",
        TimelineKind::ExecutionEnded => "execution ended",
    }
}
