//! The `fleetwright` command: SSM Automation runbooks over fleets, tried out on a laptop.

mod args;
mod bars;
mod check;
mod demo;
mod excerpt;
mod failure;
mod files;
mod input;
mod lines;
mod mocks;
mod pace;
mod price;
mod progress;
mod rehearsal;
mod report;
mod simulate;
mod snapshot;
mod tables;
mod target;
mod text;
mod trouble;
mod validate;
mod verdict;

use args::{Arguments, Command};
use clap::Parser;
use failure::Failure;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Simulate(options) => simulate::run(&options),
        Command::Validate(options) => validate::run(&options),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(failure::UNSUCCESSFUL),
        Err(failure) => {
            if !matches!(failure, Failure::Closed) {
                // Nobody is left to tell if even this cannot be written.
                let _ = writeln!(std::io::stderr(), "{failure}");
            }
            ExitCode::from(failure.exit_status())
        }
    }
}
