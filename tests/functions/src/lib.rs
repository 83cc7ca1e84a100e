//! What this package's test needs of cargo.

/// What cargo tells a program of its package. Build scripts (ring's) run again where a cargo inside of that is told another
/// one's, and all that depends on them is built anew.
pub const OF_A_PACKAGE: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];
