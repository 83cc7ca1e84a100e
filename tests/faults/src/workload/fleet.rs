//! The nodes of a run, and what becomes of commands on them.

use crate::dice::Dice;
use fleetwright_local::fleet::{Agent, Behaviour, Fleet, Share, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Nodes with the tag `Role`, `web` or `db`; some fail, hang, cannot be reached or are unknown to SSM.
pub(super) fn drawn(nodes: u64, seed: u64, dice: &mut Dice) -> Fleet {
    let mut fleet = Fleet::plain(usize::try_from(nodes).unwrap_or(0), seed);
    let behaviours: Arc<[Behaviour]> = [behaviour(dice)].into();
    let (offline, unregistered) = (share(dice), if dice.hits(0.25) { share(dice) } else { 0.0 });
    let roles = ["web", "db"].map(|role| Arc::new(BTreeMap::from([("Role".to_owned(), role.to_owned())])));
    for node in fleet.nodes_mut() {
        node.behaviours = Arc::clone(&behaviours);
        node.tags = Arc::clone(dice.of(&roles));
        if dice.hits(offline) {
            node.agent = Agent::Offline;
        } else if dice.hits(unregistered) {
            node.agent = Agent::Unregistered;
        }
    }
    fleet
}

/// Two nodes that take ten seconds; they succeed, or always fail.
pub(super) fn canonical(fails: bool) -> Fleet {
    let mut fleet = Fleet::plain(2, 1);
    let failed = Share::new(if fails { 1.0 } else { 0.0 });
    let behaviour = Behaviour { duration: Span::seconds(10, 10), failed, ..Behaviour::default() };
    for node in fleet.nodes_mut() {
        node.behaviours = [behaviour.clone()].into();
    }
    fleet
}

fn behaviour(dice: &mut Dice) -> Behaviour {
    let longest = *dice.of(&[2, 5, 20, 60, 150]);
    Behaviour {
        duration: Span::seconds(0, longest),
        failed: Share::new(share(dice)),
        execution_timed_out: Share::new(share(dice) / 2.0),
        delivery_timed_out: Share::new(share(dice) / 2.0),
        undeliverable: Share::new(share(dice) / 2.0),
        cancelled: Share::new(share(dice) / 4.0),
        fails_first: u32::from(dice.hits(0.15)),
        ..Behaviour::default()
    }
}

/// A part of a fleet: mostly none.
fn share(dice: &mut Dice) -> f64 {
    *dice.of(&[0.0, 0.0, 0.0, 0.0, 0.03, 0.1, 0.3])
}
