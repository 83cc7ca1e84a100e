//! Randomness that is a function of one number.

use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A generator for one purpose: different purposes of one seed don't disturb each other's draws.
pub fn generator(seed: u64, purpose: &str) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(derive(seed, purpose))
}

/// A seed for one purpose out of another seed.
pub fn derive(seed: u64, purpose: &str) -> u64 {
    let mut hash = Hash64::default();
    hash.write(&seed.to_le_bytes());
    hash.write(purpose.as_bytes());
    hash.finish()
}

/// A random identifier in the form AWS gives most of its own: a version 4 UUID.
pub(crate) fn uuid(random: &mut impl Rng) -> String {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// A duration between two bounds, evenly, in whole microseconds.
pub(crate) fn between(random: &mut impl Rng, shortest: Duration, longest: Duration) -> Duration {
    let microseconds = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let (low, high) = (microseconds(shortest), microseconds(longest));
    Duration::from_micros(if low < high { random.random_range(low..=high) } else { low })
}

/// FNV-1a over 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>): stable across releases and platforms, which
/// the standard library's hasher doesn't promise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hash64(u64);

impl Default for Hash64 {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash64 {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub(crate) fn finish(self) -> u64 {
        self.0
    }
}
