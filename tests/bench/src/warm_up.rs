//! What a function calls before its first invocation.

use crate::onlooker::Onlooker;
use crate::throughput::orchestrator;
use fleetwright_local::{Call, Fault, Faults};
use fleetwright_protocols::{Run, Story, steady_fleet};
use std::time::Duration;

/// It takes no longer, whatever happens.
const LIMIT: Duration = Duration::from_secs(3);

/// AWS answers nobody.
#[derive(Debug)]
struct Silence;

impl Faults for Silence {
    fn on_call(&mut self, _: &Call<'_>) -> Fault {
        Fault::Slow(Duration::from_secs(60))
    }
}

/// What a function that may do this calls.
#[must_use]
pub fn measure(operations: &'static [&'static str]) -> Vec<String> {
    let mut run = deployed();
    let onlooker = Onlooker::of(&mut run);
    warm_up(&mut run, operations);
    onlooker.left(NAME).into_iter().map(|call| call.action).collect()
}

/// The same where AWS answers nobody: it ends all the same.
pub fn in_silence(operations: &'static [&'static str]) {
    let mut run = deployed();
    run.deployment.simulation.set_faults(Box::new(Silence));
    warm_up(&mut run, operations);
}

const NAME: &str = "function";

fn deployed() -> Run {
    Story::new().fleet(steady_fleet(1, 1)).start()
}

fn warm_up(run: &mut Run, operations: &'static [&'static str]) {
    let orchestrator = orchestrator(&run.deployment.simulation.client(NAME));
    let warmed = async move { orchestrator.warm_up(operations).await };
    run.deployment.simulation.block_on(warmed, LIMIT).expect("it ends in time");
}
