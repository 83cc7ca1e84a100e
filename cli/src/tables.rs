//! A result as a page for people, 100 columns wide.

use crate::price::{self, Price};
use crate::report::{Report, Usage};
use crate::sheet::{self, WIDTH, title};
use crate::snapshot::StepSight;
use crate::text::{self, cut, word};
use crate::trouble::Trouble;
use crate::view::StepView;
use console::style;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Groups of nodes that are told of.
const GROUPS_MAX: usize = 10;

/// The page.
pub(crate) fn page(report: &Report) -> String {
    let mut page = heading(report);
    let steps: Vec<StepView> = report.steps.iter().map(StepView::from).collect();
    let _ = writeln!(page, "{}\n", sheet::steps(&steps));
    answered(&mut page, report);
    messages(&mut page, report);
    troubles(&mut page, &report.troubles);
    sheet::outputs(&mut page, &report.outputs);
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
    sheet::messages(page, "What went wrong", of_steps.chain(of_execution));
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
    let many = sheet::coloured(trouble.outcome, many).bold();
    let details = trouble.details.as_ref().map_or_else(String::new, |details| format!(" ({details})"));
    let code = trouble.exit_code.map_or_else(String::new, |code| format!(", exit code {code}"));
    let _ = writeln!(page, "\n  {}: {many}{details}{code}", style(&trouble.step).bold());
    sheet::quote(page, &trouble.said);
    let label = |(name, id): &(String, String)| {
        if name.is_empty() || name == id { id.clone() } else { format!("{id} {}", cut(name, 16)) }
    };
    sheet::nodes(page, trouble.nodes.iter().map(label), trouble.nodes.len());
    if !trouble.later.is_empty() {
        let later = trouble.later.iter().map(|(step, counts)| format!("{step} {}", text::counts(*counts)));
        let _ = writeln!(page, "    later: {}", later.collect::<Vec<_>>().join("; "));
    }
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
        "{here} here, by list prices found in {}. As SSM Automation: {per_node} with an execution per node, which is \
         what gives results per node; {single} as a single execution, without them.",
        price::LOOKED_UP
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
