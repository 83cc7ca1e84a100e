//! What one event, or one read, says.

use crate::{CommandId, NodeId, Terminal};
use jiff::Timestamp;

/// What a fact is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The command as a whole.
    Command,
    /// The command on one node.
    Node(NodeId),
}

/// A terminal status that somebody reported. Its identity is (command, subject, status); when it was reported only
/// decides whether it is too old to store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// The command.
    pub command_id: CommandId,
    /// The command itself or one of its nodes.
    pub subject: Subject,
    /// The status.
    pub status: Terminal,
    /// When the reporter says it happened.
    pub at: Timestamp,
}
