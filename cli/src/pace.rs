//! The pace at which a night is shown: slow while nodes report, fast while nothing happens.

use crate::failure::Failure;
use crate::progress::Watch;
use fleetwright_local::{Cloud, Pace, Simulation, Stop};
use jiff::SignedDuration;
use std::time::Duration;

/// Virtual seconds in a real one while nodes report.
const LIVELY: f64 = 150.0;
/// And while nothing is seen to happen.
const QUIET: f64 = 2_400.0;
/// Nothing seen for so long, and it is quiet.
const QUIET_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// Virtual time after which the pace is chosen anew.
const LEG: Duration = Duration::from_secs(10);

/// Runs until `over`, at `speed` or at a pace that adapts, for at most `limit` of virtual time.
///
/// # Errors
/// When the simulation cannot go on.
pub(crate) fn run(
    simulation: &mut Simulation,
    mut over: impl FnMut(&Cloud) -> bool,
    watch: &mut Watch<'_>,
    speed: Option<f64>,
    limit: Duration,
) -> Result<Stop, Failure> {
    let mut left = limit;
    while !left.is_zero() {
        let lively = watch.quiet_for(simulation.now()) < QUIET_AFTER;
        let leg = if speed.is_some() { left } else { LEG.min(left) };
        let speed = speed.unwrap_or(if lively { LIVELY } else { QUIET });
        let mut progress = |cloud: &Cloud| watch.look(cloud);
        let mut pace = Pace { speed, progress: &mut progress };
        let outcome = simulation.run_paced(&mut over, leg, &mut pace)?;
        watch.look(&simulation.cloud());
        if outcome.stop != Stop::Limit {
            return Ok(outcome.stop);
        }
        left = left.saturating_sub(leg);
    }
    Ok(Stop::Limit)
}
