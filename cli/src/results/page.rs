//! An execution as a page for people.

use super::{Advice, Overview, listings};
use crate::clock;
use crate::sheet::{self, WIDTH, title};
use crate::text::{self, cut, word};
use crate::trouble;
use crate::view::{self, StepView};
use console::style;
use fleetwright_wire::results::Group;
use std::fmt::Write;

/// Groups of nodes that are told of.
const GROUPS_MAX: usize = 10;
/// Steps of a long loop that are told of: the last ones, and those that went wrong.
const STEPS_MAX: usize = 60;

// Writing to a String cannot fail: every result of it below is dropped for that reason.

/// The page.
pub(super) fn page(overview: &Overview, advice: &Advice) -> String {
    let mut page = heading(overview);
    steps(&mut page, overview);
    messages(&mut page, overview);
    let heading = if overview.outcome_asked { "Nodes" } else { "Nodes that did not succeed" };
    groups(&mut page, heading, &overview.groups);
    slowest(&mut page, overview);
    sheet::outputs(&mut page, &overview.detail.outputs);
    advice.of(&mut page, overview);
    page
}

fn heading(overview: &Overview) -> String {
    let execution = &overview.detail.execution;
    let status = sheet::coloured_status(&execution.status).bold();
    let until = execution.ended_at.unwrap_or_else(clock::now);
    let took = text::duration(until.duration_since(execution.started_at));
    let took = match execution.ended_at {
        Some(_) => format!(" after {took}"),
        // The service's clock runs ahead of ours: how long it has run is not known here.
        None if until < execution.started_at => String::new(),
        None => format!(" for {took}"),
    };
    let document = style(cut(&execution.document_name, 60)).bold();
    let mut heading = format!("{document} version {}: {status}{took}\n", execution.document_version);
    let id = cut(&execution.execution_id, 40);
    let _ = writeln!(
        heading,
        "{}",
        style(format!("{id}, started {}", listings::moment(execution.started_at))).dim()
    );
    for line in text::wrap(&format!("by {}", execution.executed_by), WIDTH) {
        let _ = writeln!(heading, "{}", style(line).dim());
    }
    heading.push('\n');
    heading
}

fn steps(page: &mut String, overview: &Overview) {
    if overview.steps.is_empty() {
        page.push_str("No step has begun.\n\n");
        return;
    }
    let views: Vec<StepView> = overview.steps.iter().map(StepView::from).collect();
    let late = views.len().saturating_sub(STEPS_MAX);
    let shown = views.iter().enumerate().filter(|(at, step)| *at >= late || step.status != "Success");
    let shown: Vec<&StepView> = shown.map(|(_, step)| step).collect();
    let hidden = views.len() - shown.len();
    let _ = writeln!(page, "{}", sheet::steps(shown));
    if hidden > 0 {
        let _ = writeln!(page, " … and {} before, which succeeded", text::plural(hidden as u64, "step"));
    }
    page.push('\n');
}

fn messages(page: &mut String, overview: &Overview) {
    let execution = &overview.detail.execution;
    let of_steps = overview
        .steps
        .iter()
        .filter_map(|step| Some((step.step_name.as_str(), step.failure_message.as_deref()?)));
    let of_execution = execution.failure_message.as_deref().map(|message| ("execution", message));
    let parked = execution.parked.as_deref().map(|reason| ("set aside, and waits for a person", reason));
    sheet::messages(page, "What went wrong", of_steps.chain(of_execution).chain(parked));
    let contradicted: Vec<(&str, String)> = overview
        .steps
        .iter()
        .filter(|step| !step.contradicted_by.is_empty())
        .map(|step| {
            let commands = step.contradicted_by.join(", ");
            (
                step.step_name.as_str(),
                format!("after the step had ended, SSM said something else of {commands}"),
            )
        })
        .collect();
    let contradicted = contradicted.iter().map(|(name, message)| (*name, message.as_str()));
    let warnings = execution.warnings.iter().map(|warning| ("execution", warning.as_str()));
    sheet::messages(page, "What you should know", warnings.chain(contradicted));
}

fn groups(page: &mut String, heading: &str, groups: &[Group]) {
    if groups.is_empty() {
        return;
    }
    title(page, heading);
    for each in groups.iter().take(GROUPS_MAX) {
        group(page, each);
    }
    let rest = groups.get(GROUPS_MAX..).unwrap_or_default();
    if !rest.is_empty() {
        let nodes: u64 = rest.iter().map(|group| group.count).sum();
        let _ = writeln!(page, "\n  … and {} more groups of {}", rest.len(), text::plural(nodes, "node"));
    }
    page.push('\n');
}

/// Nodes that ended alike, and what they said.
pub(super) fn group(page: &mut String, group: &Group) {
    let outcome = view::outcome(group.outcome);
    let count = text::grouped(group.count);
    let many = match outcome {
        Some(outcome) => sheet::coloured(outcome, format!("{count} {}", word(outcome))).bold().to_string(),
        None => format!("{count} not over"),
    };
    let same = |details: &&String| outcome.is_some_and(|outcome| details.eq_ignore_ascii_case(word(outcome)));
    let details = group.status_details.as_ref().filter(|details| !same(details));
    let details = details.map_or_else(String::new, |details| format!(" ({})", cut(details, 30)));
    let code = group.response_code.filter(|code| *code != -1);
    let code = code.map_or_else(String::new, |code| format!(", exit code {code}"));
    let _ = writeln!(page, "\n  {}: {many}{details}{code}", style(cut(&group.step_name, 40)).bold());
    sheet::quote(page, &trouble::said(&group.sample_output));
    let count = usize::try_from(group.count).unwrap_or(usize::MAX);
    sheet::nodes(page, group.instance_ids.iter().map(|id| cut(id, 40)), count);
}

fn slowest(page: &mut String, overview: &Overview) {
    let slow = overview.slowest.iter().filter_map(|node| Some((node, node.duration_s?)));
    let mut slow = slow.peekable();
    if slow.peek().is_none() {
        return;
    }
    title(page, "Slowest nodes");
    for (node, seconds) in slow {
        let took = listings::took(seconds);
        let outcome = listings::outcome(node.outcome);
        let _ =
            writeln!(page, "  {took:>10}  {:21} {}, {outcome}", node.instance_id, cut(&node.step_name, 40));
    }
    page.push('\n');
}
