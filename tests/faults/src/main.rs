//! `fleetwright-faults`: plays seeds, deaths and planted bugs, and tells what came of them.

use clap::{Args, Parser, Subcommand, ValueEnum};
use fleetwright_faults::{
    Finding, Found, Invariant, Play, Search, Wrong, deaths, missing, play, search, shortest_prefix,
};
use mimalloc::MiMalloc;
use serde_json::json;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

/// A fifth of a run is spent in the allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Lines of a trace that are shown before what went wrong; the rest is in the whole trace.
const TRACE_LINES: usize = 60;

/// Plays seeds under faults, and holds what must be true.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask faults", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    task: Option<Task>,
    #[command(flatten)]
    seeds: Seeds,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Functions die before and after every call that changes something, in three small runs: one by one, and in pairs.
    Deaths {
        /// One by one only.
        #[arg(long)]
        single: bool,
    },
    /// Each planted bug must be found within so many seeds.
    #[cfg(feature = "planted")]
    Planted {
        /// Only these; all of them if none is named.
        bugs: Vec<fleetwright_orchestrator::planted::Bug>,
        /// How many seeds a bug may hide in.
        #[arg(long, default_value_t = 1000)]
        seeds: u64,
    },
}

#[derive(Debug, Args)]
struct Seeds {
    /// How many seeds.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Plays each twice: it must come to the same.
    #[arg(long)]
    twice: bool,
    /// Loses every message but the schedule's, instead of all other faults.
    #[arg(long)]
    everything_lost: bool,
    /// Holds that every kind of fault and every turn of a send, a step and an execution came about.
    #[arg(long)]
    sometimes: bool,
    /// Prints everything that happened in the first seed.
    #[arg(long)]
    trace: bool,
    /// Nothing goes wrong any more after so many chances for it: a prefix of a seed's faults.
    #[arg(long, default_value_t = u64::MAX, hide_default_value = true)]
    prefix: u64,
    /// For people, or one line of JSON for programs.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let passed = match arguments.task {
        None => seeds(&arguments.seeds),
        Some(Task::Deaths { single }) => die(single),
        #[cfg(feature = "planted")]
        Some(Task::Planted { bugs, seeds }) => find_planted(&bugs, seeds),
    };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

#[expect(clippy::disallowed_methods, reason = "tells a person how fast it went")]
fn now() -> Instant {
    Instant::now()
}

fn seeds(arguments: &Seeds) -> bool {
    let wrong =
        if arguments.everything_lost { Wrong::EverythingLost } else { Wrong::Drawn(arguments.prefix) };
    let how = Play { wrong, ..Play::seeded(arguments.first_seed) };
    if arguments.trace {
        let played = play(Play { keep_trace: true, ..how });
        played.trace.iter().for_each(|line| println!("{line}"));
    }
    let began = now();
    let found = search(Search {
        first_seed: arguments.first_seed,
        seeds: arguments.seeds,
        twice: arguments.twice,
        how,
        threads: threads(),
    });
    let seconds = began.elapsed().as_secs_f64();
    let rare = if arguments.sometimes { missing(&found.sometimes) } else { Vec::new() };
    match arguments.format {
        Format::Json => println!("{}", as_json(&found, seconds)),
        Format::Text => tell(&found, seconds),
    }
    for what in &rare {
        eprintln!("never came about: {what}");
    }
    if let Some(first) = found.findings.first() {
        show(first, Play { seed: first.seed, ..how });
    }
    found.violations == 0 && rare.is_empty()
}

fn as_json(found: &Found, seconds: f64) -> serde_json::Value {
    let mut line = json!(found);
    line["seeds_per_second"] = json!((per_second(found, seconds) * 10.0).round() / 10.0);
    line
}

#[expect(clippy::cast_precision_loss, reason = "seeds are far fewer")]
fn per_second(found: &Found, seconds: f64) -> f64 {
    found.seeds as f64 / seconds.max(0.001)
}

fn tell(found: &Found, seconds: f64) {
    println!(
        "{} seeds, {} with a violation\n{} executions, {} commands ({} of them second ones), {} messages, {} crashes",
        found.seeds,
        found.violations,
        found.executions,
        found.commands,
        found.duplicate_commands,
        found.events,
        found.crashes
    );
    for (what, count) in found.sometimes.iter() {
        println!("{count:>10}  {what}");
    }
    println!("{:.1} seeds a second", per_second(found, seconds));
    for finding in found.findings.iter().take(20) {
        println!("seed {}:", finding.seed);
        finding.violations.iter().take(5).for_each(|violation| println!("  {violation}"));
    }
}

/// The shortest prefix of a seed's faults that still shows something, and what happened until then.
fn show(finding: &Finding, how: Play) {
    let is_of_one_run =
        finding.violations.iter().any(|violation| violation.invariant != Invariant::Repeatable);
    let (wrong, again) = if how.wrong == Wrong::EverythingLost {
        (how.wrong, "--everything-lost".to_owned())
    } else if is_of_one_run {
        let chances = shortest_prefix(how);
        eprintln!("\nseed {}, shortest prefix {chances}:", how.seed);
        (Wrong::Drawn(chances), format!("--prefix {chances}"))
    } else {
        // Only two runs of it show that.
        (how.wrong, "--twice".to_owned())
    };
    let played = play(Play { keep_trace: true, wrong, ..how });
    let first = played.violations.first();
    let until = first.map_or(String::new(), |violation| format!("{:.6}", violation.at));
    // An idle tick of reconcile reads ten empty stretches of an index.
    let is_before = |line: &str| line.split(' ').next().is_none_or(|at| *at <= *until);
    let told = played.trace.iter().filter(|line| !line.contains("Query index") && is_before(line));
    let told: Vec<&String> = told.collect();
    let from = told.len().saturating_sub(TRACE_LINES);
    told[from..].iter().for_each(|line| eprintln!("  {line}"));
    let shown = if played.violations.is_empty() { &finding.violations } else { &played.violations };
    shown.iter().for_each(|violation| eprintln!("  {violation}"));
    eprintln!("again: cargo xtask faults --seeds 1 --first-seed {} {again} --trace", how.seed);
}

fn die(single: bool) -> bool {
    let began = now();
    let deaths = deaths(!single, threads());
    let seconds = began.elapsed().as_secs();
    println!(
        "{} runs with one death, {} with two, {} with a violation, {seconds} s",
        deaths.single,
        deaths.pairs,
        deaths.findings.len()
    );
    for (at, violations) in deaths.findings.iter().take(20) {
        println!("{at}:");
        violations.iter().take(5).for_each(|violation| println!("  {violation}"));
    }
    deaths.findings.is_empty()
}

#[cfg(feature = "planted")]
fn find_planted(bugs: &[fleetwright_orchestrator::planted::Bug], seeds: u64) -> bool {
    use fleetwright_faults::FoundAt;
    use fleetwright_orchestrator::planted::Bug;
    let bugs = if bugs.is_empty() { Bug::ALL } else { bugs };
    let mut hidden = 0;
    for bug in bugs {
        let told = match fleetwright_faults::found_at(*bug, seeds, threads()) {
            Some(FoundAt { seed, is_the_bug: true }) => format!("found at seed {seed}"),
            Some(FoundAt { seed, is_the_bug: false }) => {
                hidden += 1;
                format!("not found: seed {seed} shows something without it as well")
            }
            None => {
                hidden += 1;
                format!("not found in {seeds} seeds")
            }
        };
        println!("{:<28} {told}", bug.name());
    }
    println!("{} of {} planted bugs found", bugs.len() - hidden, bugs.len());
    hidden == 0
}
