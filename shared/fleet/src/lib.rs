//! Fleet state: statuses as a lattice, notifications to facts, node sets, aggregates.
//!
//! Everything here is pure. A [`Fact`] is what one event, or one read of SSM, says about a command or one of its
//! invocations. Facts are *united*, never counted: a [`Command`] holds one grow-only set of node ids per terminal
//! status, so duplicates, reordering and replays change nothing. What SSM itself answered when the command was
//! settled is a [`Settlement`]; both together resolve to a [`Partition`] of the targets by [`Outcome`].

mod command;
mod fact;
mod id;
mod invocation;
mod normalise;
mod notification;
mod partition;
mod patch;
mod settlement;
mod status;

pub use command::{Asked, Command, SettledMark};
pub use fact::{Fact, Subject};
pub use id::{CommandId, InvalidId, NodeId};
pub use invocation::{InvocationResult, InvocationShown, PluginResult};
pub use normalise::normalise;
pub use notification::{Malformed, parse_event, parse_notification};
pub use partition::{Counts, Partition};
pub use patch::{PatchState, PatchSummary};
pub use settlement::{SETTLE_LIMIT_S, Settlement};
pub use status::{Outcome, Terminal};
