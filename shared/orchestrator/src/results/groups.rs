//! Nodes that ended alike and said the same.

use super::nodes::STEPS_AT_ONCE;
use super::page::rank;
use super::select::{StatusChoice, StepChoice, covered, has_to_be_read};
use crate::table::Overview;
use crate::{Error, Orchestrator};
use fleetwright_engine::ExecutionId;
use fleetwright_fleet::{NodeId, normalise};
use fleetwright_wire::results::{Group, NodeResult};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Ids that a group names.
const IDS_SHOWN: usize = 50;

/// Which groups are asked for, and from where on.
#[derive(Debug, Clone)]
pub struct GroupsQuery {
    /// Only of these steps.
    pub step: Option<StepChoice>,
    /// Only nodes of these statuses; none: of any.
    pub statuses: Vec<StatusChoice>,
    /// How many at most.
    pub limit: usize,
    /// Only those behind this place, which a page before ended with.
    pub place: Option<GroupPlace>,
}

/// Behind which group a page begins: the step's ordinal, how many nodes it had, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupPlace(u32, Reverse<u64>, String);

impl GroupPlace {
    fn of(group: &Group) -> Self {
        Self(group.ordinal, Reverse(group.count), group.sample_instance_id.clone())
    }

    /// Behind all groups of a step: none of them has no nodes.
    fn behind(ordinal: u32) -> Self {
        Self(ordinal, Reverse(0), String::new())
    }
}

impl Orchestrator {
    /// Groups of nodes in the order of the steps, of a step the largest first. Reads the nodes of so many steps and no
    /// more: a page may hold fewer groups than asked for, even none, and still have one behind it.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution or step.
    pub async fn groups(
        &self,
        id: &ExecutionId,
        query: &GroupsQuery,
    ) -> Result<(Vec<Group>, Option<GroupPlace>), Error> {
        let from = query.place.as_ref().map_or(0, |place| place.0);
        let Overview { steps, sends, .. } = self.select(id, query.step.as_ref(), from, u32::MAX).await?;
        let mut rows = steps.iter().filter(|row| has_to_be_read(row, &query.statuses));
        let (mut groups, mut last_step) = (Vec::new(), None);
        for row in rows.by_ref().take(STEPS_AT_ONCE) {
            let nodes = self.step_nodes(id, &row.step, &sends).await?.nodes.into_values();
            let mut of_step = group(nodes.filter(|node| covered(&query.statuses, node)));
            of_step.sort_by_key(GroupPlace::of);
            groups.extend(
                of_step
                    .into_iter()
                    .filter(|group| query.place.as_ref().is_none_or(|place| GroupPlace::of(group) > *place)),
            );
            last_step = Some(row.step.ordinal);
            if groups.len() > query.limit {
                break;
            }
        }
        if groups.len() > query.limit {
            groups.truncate(query.limit);
            let place = groups.last().map(GroupPlace::of);
            return Ok((groups, place));
        }
        let place = rows.next().and(last_step).map(GroupPlace::behind);
        Ok((groups, place))
    }
}

/// Nodes come by step and id: the first of a group is its sample.
fn group(nodes: impl Iterator<Item = NodeResult>) -> Vec<Group> {
    let mut groups: BTreeMap<_, Group> = BTreeMap::new();
    for node in nodes {
        let said = node.instance_id.parse::<NodeId>().map(|id| normalise(&node.output, &id));
        let said = said.unwrap_or_else(|_| node.output.clone());
        let key = (node.ordinal, rank(node.outcome), node.status_details.clone(), node.response_code, said);
        let group = groups.entry(key).or_insert_with(|| Group {
            step_name: node.step_name,
            ordinal: node.ordinal,
            outcome: node.outcome,
            status_details: node.status_details,
            response_code: node.response_code,
            count: 0,
            instance_ids: Vec::new(),
            sample_instance_id: node.instance_id.clone(),
            sample_output: node.output,
        });
        group.count += 1;
        if group.instance_ids.len() < IDS_SHOWN {
            group.instance_ids.push(node.instance_id);
        }
    }
    groups.into_values().collect()
}
