//! `api` as the endpoint that reads.

use std::process::ExitCode;

fn main() -> ExitCode {
    fleetwright_functions::run_api()
}
