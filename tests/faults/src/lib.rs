//! Seeded runs under faults. A seed is a workload (executions of random runbooks over a random fleet, stops, signals) and
//! a storm (calls that fail, crash or are slow; messages that are lost, doubled or late; clocks that are off). It is
//! played in virtual time over the production functions with the real SDK clients. After every write, and when all has
//! ended, what must be true is held against the simulated SSM's own books, which no code under test sees.

mod checks;
mod client;
mod deaths;
mod deeds;
mod dice;
mod item;
#[cfg(feature = "planted")]
mod planted;
mod rates;
mod run;
mod said;
mod search;
mod sometimes;
mod truth;
mod violation;
mod weather;
mod witness;
mod workload;

pub use deaths::{Deaths, deaths};
#[cfg(feature = "planted")]
pub use planted::{FoundAt, found_at};
pub use run::{Canonical, Death, Play, Played, Work, Wrong, play};
pub use search::{Finding, Found, Search, search, shortest_prefix};
pub use sometimes::{Sometimes, missing};
pub use violation::{Invariant, Violation};
