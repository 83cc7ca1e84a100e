//! Changes of statuses: counted, logged for reads, entered in the ledger, published.

use super::Ssm;
use super::agenda::Slot;
use super::status::{CommandStatus, StatusDetails};
use super::time::timestamp;
use std::sync::Arc;

impl Ssm {
    /// An invocation ends.
    pub(super) fn finish(&mut self, c: usize, i: usize, details: StatusDetails) {
        let Some(command) = self.commands.get_mut(c) else { return };
        let Some(invocation) = command.invocations.get_mut(i) else { return };
        if invocation.details.terminal() {
            return;
        }
        invocation.ended = Some(self.now);
        if invocation.sent {
            command.in_flight = command.in_flight.saturating_sub(1);
        }
        if let Some(node) = self.nodes.get(invocation.node) {
            invocation.installed = node.node.patches.installed;
            invocation.missing = node.node.patches.missing;
        }
        self.change(c, i, details);
    }

    /// An invocation's status changes.
    pub(super) fn change(&mut self, c: usize, i: usize, details: StatusDetails) {
        let seen = self.now + self.options.read_lag.draw(&mut self.rng);
        let Some(command) = self.commands.get_mut(c) else { return };
        let visible = command.visible_from();
        let Some(invocation) = command.invocations.get_mut(i) else { return };
        command.tally.change(invocation.details, details);
        invocation.details = details;
        invocation.note(seen.max(visible));
        let node = self.nodes.get(invocation.node);
        if let (Some(entry), Some(node)) = (self.ledger.entry(c), node) {
            entry.nodes.insert(Arc::clone(&node.node.id), details);
        }
        self.note_command(c);
        self.publish_invocation(c, i);
    }

    /// A command's status changes.
    pub(super) fn change_command(&mut self, c: usize, status: CommandStatus) {
        let Some(command) = self.commands.get_mut(c) else { return };
        command.status = status;
        if let Some(entry) = self.ledger.entry(c) {
            entry.status = status;
            entry.ended_at = status.terminal().then(|| timestamp(self.now));
        }
        self.note_command(c);
        self.publish_command(c);
    }

    /// Writes down for reads how a command stands.
    pub(super) fn note_command(&mut self, c: usize) {
        let lag = self.options.read_lag.draw(&mut self.rng);
        if let Some(command) = self.commands.get_mut(c) {
            command.note(self.now, lag);
        }
    }

    /// A command ends when all its invocations have.
    pub(super) fn conclude(&mut self, c: usize) {
        let Some(command) = self.commands.get(c) else { return };
        if !command.status.terminal() && command.tally.terminal() == command.targets() {
            let outcome = command.tally.outcome(command.tolerated(), command.cancelled);
            self.conclude_as(c, outcome);
        }
    }

    /// A command ends like this; nothing of it happens any more but the ends of unheard runs.
    pub(super) fn conclude_as(&mut self, c: usize, status: CommandStatus) {
        let Some(command) = self.commands.get_mut(c) else { return };
        for slot in std::mem::take(&mut command.slots) {
            self.agenda.strike(slot);
        }
        self.change_command(c, status);
    }

    /// Remembers what an invocation waits for.
    pub(super) fn hold(&mut self, c: usize, i: usize, slot: Slot) {
        if let Some(invocation) = self.commands.get_mut(c).and_then(|command| command.invocations.get_mut(i))
        {
            invocation.slot = Some(slot);
        }
    }
}
