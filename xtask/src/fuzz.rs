//! Coverage-guided fuzzing with the pinned toolchain: libFuzzer, built from its sources by `libfuzzer-sys`.
//!
//! The target is a package of its own (`tests/fuzz`), because everything in it is instrumented. A run has a
//! seed, and is the same each time on the same machine and in the same directory; elsewhere, where memory is
//! laid out in another way and vectorized searches go other ways, it may try other inputs.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The package of the fuzz targets.
pub(crate) const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz/Cargo.toml");

/// Where its inputs are.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fuzz");

/// The one target there is.
const TARGET: &str = "validate";

/// How many inputs are tried: a number, not a time, so that a run that passes once passes again.
const RUNS: u64 = 250_000;

/// Counters for every edge, where libFuzzer looks for them: what `cargo fuzz --sanitizer none` passes, but for
/// `-sanitizer-coverage-trace-compares`. That one traces pointers too, so that runs would depend on where the
/// system puts things; the dictionary makes up for it, and the target is three times as fast.
const FLAGS: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Ccodegen-units=1",
    "-Cdebug-assertions",
    "--cfg=fuzzing",
];

/// What is asked for.
pub(crate) struct Request {
    runs: u64,
    file: Option<PathBuf>,
}

impl Default for Request {
    fn default() -> Self {
        Self { runs: RUNS, file: None }
    }
}

impl Request {
    /// Reads `[--runs N] [FILE]`.
    pub(crate) fn parse(arguments: &[&str]) -> Result<Self, String> {
        let mut request = Self::default();
        let mut left = arguments.iter();
        while let Some(argument) = left.next() {
            match *argument {
                "--runs" => {
                    let runs = left.next().and_then(|runs| runs.parse().ok()).filter(|runs| *runs > 0);
                    request.runs = runs.ok_or("--runs takes a number from 1")?;
                }
                option if option.starts_with('-') => return Err(format!("fuzz has no option {option}")),
                file if request.file.is_none() => request.file = Some(PathBuf::from(file)),
                more => return Err(format!("fuzz takes one file, {more} is a second one")),
            }
        }
        Ok(request)
    }
}

/// Builds the target and runs it.
pub(crate) fn run(request: &Request) -> Result<(), String> {
    let target = super::target_directory()?.join("fuzz");
    build(&target)?;
    match &request.file {
        Some(file) => replay(&target, file),
        None => search(&target, request.runs),
    }
}

fn build(target: &Path) -> Result<(), String> {
    println!("   building tests/fuzz with coverage counters");
    let built = succeeds(&mut cargo("build", target))?;
    if built {
        return Ok(());
    }
    if has_cxx() {
        return Err("the fuzz target does not build".to_owned());
    }
    Err("the fuzz target does not build: libFuzzer is C++, and there is no C++ compiler. \
         Install one (Debian: g++, Fedora: gcc-c++), or name one in the environment variable CXX"
        .to_owned())
}

/// Whether the name that C++ compilers go by is there.
fn has_cxx() -> bool {
    let mut command = Command::new("c++");
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Tries new inputs, made of those in the repository. What is found stays below the target directory.
fn search(target: &Path, runs: u64) -> Result<(), String> {
    let scratch = target.join(TARGET);
    let found = scratch.join("corpus");
    let failure = scratch.join("failure");
    // What an earlier run found would make this one another.
    for path in [&found, &failure] {
        remove(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    let seeds = seeds()?;
    println!("   trying {runs} inputs, made of {}", seeds.len());
    let mut command = cargo("run", target);
    command.arg("--").args(LIMITS);
    // Not read again while it runs, nor in the order the file system has: neither is the same twice.
    command.args(["-seed=1", "-reload=0", "-dict=validate.dict", "-print_funcs=0"]);
    command.arg(format!("-runs={runs}"));
    command.arg(format!("-seed_inputs={}", seeds.join(",")));
    command.arg(format!("-exact_artifact_path={}", failure.display()));
    command.arg(&found);
    if told(&mut command)? {
        return Ok(());
    }
    if !failure.is_file() {
        return Err("the fuzz target failed and left no input".to_owned());
    }
    let failure = failure.display();
    Err(format!(
        "an input fails, see above; it is in {failure}\n   \
         again:          cargo xtask fuzz {failure}\n   \
         once it passes: keep it as tests/fuzz/corpus/{TARGET}/<what it is>"
    ))
}

/// Tries one input.
fn replay(target: &Path, file: &Path) -> Result<(), String> {
    let file = std::path::absolute(file).map_err(|error| format!("{}: {error}", file.display()))?;
    if !file.is_file() {
        return Err(format!("there is no file {}", file.display()));
    }
    let mut command = cargo("run", target);
    command.arg("--").args(LIMITS).arg(&file);
    if succeeds(&mut command)? { Ok(()) } else { Err(format!("{} fails", file.display())) }
}

/// What one input may take: seconds, bytes, megabytes of memory.
const LIMITS: [&str; 3] = ["-timeout=10", "-max_len=4096", "-rss_limit_mb=2048"];

/// The inputs in the repository, sorted; their names are relative to [`DIRECTORY`].
fn seeds() -> Result<Vec<String>, String> {
    let corpus = format!("corpus/{TARGET}");
    let read = || -> std::io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(Path::new(DIRECTORY).join(&corpus))? {
            names.push(format!("{corpus}/{}", entry?.file_name().to_string_lossy()));
        }
        names.sort();
        Ok(names)
    };
    let names = read().map_err(|error| format!("tests/fuzz/{corpus}: {error}"))?;
    match names.iter().find(|name| name.contains(',')) {
        Some(name) => Err(format!("{name}: libFuzzer takes no commas in the names of inputs")),
        None if names.is_empty() => Err(format!("tests/fuzz/{corpus} is empty")),
        None => Ok(names),
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    let result = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A cargo command for the target. With `--target` the flags are for it alone, not for build scripts.
fn cargo(command: &str, target: &Path) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(DIRECTORY).env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    cargo.args([command, "--locked", "--quiet", "--release", "--manifest-path", MANIFEST, "--bin", TARGET]);
    cargo.args(["--target", "host-tuple", "--target-dir"]).arg(target);
    cargo
}

/// Runs libFuzzer and leaves out what it says of every single input it keeps.
fn told(command: &mut Command) -> Result<bool, String> {
    let could_not = |error: std::io::Error| format!("cargo could not be run: {error}");
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(could_not)?;
    let mut is_list = false;
    for line in child.stderr.take().into_iter().flat_map(|stderr| BufReader::new(stderr).split(b'\n')) {
        let line = line.map_err(could_not)?;
        let line = String::from_utf8_lossy(&line);
        is_list |= line.starts_with("###### Recommended dictionary");
        let mut words = line.split_whitespace();
        let is_kept = words.next().is_some_and(|word| word.starts_with('#'))
            && matches!(words.next(), Some("NEW" | "REDUCE"));
        if !is_list && !is_kept && !line.starts_with("WARNING: Failed to find function \"__sanitizer") {
            eprintln!("{line}");
        }
        is_list &= !line.starts_with("###### End of recommended dictionary");
    }
    child.wait().map(|status| status.success()).map_err(could_not)
}

fn succeeds(command: &mut Command) -> Result<bool, String> {
    match command.status() {
        Ok(status) => Ok(status.success()),
        Err(error) => Err(format!("cargo could not be run: {error}")),
    }
}
