//! What is going to happen, in order.

use super::publish::Published;
use std::collections::BTreeMap;

/// Something that happens by itself. Numbers are positions: of a command in the model, of an invocation in its command.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// A command begins: its targets are resolved, the first node is sent to.
    Begin(usize),
    /// What was sent is acknowledged: more nodes may be sent to.
    Ramp(usize),
    /// A node's agent gets the command.
    Arrive(usize, usize),
    /// A node's agent tells the end, or SSM gives up delivering.
    Report(usize, usize),
    /// A run ends that nobody hears of.
    RunEnds(usize, usize),
    /// A cancel takes effect on these invocations.
    Cancel(usize, Vec<usize>),
    /// TimeoutSeconds have passed.
    DeliveryDeadline(usize),
    /// ExpiresAfter is reached.
    Expire(usize),
    /// A notification leaves.
    Publish(Box<Published>),
}

/// A place in the agenda: when, in milliseconds since 1970, and how late it was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    at: i64,
    sequence: u64,
}

impl Slot {
    /// When it is due.
    pub(super) const fn at(self) -> i64 {
        self.at
    }
}

/// Happenings by time; those of one time in the order of their entry.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    due: BTreeMap<Slot, Happening>,
    entered: u64,
}

impl Agenda {
    /// Enters something; the slot takes it back.
    pub(super) fn enter(&mut self, at: i64, happening: Happening) -> Slot {
        let slot = Slot { at, sequence: self.entered };
        self.entered += 1;
        self.due.insert(slot, happening);
        slot
    }

    /// Takes something back.
    pub(super) fn strike(&mut self, slot: Slot) {
        self.due.remove(&slot);
    }

    /// When the next thing happens.
    pub(super) fn next_at(&self) -> Option<i64> {
        self.due.first_key_value().map(|(slot, _)| slot.at)
    }

    /// The next thing that is due at `now`.
    pub(super) fn take(&mut self, now: i64) -> Option<(i64, Happening)> {
        let entry = self.due.first_entry()?;
        (entry.key().at <= now).then(|| (entry.key().at, entry.remove()))
    }
}
