//! Pages of nodes: where they end, and where the next one begins.

use super::select::WORST_FIRST;
use fleetwright_wire::results::{NodeOutcome, NodeResult};
use serde::{Deserialize, Serialize};

/// Lambda answers with at most 6 MB, and CSV and JSON Lines are written as text in JSON once more.
const PAGE_BYTES_MAX: usize = 2_000_000;

/// Where a page of nodes begins. Ordinals and ids, no numbers of rows: new results do not move it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodePlace {
    /// With this step.
    Step(u32),
    /// Behind this node of a step whose nodes come the worst first: its ordinal, the outcome's rank and the id.
    Worst(u32, usize, String),
    /// Behind this node of a step whose nodes come by their ids.
    ById(u32, String),
    /// Behind this node of those that come the slowest first: milliseconds, the step's ordinal and the id.
    Slowest(i64, u32, String),
}

impl NodePlace {
    pub(super) const fn ordinal(&self) -> u32 {
        match self {
            Self::Step(ordinal) | Self::Worst(ordinal, ..) | Self::ById(ordinal, _) => *ordinal,
            Self::Slowest(..) => 0,
        }
    }
}

/// In which order the nodes of a step are paged through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Nothing will change any more.
    Worst,
    /// Outcomes still change: by them a node could be passed over, or be shown twice.
    ById,
}

impl Order {
    /// How a step is paged through: as it was begun.
    pub(super) fn of(place: Option<&NodePlace>, ordinal: u32, is_final: bool) -> Self {
        match place {
            Some(NodePlace::Worst(at, ..)) if *at == ordinal => Self::Worst,
            Some(NodePlace::ById(at, _)) if *at == ordinal => Self::ById,
            _ if is_final => Self::Worst,
            _ => Self::ById,
        }
    }

    pub(super) fn sort(self, nodes: &mut [NodeResult]) {
        match self {
            Self::Worst => nodes.sort_by(|a, b| worst_first(a).cmp(&worst_first(b))),
            Self::ById => nodes.sort_by(|a, b| a.instance_id.cmp(&b.instance_id)),
        }
    }

    pub(super) fn place(self, node: &NodeResult) -> NodePlace {
        match self {
            Self::Worst => NodePlace::Worst(node.ordinal, rank(node.outcome), node.instance_id.clone()),
            Self::ById => NodePlace::ById(node.ordinal, node.instance_id.clone()),
        }
    }
}

/// Whether a node comes behind a place.
pub(super) fn is_behind(node: &NodeResult, place: Option<&NodePlace>) -> bool {
    match place {
        Some(NodePlace::Worst(ordinal, at, id)) if *ordinal == node.ordinal => {
            worst_first(node) > (*at, id.as_str())
        }
        Some(NodePlace::ById(ordinal, id)) if *ordinal == node.ordinal => node.instance_id > *id,
        Some(NodePlace::Slowest(ms, ordinal, id)) => {
            slowest_first(node) > (std::cmp::Reverse(*ms), *ordinal, id.as_str())
        }
        Some(NodePlace::Step(_) | NodePlace::Worst(..) | NodePlace::ById(..)) | None => true,
    }
}

pub(super) fn rank(outcome: NodeOutcome) -> usize {
    WORST_FIRST.iter().position(|other| *other == outcome).unwrap_or(WORST_FIRST.len())
}

fn worst_first(node: &NodeResult) -> (usize, &str) {
    (rank(node.outcome), &node.instance_id)
}

pub(super) fn slowest_first(node: &NodeResult) -> (std::cmp::Reverse<i64>, u32, &str) {
    (std::cmp::Reverse(milliseconds(node)), node.ordinal, &node.instance_id)
}

#[expect(clippy::cast_possible_truncation, reason = "a float that was made of milliseconds")]
pub(super) fn milliseconds(node: &NodeResult) -> i64 {
    (node.duration_s.unwrap_or(0.0) * 1000.0).round() as i64
}

/// A page that is being filled.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) nodes: Vec<NodeResult>,
    limit: usize,
    bytes: usize,
}

impl Page {
    pub(super) const fn of(limit: usize) -> Self {
        Self { nodes: Vec::new(), limit, bytes: 0 }
    }

    pub(super) const fn is_full(&self) -> bool {
        self.nodes.len() >= self.limit || self.bytes >= PAGE_BYTES_MAX
    }

    /// Takes nodes while there is room; what there was none for is given back.
    pub(super) fn fill(&mut self, nodes: impl Iterator<Item = NodeResult>) -> Option<NodeResult> {
        for node in nodes {
            if self.is_full() {
                return Some(node);
            }
            self.bytes += serde_json::to_string(&node).map_or(0, |json| json.len());
            self.nodes.push(node);
        }
        None
    }

    /// Puts what was taken since in the order people want to read: the worst first.
    pub(super) fn sort_from(&mut self, from: usize) {
        Order::Worst.sort(self.nodes.get_mut(from..).unwrap_or_default());
    }
}
