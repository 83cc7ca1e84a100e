//! `fleetwright results`: what executions came to.

mod advice;
mod export;
mod filter;
mod listings;
mod overview;
mod page;

pub(crate) use advice::Advice;
pub(crate) use filter::Filter;
pub(crate) use overview::Overview;

use crate::args::{Format, Outcome, Results, ResultsFormat};
use crate::client::Client;
use crate::failure::Failure;
use crate::resource::Resource;
use export::Rows;
use fleetwright_wire::results::{ExecutionList, NodeHistory, NodeList, NodeResult, Timeline};
use serde::Serialize;
use serde_json::json;
use std::io::{Write, stdout};

/// Executions that are listed.
const EXECUTIONS_SHOWN: &str = "20";
/// Nodes of a page: the most the service gives, since each page reads their step again.
const NODES_PER_PAGE: &str = "1000";
/// Commands of a node that are listed.
const COMMANDS_SHOWN: &str = "50";

/// Shows them. Whether the execution succeeded or may still, if it is about one.
pub(crate) fn run(options: &Results) -> Result<bool, Failure> {
    let client = Client::new(&options.service.endpoint)?;
    let filter = Filter { step: options.step.as_deref(), outcome: options.status.map(outcome) };
    let format = match options.format {
        ResultsFormat::Text => Format::Text,
        ResultsFormat::Json => Format::Json,
        ResultsFormat::Csv => return export(&client, options, &filter, Rows::Csv).map(|()| true),
        ResultsFormat::Jsonl => return export(&client, options, &filter, Rows::JsonLines).map(|()| true),
    };
    if let Some(node) = &options.node {
        history(&client, node, format)?;
        return Ok(true);
    }
    let Some(id) = &options.id else {
        recent(&client, format)?;
        return Ok(true);
    };
    if options.timeline {
        timeline(&client, id, format)?;
    } else if options.nodes {
        nodes(&client, id, &filter, format)?;
    } else if options.groups {
        groups(&client, id, &filter, format)?;
    } else {
        let overview = Overview::fetch(&client, id, &filter)?;
        overview.print(&Advice::new(client.endpoint()), format)?;
        return Ok(overview.succeeded() || overview.is_under_way());
    }
    Ok(true)
}

fn export(client: &Client, options: &Results, filter: &Filter<'_>, rows: Rows) -> Result<(), Failure> {
    let Some(id) = options.id.as_ref().filter(|_| !options.timeline) else {
        let message =
            "error: csv and jsonl are lists of an execution's nodes, or of its groups with --groups";
        return Err(Failure::Input(message.to_owned()));
    };
    let list = if options.groups {
        Resource::execution(id, "groups")
    } else {
        Resource::execution(id, "nodes").with("limit", NODES_PER_PAGE)
    };
    export::pass_through(client, &filter.narrow(list), rows)
}

/// The outcome as the service names it.
const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "Success",
        Outcome::Failed => "Failed",
        Outcome::TimedOut => "TimedOut",
        Outcome::Unknown => "Unknown",
        Outcome::NotRun => "NotRun",
        Outcome::InProgress => "InProgress",
    }
}

fn recent(client: &Client, format: Format) -> Result<(), Failure> {
    let list: ExecutionList = client.get(&Resource::new(&["executions"]).with("limit", EXECUTIONS_SHOWN))?;
    print(format, &list, || listings::executions(&list.executions))
}

fn history(client: &Client, node: &str, format: Format) -> Result<(), Failure> {
    let history: NodeHistory = client.get(&Resource::new(&["nodes", node]).with("limit", COMMANDS_SHOWN))?;
    print(format, &history, || listings::history(&history))
}

fn timeline(client: &Client, id: &str, format: Format) -> Result<(), Failure> {
    let timeline: Timeline = client.get(&Resource::execution(id, "timeline"))?;
    print(format, &timeline, || listings::timeline(&timeline))
}

fn groups(client: &Client, id: &str, filter: &Filter<'_>, format: Format) -> Result<(), Failure> {
    let groups = overview::all_groups(client, id, filter)?;
    print(format, &json!({ "Groups": groups }), || {
        let mut page = String::new();
        groups.iter().for_each(|group| page::group(&mut page, group));
        if page.is_empty() { "No nodes.\n".to_owned() } else { page }
    })
}

fn nodes(client: &Client, id: &str, filter: &Filter<'_>, format: Format) -> Result<(), Failure> {
    let mut nodes: Vec<NodeResult> = Vec::new();
    let mut next = None;
    loop {
        let page = filter.narrow(Resource::execution(id, "nodes"));
        let page = page.with("limit", NODES_PER_PAGE).with_some("next", next.as_ref());
        let list: NodeList = client.get(&page)?;
        nodes.extend(list.nodes);
        next = list.next_token;
        if next.is_none() {
            break;
        }
    }
    print(format, &json!({ "Nodes": nodes }), || listings::nodes(&nodes))
}

/// Prints an answer: for programs as the service gave it.
fn print(format: Format, answer: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
    let text = match format {
        Format::Text => text(),
        Format::Json => json(answer)?,
    };
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn json(answer: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(answer).map_err(|error| Failure::Defect(error.to_string()))?;
    Ok(format!("{text}\n"))
}
