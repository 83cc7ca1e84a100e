//! Planning sends of a fleet step: MaxConcurrency counts whole sends, MaxErrors stops further ones (protocols, P3).

use crate::execution::LIVE_SENDS_MAX;
use crate::turn::Turn;
use crate::{Effect, FleetWork, Rejection, Send, SendState, SendToken, Slice, StepExecution, Targets};
use std::collections::BTreeSet;

/// Nodes of one send (SSM API reference, SendCommand.InstanceIds: at most 50).
pub(crate) const NODES_PER_SEND_MAX: u64 = 50;
/// Nodes at once where the author says nothing (SSM API reference, SendCommand.MaxConcurrency).
pub(crate) const CONCURRENCY_DEFAULT: u64 = 50;

impl Turn<'_> {
    /// Plans sends while there is room.
    pub(crate) fn plan(&mut self, step: &StepExecution, work: &mut FleetWork) -> Result<(), Rejection> {
        if work.halting.is_some() || work.rejected {
            return Ok(());
        }
        // A coarse Failed may be a node that was never reached. It keeps further sends back until SSM has told, but
        // is not taken off what they tolerate.
        let mut reported = work.errors;
        for token in self.execution.live.keys() {
            if let Some(command_id) = self.seen.sends.get(token).and_then(Send::command_id) {
                reported += self.report(command_id)?.command.errors_reported();
            }
        }
        while self.execution.live.len() < LIVE_SENDS_MAX {
            let Some(slice) = next_slice(work, reported, self.execution.live.values().sum()) else { break };
            let token = SendToken::derive(&self.execution.id, step.ordinal, step.attempt, work.planned);
            let send = self.new_send(step, work, slice, token.clone());
            work.planned += 1;
            self.execution.live.insert(token.clone(), send.slice.nodes());
            self.wait(send.next_look(None));
            self.planned.push(send);
            self.effect(Effect::Send(token));
            self.changed();
        }
        Ok(())
    }

    fn new_send(&self, step: &StepExecution, work: &FleetWork, slice: Slice, token: SendToken) -> Send {
        let (max_concurrency, max_errors) = match slice {
            // SSM knows how many nodes there are: it gets what the author wrote.
            Slice::Targets => {
                (work.max_concurrency.map(|c| c.to_string()), work.max_errors.map(|e| e.to_string()))
            }
            Slice::Nodes { length, .. } => {
                let left = work.errors_allowed(work.target_count()).saturating_sub(work.errors);
                (Some(length.to_string()), Some(left.to_string()))
            }
        };
        Send {
            token,
            step: step.ordinal,
            attempt: step.attempt,
            slice,
            max_errors,
            max_concurrency,
            state: SendState::Trying,
            tries: 1,
            refused_tries: 0,
            last_try_at: self.now,
            tried_at: BTreeSet::from([self.now]),
            looks: BTreeSet::new(),
            halt: false,
            cancelled_at: None,
        }
    }
}

/// The next stretch of targets that may go out now, if any.
fn next_slice(work: &mut FleetWork, errors: u64, live_nodes: u64) -> Option<Slice> {
    let targets = work.target_count();
    let list = match &work.targets {
        Targets::Query(_) => {
            let first = work.given == 0;
            work.given = 1;
            return first.then_some(Slice::Targets);
        }
        Targets::Nodes(list) => list.clone(),
    };
    if errors > work.errors_allowed(targets) {
        return None;
    }
    let concurrency = work.max_concurrency.map_or(CONCURRENCY_DEFAULT, |bound| bound.of(targets)).max(1);
    let free = concurrency.saturating_sub(live_nodes);
    if let Some(at) = work.returned.iter().position(|stretch| stretch.length <= free) {
        let stretch = work.returned.remove(at);
        return Some(Slice::Nodes { list, offset: stretch.offset, length: stretch.length });
    }
    let length = NODES_PER_SEND_MAX.min(free).min(targets - work.given);
    if length == 0 {
        return None;
    }
    let offset = work.given;
    work.given += length;
    Some(Slice::Nodes { list, offset, length })
}
