//! The `fleetwright` command: SSM Automation runbooks over fleets, tried out on a laptop and run in an account.

mod args;
mod bars;
mod check;
mod client;
mod clock;
mod controls;
mod demo;
mod doctor;
mod excerpt;
mod failure;
mod files;
mod input;
mod lines;
mod local;
mod mocks;
mod pace;
mod price;
mod progress;
mod proxy;
mod rehearsal;
mod report;
mod resource;
mod results;
mod sheet;
mod simulate;
mod snapshot;
mod start;
mod tables;
mod target;
mod text;
mod trouble;
mod validate;
mod verdict;
mod view;
mod watch;

use args::{Arguments, Command};
use clap::Parser;
use failure::Failure;
use mimalloc::MiMalloc;
use std::io::Write;
use std::process::ExitCode;

/// A fifth of a simulation is spent in the allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo(options) => demo::run(&options),
        Command::Local(options) => local::run(&options),
        Command::Simulate(options) => simulate::run(&options),
        Command::Validate(options) => validate::run(&options),
        Command::Start(options) => start::run(&options),
        Command::Watch(options) => watch::run(&options),
        Command::Results(options) => results::run(&options),
        Command::Stop(options) => controls::stop(&options),
        Command::Signal(options) => controls::signal(&options),
        Command::Proxy(options) => proxy::run(&options),
        Command::Doctor(options) => doctor::run(&options),
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
