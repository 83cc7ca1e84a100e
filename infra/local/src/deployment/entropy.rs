//! Identities and jitter out of a seed.

use std::sync::{Mutex, PoisonError};

use fleetwright_orchestrator::Entropy;
use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;

/// Seeded, where a deployment is random.
#[derive(Debug)]
pub(super) struct Seeded(Mutex<ChaCha8Rng>);

impl Seeded {
    pub(super) const fn new(generator: ChaCha8Rng) -> Self {
        Self(Mutex::new(generator))
    }
}

impl Entropy for Seeded {
    fn uuid(&self) -> String {
        let mut bytes = [0; 16];
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    fn below(&self, bound: u64) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).random_range(0..bound.max(1))
    }
}
