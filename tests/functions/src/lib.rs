//! `api` is one program and two functions, and `cargo lambda watch` invokes a function by the name of its program: so here
//! are programs of both names that run it. Which of the two they make of it stands in `[workspace.metadata.lambda]`.

use std::process::{Command, ExitCode};

/// The workspace: of one package alone, dependencies would be built once more.
const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml");
/// What cargo tells a program of its package. Build scripts (ring's) run again where a cargo inside of that is told another
/// one's, and all that depends on them is built anew.
pub const OF_A_PACKAGE: [&str; 2] = ["CARGO_MANIFEST_", "CARGO_PKG_"];
const PROFILE: &str = if cfg!(debug_assertions) { "dev" } else { "release" };

/// Builds and runs `api` in this program's environment, and ends as it does.
#[must_use]
pub fn run_api() -> ExitCode {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--manifest-path", MANIFEST, "--profile", PROFILE, "--bin", "api"]);
    for (name, _) in std::env::vars_os() {
        if OF_A_PACKAGE.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            cargo.env_remove(name);
        }
    }
    match cargo.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo could not be run: {error}");
            ExitCode::FAILURE
        }
    }
}
