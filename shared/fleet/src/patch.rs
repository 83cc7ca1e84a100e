//! Patch states of nodes (`DescribeInstancePatchStates`).

use crate::NodeId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What SSM holds about a node's patches after its last patch operation (SSM API reference, InstancePatchState).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchState {
    /// The node.
    pub node: NodeId,
    /// Patches that are missing.
    pub missing: u32,
    /// Patches that failed to install.
    pub failed: u32,
    /// Patches that are installed but want a reboot.
    pub pending_reboot: u32,
    /// When the operation that this state describes ended.
    pub operation_ended_at: Timestamp,
}

/// Patch states of a step's targets, as its outputs name them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchSummary {
    /// Sum of the missing patches over the targets.
    pub missing_count: u64,
    /// Nodes with a patch missing or failed.
    pub non_compliant: Vec<NodeId>,
    /// Nodes that want a reboot.
    pub pending_reboot: Vec<NodeId>,
    /// Nodes whose state SSM does not have, or has only from before the command.
    pub unknown: Vec<NodeId>,
}

impl PatchSummary {
    /// Sums states up; one that is older than `since`, the command's request, says nothing about the command.
    #[must_use]
    pub fn of(nodes: &[NodeId], states: &[PatchState], since: Timestamp) -> Self {
        let fresh = states.iter().filter(|state| state.operation_ended_at >= since);
        let by_node: BTreeMap<&NodeId, &PatchState> = fresh.map(|state| (&state.node, state)).collect();
        let mut summary = Self::default();
        for node in nodes {
            match by_node.get(node) {
                None => summary.unknown.push(node.clone()),
                Some(state) => {
                    summary.missing_count += u64::from(state.missing);
                    if state.missing + state.failed > 0 {
                        summary.non_compliant.push(node.clone());
                    }
                    if state.pending_reboot > 0 {
                        summary.pending_reboot.push(node.clone());
                    }
                }
            }
        }
        summary
    }

    /// Adds what was found of other nodes: others of the command's, or those of another command of the step.
    pub fn add(&mut self, other: &Self) {
        self.missing_count += other.missing_count;
        self.non_compliant.extend_from_slice(&other.non_compliant);
        self.pending_reboot.extend_from_slice(&other.pending_reboot);
        self.unknown.extend_from_slice(&other.unknown);
    }

    /// Lists in the order of ids, in whichever order they were found.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        for nodes in [&mut self.non_compliant, &mut self.pending_reboot, &mut self.unknown] {
            nodes.sort_unstable();
        }
        self
    }
}
