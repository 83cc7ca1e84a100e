//! Project tasks. `cargo xtask test` runs everything CI runs.

use std::process::{Command, ExitCode};
use std::time::Instant;

/// What a task runs: a title, and a cargo command line.
type Step = (&'static str, &'static [&'static str]);

/// Everything CI runs. What the tests need comes with the lock file.
const TEST: [Step; 4] = [
    ("format", &["fmt", "--all", "--check"]),
    ("clippy", &["clippy", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"]),
    ("documentation", &["doc", "--locked", "--workspace", "--no-deps", "--quiet"]),
    ("tests", &["test", "--locked", "--workspace"]),
];

fn main() -> ExitCode {
    let task = std::env::args().nth(1);
    match task.as_deref() {
        Some("test") => run(&TEST),
        other => {
            eprintln!("cargo xtask test    format, clippy, documentation, all tests: what CI runs");
            if let Some(other) = other {
                eprintln!("there is no task {other}");
            }
            ExitCode::from(2)
        }
    }
}

/// Runs steps until one fails.
fn run(steps: &[Step]) -> ExitCode {
    for (title, arguments) in steps {
        println!("── {title}: cargo {}", arguments.join(" "));
        let began = now();
        let status = Command::new(env!("CARGO")).args(*arguments).env("RUSTDOCFLAGS", "-D warnings").status();
        let seconds = began.elapsed().as_secs();
        match status {
            Ok(status) if status.success() => println!("── {title}: {seconds} s"),
            Ok(_) => {
                eprintln!("── {title}: failed after {seconds} s");
                return ExitCode::FAILURE;
            }
            Err(error) => {
                eprintln!("── {title}: cargo could not be run: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("── all of it passed");
    ExitCode::SUCCESS
}

#[expect(clippy::disallowed_methods, reason = "tells a person how long a step took")]
fn now() -> Instant {
    Instant::now()
}
