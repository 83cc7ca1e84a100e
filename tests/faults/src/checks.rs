//! What must be true when everything has ended, against the books of the simulated SSM, which no code under test sees.

mod ends;
mod messages;
mod replay;
mod sends;
mod shown;

pub(crate) use ends::in_time;
pub(crate) use replay::after_a_replay;
pub(crate) use sends::duplicates;

use crate::run::Stage;
use crate::violation::{Invariant, Violation};
use crate::workload::{SEEN_IN_TIME, Workload};
use fleetwright_local::ssm::CommandEntry;
use jiff::SignedDuration;

/// Clocks of hosts may be off by ten seconds each way.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(20);

/// What was found wrong.
struct Findings<'a> {
    stage: &'a mut Stage,
    workload: &'a Workload,
    found: Vec<Violation>,
}

/// Holds everything that must be true at the end.
pub(crate) fn at_the_end(stage: &mut Stage, workload: &Workload) -> Vec<Violation> {
    let items = stage.items();
    let mut findings = Findings { stage, workload, found: Vec::new() };
    findings.nothing_forbidden();
    findings.everything_is_over(&items);
    findings.stops_stand(&items);
    findings.every_end_is_announced();
    findings.one_command_a_send(&items);
    findings.cancels_are_true(&items);
    findings.every_command_is_known(&items);
    findings.nothing_is_lost(&items);
    findings.contradictions_are_settled(&items);
    findings.shown_is_true(&items);
    findings.within_budget();
    findings.found
}

impl Findings<'_> {
    fn wrong(&mut self, invariant: Invariant, what: String) {
        let at = self.stage.deployment.simulation.now();
        self.found.push(Violation { invariant, at, what });
    }

    /// Commands that SSM accepted, in their order.
    fn commands(&self) -> Vec<CommandEntry> {
        self.stage.deployment.simulation.cloud().ssm.ledger().commands().to_vec()
    }
}

/// Whether SSM hid a command for longer than anybody looks for it before the next try.
pub(crate) fn was_hidden(command: &CommandEntry) -> bool {
    command.shown_at.duration_since(command.requested_at).unsigned_abs() > SEEN_IN_TIME
}
