//! CancelCommand.

use super::Ssm;
use super::agenda::Happening;
use super::ledger::RunEnd;
use super::outcome::Outcome;
use super::progress::STOPPED;
use super::status::{CommandStatus, StatusDetails};
use super::time::timestamp;
use fleetwright_wire::{CancelCommandRequest, CancelCommandResult, ServiceError, read_request};
use rand::RngExt;
use std::collections::BTreeSet;

impl Ssm {
    /// SSM API reference, CancelCommand: "there is no guarantee that the command will be terminated". A command that
    /// has ended is left as it is.
    pub(super) fn cancel_command(
        &mut self,
        body: &serde_json::Value,
    ) -> Result<CancelCommandResult, ServiceError> {
        let request: CancelCommandRequest = read_request("CancelCommand", body)?;
        let c = self.visible_command(request.command_id.as_deref().unwrap_or_default())?;
        let ids = request.instance_ids.unwrap_or_default();
        let chosen = self.chosen(c, &ids)?;
        let Some(command) = self.commands.get_mut(c) else {
            return Err(ServiceError::invalid_command_id(""));
        };
        if command.status.terminal() {
            return Ok(CancelCommandResult {});
        }
        if ids.is_empty() && !command.cancelled {
            command.cancelled = true;
            if let Some(entry) = self.ledger.entry(c) {
                entry.cancelled_at = Some(timestamp(self.now));
            }
            self.change_command(c, CommandStatus::Cancelling);
        }
        for i in &chosen {
            self.request_cancel(c, *i);
        }
        let at = self.now + self.options.cancel_lag.draw(&mut self.rng);
        self.agenda.enter(at, Happening::Cancel(c, chosen));
        Ok(CancelCommandResult {})
    }

    /// Position of a command that calls can see.
    fn visible_command(&self, id: &str) -> Result<usize, ServiceError> {
        let found = self.by_command.get(id).copied();
        let visible =
            |c: &usize| self.commands.get(*c).is_some_and(|command| command.seen(self.now).is_some());
        found.filter(visible).ok_or_else(|| ServiceError::invalid_command_id(""))
    }

    /// Positions of a command's invocations on these nodes that have not ended; on all if none are named.
    fn chosen(&self, c: usize, ids: &[String]) -> Result<Vec<usize>, ServiceError> {
        let Some(command) = self.commands.get(c) else { return Ok(Vec::new()) };
        let mut nodes = BTreeSet::new();
        for id in ids {
            let node = self.by_id.get(id.as_str());
            let part = |node: &&usize| self.nodes.get(**node).is_some_and(|node| node.commands.contains(&c));
            let Some(node) = node.filter(part) else {
                return Err(ServiceError::invalid_instance_id(format!(
                    "{id} is not a target of the command {}.",
                    command.id
                )));
            };
            if !nodes.insert(*node) {
                return Err(ServiceError::duplicate_instance_id(""));
            }
        }
        let all = command.invocations.iter().enumerate();
        let wanted =
            all.filter(|(_, one)| !one.details.terminal() && (ids.is_empty() || nodes.contains(&one.node)));
        Ok(wanted.map(|(i, _)| i).collect())
    }

    fn request_cancel(&mut self, c: usize, i: usize) {
        let Some(invocation) = self.commands.get_mut(c).and_then(|command| command.invocations.get_mut(i))
        else {
            return;
        };
        if !invocation.cancel_requested {
            invocation.cancel_requested = true;
            self.change(c, i, StatusDetails::Cancelling);
        }
    }

    /// The cancel takes effect: what hasn't begun won't, what runs is stopped, unless it cannot be.
    pub(super) fn cancel_now(&mut self, c: usize, chosen: &[usize]) {
        for i in chosen {
            let lucky: f64 = self.rng.random_range(0.0..1.0);
            let hides = self.options.cancelled_hides_unstarted;
            let Some(invocation) =
                self.commands.get_mut(c).and_then(|command| command.invocations.get_mut(*i))
            else {
                continue;
            };
            if invocation.details.terminal() {
                continue;
            }
            let running = invocation.began.is_some();
            let deaf = invocation
                .plan
                .as_ref()
                .is_some_and(|plan| matches!(plan.outcome, Outcome::DeliveryTimedOut { .. }));
            if running && (deaf || lucky < self.options.cancel_ineffective) {
                continue;
            }
            invocation.hidden = hides && !invocation.sent;
            if running {
                invocation.exit_code = STOPPED;
            }
            if let Some(slot) = invocation.slot.take() {
                self.agenda.strike(slot);
            }
            if running {
                self.end_run(c, *i, Some(RunEnd::Killed));
            }
            self.finish(c, *i, StatusDetails::Cancelled);
        }
        self.go_on(c);
    }
}
