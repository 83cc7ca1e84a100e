//! What really became of a step's nodes, by the simulated SSM's own books.

use crate::item::{number, sends, text};
use fleetwright_local::ssm::{Ledger, StatusDetails};
use serde_json::Value;
use std::collections::BTreeMap;

/// What really became of the nodes of a step's last attempt, by the commands its sends named.
pub(crate) fn truth_of_step(
    items: &[Value],
    step: u64,
    ledger: &Ledger,
) -> Result<BTreeMap<String, &'static str>, String> {
    let of_step: Vec<&Value> =
        sends(items).map(|(_, send)| send).filter(|send| number(send, "step") == Some(step)).collect();
    let last = of_step.iter().filter_map(|send| number(send, "attempt")).max();
    let mut truth = BTreeMap::new();
    for send in of_step.iter().filter(|send| number(send, "attempt") == last) {
        let Some(id) = text(send, "command_id") else { continue };
        let command = ledger.command(id).ok_or_else(|| format!("SSM never accepted {id}"))?;
        for (node, details) in &command.nodes {
            let ran = ledger.runs_of(id).any(|run| run.node == *node);
            truth.insert(node.to_string(), outcome_of(*details, ran));
        }
    }
    Ok(truth)
}

/// The outcome that a status stands for.
const fn outcome_of(details: StatusDetails, ran: bool) -> &'static str {
    match details {
        StatusDetails::Success => "Success",
        StatusDetails::Failed => "Failed",
        StatusDetails::ExecutionTimedOut => "TimedOut",
        StatusDetails::Terminated | StatusDetails::InvalidPlatform | StatusDetails::AccessDenied => "NotRun",
        StatusDetails::Cancelled if ran => "Failed",
        StatusDetails::Cancelled => "NotRun",
        StatusDetails::DeliveryTimedOut
        | StatusDetails::Undeliverable
        | StatusDetails::Pending
        | StatusDetails::InProgress
        | StatusDetails::Cancelling => "Unknown",
    }
}
