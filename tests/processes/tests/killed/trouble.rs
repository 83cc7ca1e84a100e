//! An AWS that takes its time to answer, so that who waits for it dies waiting.

use fleetwright_local::protocol::Service;
use fleetwright_local::{Call, Fault, Faults};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// Calls are applied at once and answered late.
pub(crate) struct SlowAnswers(ChaCha8Rng);

impl SlowAnswers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed ^ 0x736c_6f77))
    }
}

impl Faults for SlowAnswers {
    fn on_call(&mut self, call: &Call<'_>) -> Fault {
        let (share, longest_ms) = match call.operation {
            "SendCommand" => (0.9, 2000),
            "TransactWriteItems" => (0.2, 400),
            _ if call.service == Service::Ssm => (0.3, 800),
            _ => (0.05, 200),
        };
        if self.0.random_bool(share) {
            Fault::SlowAfter(Duration::from_millis(self.0.random_range(20..longest_ms)))
        } else {
            Fault::None
        }
    }
}
