//! `fleetwright-bench`: measures the budgets. `cargo xtask bench` builds what it measures, and runs it.

use clap::{Parser, ValueEnum};
use fleetwright_bench::budgets::{
    self, BURST_REQUESTS, BURST_UNITS, COSTS, EVENTS, FINISHED_ITEMS, FOLD_REQUESTS, GROWTH, HOT_KEY, MEMORY,
    Measured, PYTHON_START, RUNNING_REQUESTS, SIMULATION, START, STEP_CALLS, STEP_ROUNDS, THROTTLED, ZIP,
};
use fleetwright_bench::burst::{self, EVENTS as BURST_EVENTS};
use fleetwright_bench::programs::Programs;
use fleetwright_bench::throughput::Function;
use fleetwright_bench::{memory, report, rivals, simulation, size, start_up, step_change, summary, targets};
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Rounds of 750 events; the one in the middle counts.
const ROUNDS: usize = 201;
/// A second is soon over: of so many, the one in the middle counts.
const SMALL_ROUNDS: usize = 5;
/// As Lambda counts.
const MEGABYTE: f64 = 1024.0 * 1024.0;

/// Measures the budgets.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where `sam build` left the functions.
    #[arg(long)]
    built: PathBuf,
    /// The command line.
    #[arg(long)]
    fleetwright: PathBuf,
    /// A Python that has boto3.
    #[arg(long)]
    python: PathBuf,
    /// A table for people, or one line of JSON for each budget.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn main() -> ExitCode {
    let Arguments { built, fleetwright, python, format } = Arguments::parse();
    match measure(&Programs { built, fleetwright, python }) {
        Ok(measured) => {
            match format {
                Format::Text => println!("{}", report::table(&measured)),
                Format::Json => measured.iter().for_each(|one| println!("{}", json!(one.line()))),
            }
            if measured.iter().all(Measured::is_kept) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn measure(programs: &Programs) -> Result<Vec<Measured>, String> {
    let mut all = counted();
    eprintln!("events through on-command-event");
    let function = Function::record();
    function.round();
    all.push(EVENTS.measured(function.events_per_second(ROUNDS), "one core, the table's answers recorded"));
    eprintln!("starts");
    all.extend(starts(programs).map_err(|error| format!("starts: {error}"))?);
    let sizes = size::measure(programs).map_err(|error| format!("sizes: {error}"))?;
    all.push(largest(ZIP, sizes.into_iter().map(|(name, bytes)| (name, bytes as f64 / MEGABYTE))));
    eprintln!("memory under a burst: a minute");
    all.push(largest(MEMORY, memory::measure(programs)?.into_iter()));
    eprintln!("simulations: some minutes");
    all.extend(simulations(programs)?);
    Ok(all)
}

/// What can be counted, over the production code in virtual time.
fn counted() -> Vec<Measured> {
    eprintln!("calls, requests and units");
    let change = step_change::measure();
    let burst = burst::measure();
    let (single, counter) = (rivals::one_request_per_event(), rivals::transaction_with_counter());
    let targets = targets::measure();
    let summary = summary::measure();
    let each = |total: f64| total / BURST_EVENTS as f64;
    let rivals = |what: fn(&burst::Taken) -> f64| {
        let (single, counter) = (each(what(&single)), each(what(&counter)));
        let [single, counter] = [single, counter].map(report::number);
        format!("a request for each event {single}, a transaction with a counter {counter}")
    };
    let settling = format!(
        "settling all of it after that: {} requests, {} units an event",
        report::number(each(burst.settle_requests as f64)),
        report::number(each(burst.settle_write_units))
    );
    let read = format!("one read for each node: {} items", report::number(summary::NODES as f64));
    vec![
        STEP_CALLS.measured(change.calls.len() as f64, change.calls.join(", ")),
        STEP_ROUNDS.measured(change.rounds_before_send as f64, ""),
        FOLD_REQUESTS.measured(each(burst.fold_requests as f64), rivals(|taken| taken.requests as f64)),
        BURST_REQUESTS.measured(each(burst.requests as f64), settling),
        BURST_UNITS.measured(each(burst.write_units), rivals(|taken| taken.units.write)),
        HOT_KEY.measured(
            targets.units_a_second,
            format!("{} units in all, at {}", targets.write_units, targets.hottest),
        ),
        THROTTLED.measured(targets.throttled as f64, format!("of {} requests", targets.requests)),
        FINISHED_ITEMS.measured(summary.finished.items as f64, read.clone()),
        RUNNING_REQUESTS.measured(summary.running.requests as f64, read),
    ]
}

fn starts(programs: &Programs) -> std::io::Result<Vec<Measured>> {
    let starts = start_up::measure(programs)?;
    let ms = |duration: Duration| format!("{:.1} ms", duration.as_secs_f64() * 1e3);
    let slowest = starts.functions.iter().map(|start| start.ready).max().unwrap_or_default();
    let each: Vec<String> = starts
        .functions
        .iter()
        .map(|start| format!("{} {} (warm-up {})", start.name, ms(start.ready), ms(start.warm_up)))
        .collect();
    let beside = |other: &start_up::Start| slowest.as_secs_f64() / other.ready.as_secs_f64();
    Ok(vec![
        START.measured(beside(&starts.hello), format!("{}; {}", ms(starts.hello.ready), each.join(", "))),
        PYTHON_START.measured(beside(&starts.python), ms(starts.python.ready)),
    ])
}

/// The largest of what each function has, with all of them beside it.
fn largest(budget: budgets::Budget, each: impl Iterator<Item = (&'static str, f64)>) -> Measured {
    let each: Vec<_> = each.collect();
    let largest = each.iter().map(|(_, measure)| *measure).fold(0.0, f64::max);
    let all: Vec<String> = each.iter().map(|(name, measure)| format!("{name} {measure:.2}")).collect();
    budget.measured(largest, all.join(", "))
}

fn simulations(programs: &Programs) -> Result<Vec<Measured>, String> {
    let five = |nodes| simulation::measure(programs, "five-steps.yaml", nodes);
    let mut smalls = (0..SMALL_ROUNDS).map(|_| five(1_000)).collect::<Result<Vec<_>, _>>()?;
    smalls.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    let (small, middle, large) = (smalls[SMALL_ROUNDS / 2], five(10_000)?, five(50_000)?);
    let effort = |run: &simulation::Simulated| f64::from(run.nodes) * f64::from(run.nodes).ln();
    let growth = (large.seconds / small.seconds) / (effort(&large) / effort(&small));
    let mut measured = vec![
        SIMULATION.measured(middle.seconds, format!("1,000 nodes: {:.2} s", small.seconds)),
        GROWTH.measured(growth, format!("50,000 nodes: {:.1} s", large.seconds)),
    ];
    for (nodes, budget) in COSTS {
        let run = simulation::measure(programs, "three-steps.yaml", nodes)?;
        let beside = format!("${:.4}, SSM Automation ${:.2}", run.here, run.ssm_automation);
        measured.push(budget.measured(run.here / run.ssm_automation, beside));
    }
    Ok(measured)
}
