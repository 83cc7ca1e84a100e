//! `api` as the endpoint that controls.

use std::process::ExitCode;

fn main() -> ExitCode {
    fleetwright_functions::run_api()
}
