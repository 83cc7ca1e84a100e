//! Project tasks. `cargo xtask test` runs everything CI runs.

mod bench;
mod compat;
mod dynamodb;
mod faults;
mod functions;
mod fuzz;
mod processes;
mod python;
mod template;

use cargo_metadata::MetadataCommand;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Instant;

/// What a task runs: a title, and a cargo command line.
type Step = (&'static str, &'static [&'static str]);

/// What CI runs first. All that these need comes with the lock file.
const TEST: [Step; 5] = [
    ("format", &["fmt", "--all", "--check"]),
    ("format of the fuzz targets", &["fmt", "--manifest-path", fuzz::MANIFEST, "--check"]),
    ("clippy", &["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"]),
    ("documentation", &["doc", "--locked", "--workspace", "--no-deps", "--quiet"]),
    ("tests", &["test", "--locked", "--workspace"]),
];

const USAGE: &str = "\
cargo xtask test                      what CI runs: format, clippy, documentation, all tests, and everything below
cargo xtask template                  template.yaml: sam validate, cfn-lint, and held against the code
cargo xtask template build            all functions as sam deploys them, in target/template/build
cargo xtask functions                 the functions' own programs under cargo lambda watch
cargo xtask dynamodb                  stories over other DynamoDBs: moto's, and the one DYNAMODB_LOCAL_URL names
cargo xtask compat [OPTION …]         real clients: boto3 and the aws CLI; options are pytest's
cargo xtask bench [--format json]     the budgets of time, memory, size, calls and cost, each measured
cargo xtask fuzz [--runs N] [FILE]    fuzzing alone: N inputs, or the one in FILE
cargo xtask faults [OPTION …]         seeds under faults: --seeds N [--first-seed S] [--format json]; --help for all
cargo xtask faults deaths             functions die at every change three small runs make, one by one and in pairs
cargo xtask faults planted [BUG …]    planted bugs must be found";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments.as_slice() {
        ["test"] => test(),
        ["template"] => timed("template", template::hold),
        ["template", "build"] => timed("functions as sam builds them", || template::build().map(drop)),
        ["bench", options @ ..] => match options {
            [] | ["--format", "text" | "json"] => bench::run(options),
            // Said before a quarter of an hour of building.
            _ => return usage("bench takes --format text or --format json, and nothing else"),
        },
        ["functions"] => timed("functions", functions::run),
        ["dynamodb"] => timed("other DynamoDBs", dynamodb::run),
        ["compat", options @ ..] => timed("real clients", || compat::run(options)),
        ["faults", options @ ..] => faults::run(options),
        ["fuzz", options @ ..] => match fuzz::Request::parse(options) {
            Ok(request) => timed("fuzzing", || fuzz::run(&request)),
            Err(error) => return usage(&error),
        },
        [] => return usage("which task?"),
        [other, ..] => return usage(&format!("there is no task {other}")),
    };
    match result {
        Ok(()) => {
            // What programs read stands alone.
            eprintln!("── all of it passed");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("── {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage(error: &str) -> ExitCode {
    eprintln!("{USAGE}\n{error}");
    ExitCode::from(2)
}

/// Runs everything until something fails.
fn test() -> Result<(), String> {
    for (title, arguments) in TEST {
        timed(&format!("{title}: cargo {}", arguments.join(" ")), || cargo(arguments))?;
    }
    timed("template", template::hold)?;
    // It mostly waits: for a minute of real time in which processes are killed.
    let killed = processes::start()?;
    let others = timed("functions", functions::run)
        .and_then(|()| timed("faults", faults::smoke))
        .and_then(|()| timed("other DynamoDBs", dynamodb::run))
        .and_then(|()| timed("functions as sam builds them", || template::build().map(drop)))
        .and_then(|()| timed("real clients", || compat::run(&[])))
        .and_then(|()| timed("fuzzing", || fuzz::run(&fuzz::Request::default())));
    // Waited for in any case: nothing is left running.
    let killed = timed("killed processes", || killed.end());
    others.and(killed)
}

/// Cargo as if it did not run this: build scripts (ring's) run again where they are told of another package, and all that
/// depends on them is built anew, here and then by whoever calls cargo himself.
fn cargo_command() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|of| name.to_string_lossy().starts_with(of)) {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs cargo with these arguments.
fn cargo(arguments: &[&str]) -> Result<(), String> {
    let status = cargo_command().args(arguments).env("RUSTDOCFLAGS", "-D warnings").status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("failed".to_owned()),
        Err(error) => Err(format!("cargo could not be run: {error}")),
    }
}

/// The workspace's target directory, which the environment and cargo's configuration have a say in.
fn target_directory() -> Result<PathBuf, String> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let metadata = MetadataCommand::new()
        .cargo_path(env!("CARGO"))
        .manifest_path(manifest)
        .no_deps()
        .other_options(["--locked".to_owned()])
        .exec()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    Ok(metadata.target_directory.into_std_path_buf())
}

/// Does something, and says how long it took.
fn timed(title: &str, work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    println!("── {title}");
    let began = now();
    let result = work();
    let seconds = began.elapsed().as_secs();
    let name = title.split(':').next().unwrap_or(title);
    match result {
        Ok(()) => {
            println!("── {name}: {seconds} s");
            Ok(())
        }
        Err(error) => Err(format!("{name}: {error} (after {seconds} s)")),
    }
}

#[expect(clippy::disallowed_methods, reason = "tells a person how long a step took")]
fn now() -> Instant {
    Instant::now()
}
