//! Virtual time paced to real time, for people who watch.

use std::time::{Duration, Instant};

use crate::clock::later;
use crate::cloud::Cloud;
use crate::simulation::{Outcome, Simulation, SimulationError};

/// How fast virtual time passes, and who is told.
pub struct Pace<'a> {
    /// Virtual seconds in a real second.
    pub speed: f64,
    /// Called before each wait, with the cloud as it is.
    pub progress: &'a mut dyn FnMut(&Cloud),
}

impl Simulation {
    /// Runs like [`Simulation::run_until`], but never faster than `pace` allows. What happens is the same.
    ///
    /// # Errors
    /// When virtual time stands still.
    pub fn run_paced(
        &mut self,
        mut reached: impl FnMut(&Cloud) -> bool,
        limit: Duration,
        pace: &mut Pace<'_>,
    ) -> Result<Outcome, SimulationError> {
        let begin = self.now();
        let end = later(begin, limit);
        let real_begin = real_now();
        let speed = if pace.speed.is_finite() && pace.speed > 0.0 { pace.speed } else { f64::INFINITY };
        self.drive(&mut reached, end, &mut |cloud, next| {
            (pace.progress)(cloud);
            let virtual_time = next.duration_since(begin).max(jiff::SignedDuration::ZERO).unsigned_abs();
            let due =
                Duration::try_from_secs_f64(virtual_time.as_secs_f64() / speed).unwrap_or(Duration::MAX);
            real_sleep(due.saturating_sub(real_now().duration_since(real_begin)));
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "pacing is the one place that follows the wall clock")]
fn real_now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "pacing is the one place that follows the wall clock")]
fn real_sleep(duration: Duration) {
    std::thread::sleep(duration);
}
