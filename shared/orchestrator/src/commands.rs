//! Commands as SSM's own API shows them: ours, and those that others sent.

mod describe;
mod direct;
mod invocations;
mod listing;
mod outputs;
mod track;
mod visits;

pub(crate) use describe::{Description, describe};
pub use direct::Sender;
pub use visits::NodeVisit;

use fleetwright_fleet::{CommandId, NodeId};
use jiff::{SignedDuration, Timestamp};

/// SSM's clock says when a command was requested, ours says what now is.
pub const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);

/// Which commands or invocations are looked for, and from where on.
#[derive(Debug, Clone)]
pub struct CommandQuery {
    /// Only this command.
    pub command: Option<CommandId>,
    /// Only of this node.
    pub node: Option<NodeId>,
    /// None that was requested before.
    pub after: Timestamp,
    /// None that was requested later.
    pub before: Timestamp,
    /// Only those behind this place, which a page before ended with.
    pub place: Option<String>,
    /// How many at most.
    pub limit: usize,
}

/// A page, and where to go on.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// What was found.
    pub found: Vec<T>,
    /// Where the next page begins; `None`: there is none.
    pub place: Option<String>,
}
