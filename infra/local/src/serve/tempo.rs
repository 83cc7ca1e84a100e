//! How virtual time follows real time.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::clock::later;

/// Virtual time that runs at a speed of its own from a moment both clocks know.
pub(super) struct Tempo {
    virtual_begin: Timestamp,
    real_begin: Instant,
    speed: f64,
}

impl Tempo {
    /// Virtual time stands at `now`, and passes `speed` times as fast as real time.
    pub(super) fn new(now: Timestamp, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 1.0 };
        Self { virtual_begin: now, real_begin: real_now(), speed }
    }

    /// The moment virtual time should stand at now.
    pub(super) fn present(&self) -> Timestamp {
        let passed = real_now().duration_since(self.real_begin).as_secs_f64() * self.speed;
        later(self.virtual_begin, Duration::try_from_secs_f64(passed).unwrap_or(Duration::MAX))
    }

    /// Real time until virtual time should stand at `at`.
    pub(super) fn until(&self, at: Timestamp) -> Duration {
        let passed = at.duration_since(self.virtual_begin).max(jiff::SignedDuration::ZERO).unsigned_abs();
        let due = Duration::try_from_secs_f64(passed.as_secs_f64() / self.speed).unwrap_or(Duration::MAX);
        due.saturating_sub(real_now().duration_since(self.real_begin))
    }

    /// Virtual time could not follow and stands at `now`: it goes on from there, so that it never has to hurry.
    pub(super) fn slip(&mut self, now: Timestamp) {
        self.virtual_begin = now;
        self.real_begin = real_now();
    }
}

#[expect(clippy::disallowed_methods, reason = "what is served follows the wall clock")]
pub(super) fn real_now() -> Instant {
    Instant::now()
}

/// The moment virtual time begins at where people use it.
#[expect(clippy::disallowed_methods, reason = "what is served begins at the real present")]
pub(super) fn real_moment() -> Timestamp {
    Timestamp::now()
}
