//! The real clock: processes have no other.

use std::thread;
use std::time::{Duration, Instant};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

#[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
fn now() -> Instant {
    Instant::now()
}

/// Looks again and again until there is something to see; nothing if there is not for too long.
pub(crate) fn wait_for<T>(longest: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = now();
    loop {
        let seen = look();
        if seen.is_some() || begun.elapsed() > longest {
            return seen;
        }
        #[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
        thread::sleep(PAUSE);
    }
}
