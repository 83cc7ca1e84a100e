//! `fleetwright simulate`: will it work?

use crate::args::Simulate;
use crate::failure::Failure;
use crate::input::{self, RunbookText};
use crate::mocks::Mocks;
use crate::rehearsal::Rehearsal;
use crate::report;
use fleetwright_local::fleet::Fleet;

/// Runs it. Whether the execution ended in Success.
pub(crate) fn run(options: &Simulate) -> Result<bool, Failure> {
    let runbook = RunbookText::read(&options.runbook)?;
    let mocks = match &options.mocks {
        Some(file) => Mocks::read(file, &runbook.runbook)?,
        None => Mocks::default(),
    };
    let parameters = runbook.bind(&options.parameters, &mocks.parameters)?;
    let fleet = fleet(options)?;
    let mut rehearsal = Rehearsal::start(runbook, &parameters, fleet, mocks, options.seed)?;
    let ran = rehearsal.run(options.limit);
    report::conclude(rehearsal, ran, options.format)
}

/// The fleet that was asked for, if any.
fn fleet(options: &Simulate) -> Result<Option<Fleet>, Failure> {
    match (&options.fleet, options.nodes) {
        (Some(file), _) => input::fleet(file, options.seed).map(Some),
        (None, Some(nodes)) => {
            let nodes = usize::try_from(nodes).unwrap_or(usize::MAX);
            Ok(Some(Fleet::synthetic(nodes, options.seed)))
        }
        (None, None) => Ok(None),
    }
}
