//! Real time, and ids that nobody else has: for commands that talk to a service.

use jiff::Timestamp;
use std::time::Duration;
use uuid::Uuid;

/// The time of people and services.
#[expect(clippy::disallowed_methods, reason = "signatures and clocks on screens follow the wall clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "a service is asked again after real time")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// An id for one request.
#[expect(clippy::disallowed_methods, reason = "requests of different processes must not be taken for one")]
pub(crate) fn unique() -> Uuid {
    Uuid::new_v4()
}
