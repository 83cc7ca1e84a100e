//! The functions' own programs under `cargo lambda watch`, as `tests/functions` invokes them.

use crate::python::Environment;
use std::path::Path;

/// The test's folder.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/functions");
/// What is run, of the whole workspace, as `cargo lambda watch` builds it. Built beforehand: events wait for no compiler.
const BUILD: [&str; 3] = ["build", "--locked", "--workspace"];
const PROGRAMS: [&str; 5] = ["fleetwright", "on-command-event", "reconcile", "api-read", "api-control"];
const TEST: [&str; 8] =
    ["test", "--locked", "--workspace", "--test", "watch", "--", "--ignored", "--test-threads=1"];

/// cargo lambda, and the linker it builds for Lambda with.
pub(crate) fn environment() -> Result<Environment, String> {
    let requirements = Path::new(DIRECTORY).join("requirements.txt");
    Environment::install(&super::target_directory()?.join("functions"), &requirements, "cargo lambda")
}

/// Builds the programs, installs cargo lambda, and runs the tests with them.
pub(crate) fn run() -> Result<(), String> {
    let programs = PROGRAMS.iter().flat_map(|name| ["--bin", name]);
    super::cargo(&BUILD.into_iter().chain(programs).collect::<Vec<_>>())?;
    let target = super::target_directory()?;
    let environment = environment()?;
    let mut cargo = super::cargo_command();
    cargo.args(TEST).env("FLEETWRIGHT", target.join("debug").join("fleetwright"));
    cargo.env("CARGO_LAMBDA", environment.programs().join("cargo-lambda"));
    match cargo.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("see above".to_owned()),
        Err(error) => Err(format!("cargo could not be run: {error}")),
    }
}
