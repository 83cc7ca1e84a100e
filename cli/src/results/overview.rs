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
    /// Nodes of too many steps for one question: groups and slow nodes are told by step only.
    pub(super) by_step_only: bool,
}

impl Overview {
    /// Reads it: of one step and of nodes of one outcome only, if so asked.
    pub(crate) fn fetch(client: &Client, id: &str, filter: &Filter<'_>) -> Result<Self, Failure> {
        let detail = client.get(&Resource::execution(id, ""))?;
        let mut steps = all_steps(client, id)?;
        steps.retain(|other| filter.step.is_none_or(|step| other.step_name == step));
        if let Some(step) = filter.step.filter(|_| steps.is_empty()) {
            return Err(Failure::Input(format!("error: the execution has run no step {step}")));
        }
        let by_step_only = false;
        let overview = Self { detail, steps, groups: Vec::new(), slowest: Vec::new(), by_step_only };
        match troubled_and_slow(client, id, filter) {
            Ok((groups, slowest)) => Ok(Self { groups, slowest, ..overview }),
            // Steps can be read, so the execution is there: it is the question that is too wide.
            Err(Failure::Service { callers: true, .. }) if filter.step.is_none() => {
                Ok(Self { by_step_only: true, ..overview })
            }
            Err(failure) => Err(failure),
        }
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

fn troubled_and_slow(
    client: &Client,
    id: &str,
    filter: &Filter<'_>,
) -> Result<(Vec<Group>, Vec<NodeResult>), Failure> {
    let mut groups = all_groups(client, id, filter)?;
    if filter.outcome.is_none() {
        groups.retain(|group| !matches!(group.outcome, NodeOutcome::Success | NodeOutcome::InProgress));
    }
    let slowest = Resource::execution(id, "nodes").with("sort", "slowest").with("limit", SLOWEST);
    let NodeList { nodes: slowest, .. } = client.get(&filter.narrow(slowest))?;
    Ok((groups, slowest))
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
