//! Real clients against `fleetwright local`: boto3 and the aws CLI, as `tests/compat` uses them.
//!
//! Python's packages are installed below the target directory, and again when the list of them changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the tests are.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/compat");

/// Builds `fleetwright` and runs the tests with it; `options` are for pytest.
pub(crate) fn run(options: &[&str]) -> Result<(), String> {
    // Of the whole workspace, as the tests are: one package alone would have its dependencies built once more.
    super::cargo(&["build", "--locked", "--workspace", "--bin", "fleetwright"])?;
    let target = super::target_directory()?;
    let scratch = target.join("compat");
    let python = installed(&scratch, &Path::new(DIRECTORY).join("requirements.txt"), &[])?;
    let mut pytest = Command::new(python);
    pytest.current_dir(DIRECTORY).args(["-m", "pytest"]).args(options);
    pytest.env("FLEETWRIGHT", target.join("debug").join("fleetwright"));
    // Nothing is left in the repository.
    pytest.env("PYTHONPYCACHEPREFIX", scratch.join("pycache"));
    succeeds(&mut pytest, "see above")
}

/// An environment with the packages that are listed, and its Python; `options` are for pip.
pub(crate) fn installed(scratch: &Path, requirements: &Path, options: &[&str]) -> Result<PathBuf, String> {
    let environment = scratch.join("venv");
    let python = environment.join("bin").join("python");
    // Written last: half an installation has none.
    let installed = environment.join("requirements.txt");
    let wanted = fs::read(requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
    if fs::read(&installed).is_ok_and(|found| found == wanted) {
        return Ok(python);
    }
    println!("   installing what {} names", requirements.display());
    fs::create_dir_all(scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&environment);
    succeeds(
        &mut make,
        "tests with programs from PyPI need Python 3.11 or later, with venv (Debian: python3-venv)",
    )?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(options);
    install.arg("--requirement").arg(requirements);
    succeeds(&mut install, "what these tests need comes from PyPI, which pip must reach")?;
    fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))?;
    Ok(python)
}

fn succeeds(command: &mut Command, otherwise: &str) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} ended with {status}: {otherwise}")),
        Err(error) => Err(format!("{program} could not be run ({error}): {otherwise}")),
    }
}
