//! How many nodes of the fleet a step's Targets mean, for the length of a bar before anybody has counted.

use fleetwright_engine::Target;
use fleetwright_local::fleet::{Fleet, Node};

/// The nodes that match every target; `None` where the targets ask for what a fleet file doesn't hold.
pub(crate) fn count(fleet: &Fleet, targets: &[Target]) -> Option<u64> {
    let known = |target: &Target| target.key == "InstanceIds" || target.key.starts_with("tag:");
    if !targets.iter().all(known) {
        return None;
    }
    let meant = fleet.nodes().iter().filter(|node| targets.iter().all(|target| matches(node, target)));
    u64::try_from(meant.count()).ok()
}

fn matches(node: &Node, target: &Target) -> bool {
    let given = match target.key.strip_prefix("tag:") {
        Some(key) => match node.tags.get(key) {
            Some(value) => value.as_str(),
            None => return false,
        },
        None => &*node.id,
    };
    target.values.iter().any(|value| value == given)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLEET: &str = "groups:\n  - { name: a, count: 3, tags: { Role: web, Canary: 'true' } }\n  - { name: b, count: 4, tags: { Role: web } }\n";

    fn target(key: &str, value: &str) -> Target {
        Target { key: key.to_owned(), values: vec![value.to_owned()] }
    }

    #[test]
    fn all_targets_must_match() {
        let fleet = Fleet::parse(FLEET, 1).expect("a fleet");
        assert_eq!(count(&fleet, &[target("tag:Role", "web")]), Some(7));
        assert_eq!(count(&fleet, &[target("tag:Role", "web"), target("tag:Canary", "true")]), Some(3));
        assert_eq!(count(&fleet, &[target("tag:Role", "db")]), Some(0));
        assert_eq!(count(&fleet, &[target("resource-groups:Name", "web")]), None);
    }
}
