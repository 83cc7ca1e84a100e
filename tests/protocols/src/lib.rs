//! The protocols' hard cases, in virtual time over the production code: the stage they are told on.
//!
//! A [`Story`] says what there is and what goes wrong; a [`Run`] is the story under way. [`Run::check`] holds what must
//! be true at the end of every story, whatever went wrong in it.
//! ```no_run
//! use fleetwright_protocols::{Story, on, runbooks};
//! let mut run = Story::new().nodes(5).runbook(runbooks::TWO_STEPS).call(on("SendCommand").crash_after()).play();
//! assert_eq!(run.status(), "Success");
//! run.check();
//! ```

mod checks;
mod elsewhere;
mod inject;
mod read;
pub mod runbooks;
mod script;
mod story;

pub use checks::{outcome_of, text};
pub use elsewhere::deploy;
pub use fleetwright_local::{Call, Channel, Delivery, DeliveryFault, Failure, Fault};
pub use inject::{node_notification, steady_fleet, stored};
pub use read::SendRow;
pub use script::{CallRule, DeliveryRule, Occurrences, any_call, events, messages, on, ticks, wakes};
pub use story::{Run, Story};
