//! An execution as a whole: what is read of it, and what programs read of that.

use super::{Advice, Filter, page, print};
use crate::args::Format;
use crate::client::Client;
use crate::failure::Failure;
use crate::resource::Resource;
use crate::view::is_over;
use fleetwright_wire::results::{
    ExecutionDetail, Group, GroupList, NodeList, NodeOutcome, NodeResult, Step, StepList,
};
use serde::Serialize;

/// Nodes that took longest.
const SLOWEST: &str = "5";

/// All that is told of an execution.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Overview {
    /// The execution.
    #[serde(flatten)]
    pub(super) detail: ExecutionDetail,
    /// Its steps, in the order they began.
    pub(super) steps: Vec<Step>,
    /// Nodes that ended alike and said the same: those that did not succeed, unless others were asked for.
    pub(super) groups: Vec<Group>,
    /// The slowest first.
    pub(super) slowest: Vec<NodeResult>,
    /// Whether nodes of one outcome were asked for.
    #[serde(skip)]
    pub(super) outcome_asked: bool,
}

impl Overview {
    /// Reads it: of one step and of nodes of one outcome only, if so asked.
    pub(crate) fn fetch(client: &Client, id: &str, filter: &Filter<'_>) -> Result<Self, Failure> {
        let detail = client.get(&Resource::execution(id, ""))?;
        let mut steps = all_steps(client, id)?;
        steps.retain(|other| filter.step.is_none_or(|step| is_named(other, step)));
        if let Some(step) = filter.step.filter(|_| steps.is_empty()) {
            return Err(Failure::Input(format!("error: the execution has run no step {step}")));
        }
        let groups = troubled(client, id, filter)?;
        let slowest = Resource::execution(id, "nodes").with("sort", "slowest").with("limit", SLOWEST);
        let slowest = match client.get(&filter.narrow(slowest)) {
            Ok(NodeList { nodes, .. }) => nodes,
            // Too many steps had nodes to rank them all; one step's can be.
            Err(Failure::Service { callers: true, error }) if error.code == "ValidationException" => {
                Vec::new()
            }
            Err(failure) => return Err(failure),
        };
        Ok(Self { detail, steps, groups, slowest, outcome_asked: filter.outcome.is_some() })
    }

    /// Whether it ended as its runbook intends.
    pub(crate) fn succeeded(&self) -> bool {
        self.detail.execution.status == "Success"
    }

    /// Whether it goes on by itself.
    pub(crate) fn is_under_way(&self) -> bool {
        !is_over(&self.detail.execution.status) && self.detail.execution.parked.is_none()
    }

    /// Prints it.
    pub(crate) fn print(&self, advice: &Advice, format: Format) -> Result<(), Failure> {
        print(format, self, || page::page(self, advice))
    }
}

/// Groups of nodes that did not succeed, unless others are asked for.
fn troubled(client: &Client, id: &str, filter: &Filter<'_>) -> Result<Vec<Group>, Failure> {
    let mut groups = all_groups(client, id, filter)?;
    if filter.outcome.is_none() {
        groups.retain(|group| !matches!(group.outcome, NodeOutcome::Success | NodeOutcome::InProgress));
    }
    Ok(groups)
}

/// A step is named as the service names it: by its name, or by its ordinal.
fn is_named(step: &Step, by: &str) -> bool {
    step.step_name == by || step.ordinal.to_string() == by
}

/// All pages of groups.
pub(super) fn all_groups(client: &Client, id: &str, filter: &Filter<'_>) -> Result<Vec<Group>, Failure> {
    let mut groups = Vec::new();
    let mut next = None;
    loop {
        let page = filter.narrow(Resource::execution(id, "groups")).with_some("next", next.as_ref());
        let list: GroupList = client.get(&page)?;
        groups.extend(list.groups);
        next = list.next_token;
        if next.is_none() {
            return Ok(groups);
        }
    }
}

fn all_steps(client: &Client, id: &str) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    let mut next = None;
    loop {
        let page = Resource::execution(id, "steps").with_some("next", next.as_ref());
        let list: StepList = client.get(&page)?;
        steps.extend(list.steps);
        next = list.next_token;
        if next.is_none() {
            return Ok(steps);
        }
    }
}
