//! The real clock: processes have no other.

use std::thread;
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
pub(crate) fn wait(duration: Duration) {
    thread::sleep(duration);
}
