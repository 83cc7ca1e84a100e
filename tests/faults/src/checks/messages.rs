//! What was accepted is stored, or in a dead-letter queue.

use super::Findings;
use crate::item::{number, text, texts};
use crate::said::{Said, said};
use crate::violation::Invariant;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What events say of nodes; of what they say, the rest are finer words for one of these.
const STATUSES_OF_EVENTS: [&str; 4] = ["nodes_Success", "nodes_Failed", "nodes_TimedOut", "nodes_Cancelled"];

impl Findings<'_> {
    /// Where reports of a node contradict each other, SSM was read after the last of them.
    pub(super) fn contradictions_are_settled(&mut self, items: &[Value]) {
        let mut facts: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
        let mut settled = BTreeMap::new();
        for item in items.iter().filter(|item| text(item, "sk") == Some("CMD")) {
            let Some(id) = text(item, "pk").and_then(|pk| pk.split('#').nth(1)) else { continue };
            for status in item.as_object().into_iter().flat_map(|item| item.keys()) {
                for node in texts(item, status).iter().filter(|_| status.starts_with("nodes_")) {
                    facts.entry(id).or_default().entry(node).or_default().insert(status);
                }
            }
            if let Some(facts) = number(item, "settled_facts") {
                settled.insert(id, facts);
            }
        }
        let coarse = |statuses: &BTreeSet<&str>| {
            statuses.iter().filter(|status| STATUSES_OF_EVENTS.contains(status)).count()
        };
        for (id, nodes) in facts {
            let known = u64::try_from(nodes.values().map(BTreeSet::len).sum::<usize>()).unwrap_or(0);
            let is_contradicted = nodes.values().any(|statuses| coarse(statuses) > 1);
            // One that is one too many is never settled.
            if let Some(settled) = settled.get(id).filter(|settled| is_contradicted && **settled < known) {
                let what = format!("{id}: {known} reports contradict each other, settled with {settled}");
                self.wrong(Invariant::ShownIsTrue, what);
            }
        }
    }

    /// Every fact that reached a queue is in the table under its status; what nobody can read is in a dead-letter queue, as
    /// often as it came, and nothing else is. (A storm is over before a message has come for the fifth time.)
    pub(super) fn nothing_is_lost(&mut self, items: &[Value]) {
        let mut of_command: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for item in items {
            if let Some(id) = text(item, "pk").and_then(|pk| pk.strip_prefix("CMD#")) {
                of_command.entry(id.split('#').next().unwrap_or(id)).or_default().push(item);
            }
        }
        let mut unreadable: BTreeMap<String, u32> = BTreeMap::new();
        for message in self.stage.weather.messages().into_iter().filter(|message| message.copies > 0) {
            let (command, sets, what) = match said(&message.body) {
                Said::Nothing => continue,
                Said::Poison => {
                    *unreadable.entry(message.body).or_default() += message.copies;
                    continue;
                }
                Said::Node { command, node, status } => (command, format!("nodes_{status}"), node),
                Said::Command { command, status } => (command, "statuses".to_owned(), status),
            };
            let stored = of_command.get(command.as_str()).map(Vec::as_slice).unwrap_or_default();
            if !stored.iter().any(|item| texts(item, &sets).contains(what.as_str())) {
                let what = format!("{sets} of {command}: {what} was accepted and is not stored");
                self.wrong(Invariant::NothingAcceptedIsLost, what);
            }
        }
        let dead = self.stage.dead_letters();
        if dead != unreadable {
            let what = format!("put aside: {dead:?}; nobody can read: {unreadable:?}");
            self.wrong(Invariant::NothingAcceptedIsLost, what);
        }
    }
}
