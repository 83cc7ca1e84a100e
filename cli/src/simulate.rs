//! `fleetwright simulate`: will it work?

use crate::args::Simulate;
use crate::failure::Failure;
use crate::input::{self, RunbookText};
use crate::rehearsal::Rehearsal;
use crate::report::Report;
use fleetwright_local::fleet::Fleet;

/// Nodes of a fleet nobody described.
const NODES: u32 = 120;

/// Runs it. Whether the execution ended in Success.
pub(crate) fn run(options: &Simulate) -> Result<bool, Failure> {
    let runbook = RunbookText::read(&options.runbook)?;
    let parameters = runbook.bind(&options.parameters)?;
    let fleet = match &options.fleet {
        Some(file) => input::fleet(file, options.seed)?,
        None => {
            let nodes = usize::try_from(options.nodes.unwrap_or(NODES)).unwrap_or(usize::MAX);
            Fleet::synthetic(nodes, options.seed)
        }
    };
    let mut rehearsal = Rehearsal::start(&runbook, &parameters, fleet, options.seed)?;
    rehearsal.run(options.limit)?;
    let report = Report::of(rehearsal)?;
    report.print(options.format)?;
    Ok(report.succeeded())
}
