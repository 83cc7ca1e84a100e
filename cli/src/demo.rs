//! `fleetwright demo`: an example patch night, to be watched.

use crate::args::{Demo, Format};
use crate::failure::Failure;
use crate::input::{Parameters, RunbookText};
use crate::mocks::Mocks;
use crate::pace;
use crate::progress::{self, Watch};
use crate::rehearsal::Rehearsal;
use crate::report;
use crate::snapshot;
use fleetwright_local::fleet::Fleet;
use std::io::{Write, stdout};
use std::time::Duration;

/// No night is longer, in virtual time.
const LIMIT: Duration = Duration::from_hours(24);
const NAME: &str = "patch-fleet";
const RUNBOOK: &str = include_str!("../../examples/patch-fleet.yaml");
const FLEET: &str = include_str!("../../examples/fleet.yaml");

/// Runs it. Whether the execution ended in Success.
pub(crate) fn run(options: &Demo) -> Result<bool, Failure> {
    let runbook = RunbookText::parse("examples/patch-fleet.yaml", NAME.to_owned(), RUNBOOK.to_owned())?;
    let fleet = Fleet::parse(FLEET, options.seed).map_err(|error| Failure::Defect(error.to_string()))?;
    if options.format == Format::Text {
        let nodes = fleet.nodes().len();
        let line = format!("A patch night: {NAME} on {nodes} simulated nodes, in virtual time.\n");
        writeln!(stdout(), "{line}")?;
    }
    let mut night =
        Rehearsal::start(runbook, &Parameters::new(), Some(fleet), Mocks::default(), options.seed)?;
    let ran = watch(&mut night, options);
    report::conclude(night, ran, options.format)
}

fn watch(night: &mut Rehearsal, options: &Demo) -> Result<(), Failure> {
    let (fleet, id) = (night.fleet.clone(), night.id.clone());
    let now = night.look(fleetwright_local::Cloud::now);
    let mut watch = Watch::new(&fleet, &id, progress::display(options.format), now);
    let over = snapshot::over(&id);
    let ran = night.run_by(LIMIT, |simulation| pace::run(simulation, over, &mut watch, options.speed, LIMIT));
    watch.finish()?;
    ran
}
