//! The functions' own programs under SIGKILL: `tests/processes`, beside everything else.

use std::process::{Child, Stdio};

/// The test, which is not run with the others: it takes its minute, whatever the machine.
const TEST: [&str; 7] = ["test", "--locked", "--workspace", "--test", "killed", "--", "--ignored"];

/// The test under way.
pub(crate) struct Killed(Child);

/// Starts it. What it needs has been built with all other tests.
pub(crate) fn start() -> Result<Killed, String> {
    let mut cargo = super::cargo_command();
    cargo.args(TEST).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    cargo.spawn().map(Killed).map_err(|error| format!("cargo could not be run: {error}"))
}

impl Killed {
    /// Waits for its end, and tells what it said.
    pub(crate) fn end(self) -> Result<(), String> {
        let output = self.0.wait_with_output().map_err(|error| format!("cargo: {error}"))?;
        print!("{}", String::from_utf8_lossy(&output.stdout));
        if output.status.success() {
            return Ok(());
        }
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        Err("failed".to_owned())
    }
}
