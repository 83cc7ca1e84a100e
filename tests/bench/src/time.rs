//! The real clock.

use std::thread;
use std::time::{Duration, Instant};

/// Now.
#[expect(clippy::disallowed_methods, reason = "a time is measured")]
#[must_use]
pub fn now() -> Instant {
    Instant::now()
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "processes have no other clock")]
pub fn wait(duration: Duration) {
    thread::sleep(duration);
}

/// The one in the middle.
///
/// # Panics
/// Of none.
#[must_use]
pub fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations[durations.len() / 2]
}
