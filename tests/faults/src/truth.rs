//! What really became of a step's nodes, by the simulated SSM's own books.

use crate::item::{number, sends, text, token_of};
use fleetwright_local::ssm::{CommandEntry, Ledger, StatusDetails};
use serde_json::Value;
use std::collections::BTreeMap;

/// What really became of a node.
pub(crate) struct Truth<'a> {
    pub(crate) outcome: &'static str,
    /// The command that was sent to it.
    pub(crate) command: &'a CommandEntry,
}

/// What really became of the nodes of a step's last attempt, by the commands its sends named. Of what a send does not know
/// of nobody can say more than Unknown.
pub(crate) fn truth_of_step<'a>(
    items: &[Value],
    step: u64,
    ledger: &'a Ledger,
) -> Result<BTreeMap<String, Truth<'a>>, String> {
    let of_step: Vec<(&str, &Value)> =
        sends(items).filter(|(_, send)| number(send, "step") == Some(step)).collect();
    let last = of_step.iter().filter_map(|(_, send)| number(send, "attempt")).max();
    let mut truth = BTreeMap::new();
    for (token, send) in of_step.iter().filter(|(_, send)| number(send, "attempt") == last) {
        let Some(id) = text(send, "command_id") else {
            let unknown = ledger.commands().iter().filter(|one| token_of(&one.comment) == Some(*token));
            for command in unknown {
                let nodes = command.nodes.keys().map(ToString::to_string);
                truth.extend(nodes.map(|node| (node, Truth { outcome: "Unknown", command })));
            }
            continue;
        };
        let command = ledger.command(id).ok_or_else(|| format!("SSM never accepted {id}"))?;
        for (node, details) in &command.nodes {
            let ran = ledger.runs_of(id).any(|run| run.node == *node);
            truth.insert(node.to_string(), Truth { outcome: outcome_of(*details, ran), command });
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
