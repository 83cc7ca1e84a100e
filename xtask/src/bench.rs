//! The budgets, measured: `tests/bench`, on the functions as they are deployed.

use crate::python::{Environment, succeeds};
use crate::{compat, template};
use std::process::Command;

/// What is measured from within, with the profile of the functions.
const BENCH: [&str; 5] = ["build", "--locked", "--release", "--package", "fleetwright-bench"];
/// The command line, as `cargo fleetwright` runs it.
const FLEETWRIGHT: [&str; 6] = ["build", "--locked", "--profile", "swift", "--package", "fleetwright"];

/// Builds what is measured, and measures it.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    let built = template::build()?;
    super::cargo(&BENCH)?;
    super::cargo(&FLEETWRIGHT)?;
    let python: Environment = compat::environment()?;
    let target = super::target_directory()?;
    let mut bench = Command::new(target.join("release").join("fleetwright-bench"));
    bench.arg("--built").arg(built).arg("--fleetwright").arg(target.join("swift").join("fleetwright"));
    bench.arg("--python").arg(python.programs().join("python")).args(options);
    succeeds(&mut bench, "what misses its budget is marked; what could not be measured is told")
}
