//! `fleetwright simulate`: how much of a processor it takes, and what it says that an execution costs.

use crate::programs::Programs;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A run.
#[derive(Debug, Clone, Copy)]
pub struct Simulated {
    /// Nodes of its fleet.
    pub nodes: u32,
    /// Seconds of a processor, the system's own included: no less than it takes on one core.
    pub seconds: f64,
    /// What it would cost, in US dollars.
    pub here: f64,
    /// With SSM Automation and an execution per node.
    pub ssm_automation: f64,
}

/// Runs one of the runbooks in `runbooks/` on so many nodes.
///
/// # Errors
/// When the program cannot be run, does not end well, or says nothing that can be read.
pub fn measure(programs: &Programs, runbook: &str, nodes: u32) -> Result<Simulated, String> {
    let runbook = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks")).join(runbook);
    let mut simulate = Command::new(&programs.fleetwright);
    simulate.arg("simulate").arg(&runbook).args(["--nodes", &nodes.to_string(), "--format", "json"]);
    let before = processor_seconds()?;
    let output = simulate
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{} could not be run: {error}", programs.fleetwright.display()))?;
    let seconds = processor_seconds()? - before;
    let result: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    if result["status"] != "Success" {
        return Err(format!("{}: it ended in {}", runbook.display(), result["status"]));
    }
    let cost =
        |of: &str| result["cost_usd"][of].as_f64().ok_or_else(|| format!("no cost: {}", result["cost_usd"]));
    Ok(Simulated { nodes, seconds, here: cost("here")?, ssm_automation: cost("ssm_automation")? })
}

/// What processes that were started here, and have ended, took in all.
fn processor_seconds() -> Result<f64, String> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).map_err(|error| error.to_string())?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6)
}
