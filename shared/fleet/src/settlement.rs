//! What SSM answered when a finished command was settled.

use crate::{InvocationResult, NodeId, PatchSummary, Terminal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long after SSM first called a command finished we go on asking for invocations that are missing, in seconds.
pub const SETTLE_LIMIT_S: i64 = 600;

/// The authoritative result of a finished command: its own counts and its invocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// SSM's own status detail of the command; `None` where it was still running when waiting ended.
    pub status: Option<Terminal>,
    /// SSM's TargetCount.
    pub target_count: u64,
    /// When SSM took the request.
    pub requested_at: Timestamp,
    /// The invocations that SSM named.
    pub invocations: BTreeMap<NodeId, InvocationResult>,
    /// Patch states, for commands of `AWS-RunPatchBaseline*`.
    pub patch: Option<PatchSummary>,
}

impl Settlement {
    /// Whether SSM has said all it is going to say: the command finished, and every target named and finished. That
    /// there is no invocation at all is another question.
    #[must_use]
    pub fn is_whole(&self, nodes_asked: Option<usize>) -> bool {
        let wanted = nodes_asked.map_or(self.target_count, |asked| asked as u64);
        self.status.is_some()
            && !self.invocations.is_empty()
            && self.invocations.len() as u64 >= wanted
            && self.invocations.values().all(|invocation| invocation.status.is_some())
    }
}
