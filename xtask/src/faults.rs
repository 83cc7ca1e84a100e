//! Seeded runs under faults: `tests/faults`, built for speed.

use std::process::Command;

/// What is built: optimized, as a run is a million small steps, and linked quickly, as it is built often.
const BUILD: [&str; 6] = ["build", "--locked", "--profile", "swift", "--package", "fleetwright-faults"];
/// Planted bugs that are looked for whenever all tests are run: one of each kind, soon found.
const PLANTED: [&str; 5] = [
    "version-unchecked",
    "unknown-is-refused",
    "fold-replaces",
    "poison-acknowledged",
    "client-token-ignored",
];

/// Plays seeds, or whatever the options say.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    let planted = options.first() == Some(&"planted");
    let features: &[&str] = if planted { &["--features", "planted"] } else { &[] };
    super::cargo(&[&BUILD, features].concat())?;
    let program = super::target_directory()?.join("swift").join("fleetwright-faults");
    match Command::new(&program).args(options).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("see above".to_owned()),
        Err(error) => Err(format!("{} could not be run: {error}", program.display())),
    }
}

/// What is held whenever all tests are run.
pub(crate) fn smoke() -> Result<(), String> {
    run(&["--seeds", "1000", "--twice", "--sometimes"])?;
    run(&["--seeds", "200", "--everything-lost"])?;
    run(&["deaths", "--single"])?;
    run(&[&["planted"], &PLANTED[..]].concat())
}
