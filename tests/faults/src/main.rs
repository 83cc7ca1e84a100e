//! `fleetwright-faults`: plays seeds, and tells what came of them.

use clap::{Parser, ValueEnum};
use fleetwright_faults::{Found, Play, Search, missing, play, search, shortest_prefix};
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
#[command(name = "cargo xtask faults")]
struct Arguments {
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
    /// With --seeds 1: the whole trace.
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
    let how = Play {
        everything_lost: arguments.everything_lost,
        chances_max: arguments.prefix,
        ..Play::seeded(arguments.first_seed)
    };
    if arguments.trace {
        let played = play(Play { keep_trace: true, ..how });
        played.trace.iter().for_each(|line| println!("{line}"));
    }
    let began = now();
    let found = search(Search {
        first_seed: arguments.first_seed,
        seeds: arguments.seeds,
        twice: arguments.twice,
        until_found: false,
        how,
        threads: thread::available_parallelism().map_or(1, usize::from),
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
        show(Play { seed: first.seed, ..how });
    }
    if found.violations == 0 && rare.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::disallowed_methods, reason = "tells a person how fast it went")]
fn now() -> Instant {
    Instant::now()
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
fn show(how: Play) {
    let chances_max = shortest_prefix(how);
    let played = play(Play { keep_trace: true, chances_max, ..how });
    eprintln!("\nseed {}, shortest prefix {chances_max}:", how.seed);
    let first = played.violations.first();
    let until = first.map_or(String::new(), |violation| format!("{:.6}", violation.at));
    // An idle tick of reconcile reads ten empty stretches of an index.
    let told = played.trace.iter().filter(|line| !line.contains("Query index") && **line <= until);
    let told: Vec<&String> = told.collect();
    let from = told.len().saturating_sub(TRACE_LINES);
    told[from..].iter().for_each(|line| eprintln!("  {line}"));
    played.violations.iter().for_each(|violation| eprintln!("  {violation}"));
    eprintln!(
        "again: cargo xtask faults --seeds 1 --first-seed {} --prefix {chances_max} --trace",
        how.seed
    );
}
