//! Real clients against `fleetwright local`: boto3 and the aws CLI, as `tests/compat` uses them.

use crate::python::{Environment, succeeds};
use std::path::Path;

/// Where the tests are.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/compat");

/// Builds `fleetwright` and runs the tests with it; `options` are for pytest.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    // Of the whole workspace, as the tests are: one package alone would have its dependencies built once more.
    super::cargo(&["build", "--locked", "--workspace", "--bin", "fleetwright"])?;
    let target = super::target_directory()?;
    let mut pytest = environment()?.program("python");
    pytest.current_dir(DIRECTORY).args(["-m", "pytest"]).args(options);
    pytest.env("FLEETWRIGHT", target.join("debug").join("fleetwright"));
    // Nothing is left in the repository.
    pytest.env("PYTHONPYCACHEPREFIX", target.join("compat").join("pycache"));
    succeeds(&mut pytest, "see above")
}

/// Python, boto3 and the aws CLI.
pub(crate) fn environment() -> Result<Environment, String> {
    let requirements = Path::new(DIRECTORY).join("requirements.txt");
    let scratch = super::target_directory()?.join("compat");
    Environment::install(&scratch, &requirements, "the tests with real clients")
}
