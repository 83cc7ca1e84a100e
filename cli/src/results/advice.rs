//! What to do next: commands that can be copied.

use super::Overview;
use crate::args::DEFAULT_ENDPOINT;
use crate::sheet::title;
use console::style;
use fleetwright_wire::results::{Group, NodeOutcome, Step};
use std::fmt::Write;

/// Nodes that a command names.
const NODES_MAX: usize = 10;

/// How to call Fleetwright from where the reader is.
#[derive(Debug)]
pub(crate) struct Advice {
    endpoint: Option<String>,
}

/// A command and what it is for.
type Hint = (String, String);

impl Advice {
    /// For someone who talks to this endpoint.
    pub(crate) fn new(endpoint: &str) -> Self {
        Self { endpoint: Some(endpoint.to_owned()).filter(|endpoint| endpoint != DEFAULT_ENDPOINT) }
    }

    /// A command that talks to the same endpoint.
    pub(crate) fn command(&self, arguments: &str) -> String {
        match &self.endpoint {
            Some(endpoint) => format!("fleetwright {arguments} --endpoint {}", quoted(endpoint)),
            None => format!("fleetwright {arguments}"),
        }
    }

    /// Writes what can be done about an execution as it stands.
    pub(super) fn of(&self, page: &mut String, overview: &Overview) {
        title(page, "What to do next");
        let commands =
            hints(overview).into_iter().map(|(why, arguments)| (why, format!("fleetwright {arguments}")));
        // Said once: with the address in each of them, nobody would see what they differ in.
        let address = self.endpoint.iter().map(|endpoint| {
            let why = "Unless it is set already, say where Fleetwright answers".to_owned();
            (why, format!("export FLEETWRIGHT_ENDPOINT={}", quoted(endpoint)))
        });
        for (why, command) in address.chain(commands) {
            // Writing to a String cannot fail.
            let _ = writeln!(page, "  {why}:\n    {}", style(command).cyan());
        }
    }
}

fn hints(overview: &Overview) -> Vec<Hint> {
    let execution = &overview.detail.execution;
    let id = quoted(&execution.execution_id);
    let hint = |why: &str, arguments: String| (why.to_owned(), arguments);
    let mut hints = Vec::new();
    if execution.parked.is_some() {
        hints.push(hint("Once the reason is mended, go on", format!("signal {id} resume")));
        hints.push(hint("Or give it up", format!("stop {id}")));
    } else if let Some(step) = overview.steps.iter().rfind(|step| step.status == "Waiting") {
        hints.extend(waiting(&id, step));
    }
    if overview.is_under_way() {
        hints.push(hint("See how it goes on", format!("watch {id}")));
    }
    let of = |outcome| overview.groups.iter().find(move |group| group.outcome == outcome);
    if let Some(group) = of(NodeOutcome::Failed).filter(|_| !overview.is_under_way()) {
        hints.push(again(overview, group));
    }
    for (outcome, name, why) in [
        (NodeOutcome::TimedOut, "timed-out", "See the nodes that ran out of time, and how far they came"),
        (NodeOutcome::Unknown, "unknown", "See the nodes that may have run; look before it runs there again"),
        (NodeOutcome::NotRun, "not-run", "See the nodes it never began on"),
    ] {
        if of(outcome).is_some() {
            hints.push(hint(why, format!("results {id} --status {name} --nodes")));
        }
    }
    if let Some(group) = overview.groups.first() {
        let node = quoted(&group.sample_instance_id);
        hints.push(hint("See what one of the nodes went through", format!("results --node {node}")));
    }
    if overview.steps.iter().any(|step| step.counts.is_some()) {
        hints.push(hint(
            "Take every node into a spreadsheet",
            format!("results {id} --format csv > nodes.csv"),
        ));
    }
    hints.push(hint("See what happened when", format!("results {id} --timeline")));
    hints
}

/// How to answer a step that waits.
fn waiting(id: &str, step: &Step) -> Vec<Hint> {
    let name = &step.step_name;
    if step.action == "aws:approve" {
        return vec![
            (format!("{name} waits for approval"), format!("signal {id} approve --comment 'why'")),
            ("Or reject it".to_owned(), format!("signal {id} reject --comment 'why not'")),
        ];
    }
    vec![(format!("{name} waits; go on"), format!("signal {id} resume --step {}", quoted(name)))]
}

/// How to run it again where it failed: by the runbook's parameter that names nodes, if there is one.
fn again(overview: &Overview, group: &Group) -> Hint {
    let execution = &overview.detail.execution;
    let document = quoted(&execution.document_name);
    let failed = || overview.groups.iter().filter(|other| other.outcome == NodeOutcome::Failed);
    let count: u64 = failed().filter(|other| other.ordinal == group.ordinal).map(|other| other.count).sum();
    let nodes: Vec<&String> = failed()
        .filter(|other| other.ordinal == group.ordinal)
        .flat_map(|other| &other.instance_ids)
        .collect();
    let step = &group.step_name;
    let names_nodes = |values: &Vec<String>| !values.is_empty() && values.iter().all(|value| is_node(value));
    let parameter = overview.detail.parameters.iter().find(|(_, values)| names_nodes(values));
    match parameter {
        Some((name, _)) if nodes.len() as u64 == count && nodes.len() <= NODES_MAX => {
            let given: Vec<String> =
                nodes.iter().map(|node| format!(" --param {}", quoted(&format!("{name}={node}")))).collect();
            let why = format!("Run it again where {step} failed, with its other parameters as before");
            (why, format!("start {document}{}", given.concat()))
        }
        Some(_) | None => {
            let id = quoted(&execution.execution_id);
            let why = format!("List the nodes where {step} failed, to run it there again");
            (why, format!("results {id} --step {} --status failed --nodes", quoted(step)))
        }
    }
}

/// Whether a value looks like a node's id.
fn is_node(value: &str) -> bool {
    let digits = value.strip_prefix("i-").or_else(|| value.strip_prefix("mi-"));
    digits.is_some_and(|digits| digits.len() >= 8 && digits.chars().all(|c| c.is_ascii_alphanumeric()))
}

/// A word of a shell command: as it is if no shell minds it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let visible: String = word.chars().filter(|c| !c.is_control()).collect();
    format!("'{}'", visible.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_talks_to_where_the_answer_came_from() {
        assert_eq!(Advice::new(DEFAULT_ENDPOINT).command("watch 1"), "fleetwright watch 1");
        let elsewhere = Advice::new("http://127.0.0.1:9").command("watch 1");
        assert_eq!(elsewhere, "fleetwright watch 1 --endpoint http://127.0.0.1:9");
    }

    #[test]
    fn what_is_copied_into_a_shell_does_nothing_else() {
        assert_eq!(quoted("i-0123456789abcdef0"), "i-0123456789abcdef0");
        assert_eq!(quoted("a'; rm -rf ~\u{1b}"), r"'a'\''; rm -rf ~'");
    }
}
