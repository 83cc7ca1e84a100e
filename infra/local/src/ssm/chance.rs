//! Draws that depend on what they are for, not on when they are made.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A generator of its own for one run of a document on a node: the same seed, node, document and count of runs
/// behave the same, whatever happened in between.
pub(super) fn for_run(seed: u64, node: &str, document: &str, run: u32) -> ChaCha8Rng {
    let mut state = digest(seed, node.as_bytes());
    state = digest(state, document.as_bytes());
    ChaCha8Rng::seed_from_u64(digest(state, &run.to_le_bytes()))
}

/// FNV-1a, begun with `state`, and mixed.
pub(super) fn digest(state: u64, bytes: &[u8]) -> u64 {
    let mut hash = state ^ 0xcbf2_9ce4_8422_2325;
    for byte in bytes.iter().chain(&[0xff]) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash ^ (hash >> 29)
}
