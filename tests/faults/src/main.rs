//! `faults`: plays seeds, and tells what came of them.

use clap::Parser;
use fleetwright_faults::{Play, play};
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// A fifth of a run is spent in the allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Plays seeds.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Print the trace.
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut bad = 0;
    for seed in arguments.first_seed..arguments.first_seed + arguments.seeds {
        let played = play(Play { keep_trace: arguments.trace, ..Play::seeded(seed) });
        for line in &played.trace {
            println!("{line}");
        }
        if !played.violations.is_empty() {
            bad += 1;
            println!("seed {seed}: {} commands, {} chances", played.commands, played.chances);
            for violation in played.violations.iter().take(4) {
                println!("  {violation}");
            }
        }
    }
    println!("{bad} bad");
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
