//! What a run is going to come to.

use crate::fleet::Behaviour;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// How an invocation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Runs and ends with 0.
    Success,
    /// Runs and ends with this code.
    Failed(i32),
    /// Runs until the agent stops it at its execution timeout.
    ExecutionTimedOut,
    /// SSM hears nothing until the command expires; `runs` says whether it ran.
    DeliveryTimedOut {
        /// Whether it ran, with only the answer lost.
        runs: bool,
    },
    /// SSM says it could not deliver; `runs` says whether it ran all the same.
    Undeliverable {
        /// Whether it ran.
        runs: bool,
    },
    /// Cancelled on the node before it began.
    Cancelled,
    /// The caller may not run it there.
    AccessDenied,
}

/// One run as it is going to be.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) outcome: Outcome,
    /// Milliseconds it takes, unless something stops it.
    pub(super) duration: i64,
    /// Position of the node's behaviour that says what it prints.
    pub(super) behaviour: Option<usize>,
    /// Patches an installation leaves missing.
    pub(super) leaves_missing: u32,
    /// Whether an installation leaves the node waiting for a reboot.
    pub(super) pending_reboot: bool,
}

/// How often outcomes that SSM reports as not run ran all the same, 0 to 1.
pub(super) struct RunsAnyway {
    pub(super) undeliverable: f64,
    pub(super) delivery_timed_out: f64,
}

impl Plan {
    /// Draws the `run`-th run (from 0) of a behaviour. `forced` stands instead of the drawn outcome.
    pub(super) fn draw(
        behaviour: &Behaviour,
        position: Option<usize>,
        run: u32,
        forced: Option<Outcome>,
        anyway: &RunsAnyway,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let drawn = draw_outcome(behaviour, run, anyway, rng);
        let outcome = forced.unwrap_or(drawn);
        Self {
            outcome,
            duration: behaviour.duration.draw(rng),
            behaviour: position,
            leaves_missing: behaviour.leaves_missing.draw(rng),
            pending_reboot: behaviour.pending_reboot.hits(rng),
        }
    }
}

fn draw_outcome(behaviour: &Behaviour, run: u32, anyway: &RunsAnyway, rng: &mut ChaCha8Rng) -> Outcome {
    let draw: f64 = rng.random_range(0.0..1.0);
    let lucky: f64 = rng.random_range(0.0..1.0);
    if run < behaviour.fails_first {
        return Outcome::Failed(behaviour.exit_code);
    }
    let mut end = 0.0;
    for (share, outcome) in [
        (behaviour.failed, Outcome::Failed(behaviour.exit_code)),
        (behaviour.execution_timed_out, Outcome::ExecutionTimedOut),
        (behaviour.delivery_timed_out, Outcome::DeliveryTimedOut { runs: lucky < anyway.delivery_timed_out }),
        (behaviour.undeliverable, Outcome::Undeliverable { runs: lucky < anyway.undeliverable }),
        (behaviour.cancelled, Outcome::Cancelled),
    ] {
        end += share.fraction();
        if draw < end {
            return outcome;
        }
    }
    Outcome::Success
}
