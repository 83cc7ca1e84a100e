//! Tools that come from PyPI: each task's in an environment of its own below the target directory, installed again when
//! the list of them changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An environment with the packages that a list names.
pub(crate) struct Environment(PathBuf);

impl Environment {
    /// Makes it in `directory`, unless it is there. `what` it is for is told to whoever lacks something.
    pub(crate) fn install(directory: &Path, requirements: &Path, what: &str) -> Result<Self, String> {
        let environment = Self(directory.join("venv"));
        // Written last: half an installation has none.
        let installed = environment.0.join("requirements.txt");
        let wanted =
            fs::read(requirements).map_err(|error| format!("{}: {error}", requirements.display()))?;
        if fs::read(&installed).is_ok_and(|found| found == wanted) {
            return Ok(environment);
        }
        eprintln!("   installing {what}");
        fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(&environment.0);
        let needed = format!("{what} need Python 3.11 or later, with venv (Debian: python3-venv)");
        succeeds(&mut make, &needed)?;
        let mut install = environment.program("python");
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
        let needed = format!("{what} come from PyPI, which pip must reach");
        succeeds(install.arg(requirements), &needed)?;
        fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))?;
        Ok(environment)
    }

    /// One of its programs, Python among them.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.programs().join(name))
    }

    /// Where its programs are.
    pub(crate) fn programs(&self) -> PathBuf {
        self.0.join("bin")
    }
}

/// Runs something that has to succeed.
pub(crate) fn succeeds(command: &mut Command, otherwise: &str) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program} ended with {status}: {otherwise}")),
        Err(error) => Err(format!("{program} could not be run ({error}): {otherwise}")),
    }
}
