//! The fleet file: YAML, or JSON, which is YAML too.

use super::behaviour::Behaviour;
use super::span::Range;
use super::{Agent, Fleet, FleetError, Node, Patches, Platform, node_id, node_number};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Nodes a file may describe: far more than SSM takes in one account and Region.
const MAX_NODES: usize = 200_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FleetFile {
    #[serde(default)]
    groups: Vec<Group>,
    #[serde(default)]
    nodes: Vec<Single>,
    /// For every node, where its own say nothing.
    #[serde(default)]
    behaviours: Vec<Behaviour>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Group {
    name: String,
    count: usize,
    #[serde(default)]
    platform: Platform,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    agent: Agent,
    #[serde(default)]
    missing: Range,
    #[serde(default = "usually_installed")]
    installed: Range,
    #[serde(default)]
    pending_reboot: Range,
    #[serde(default)]
    behaviours: Vec<Behaviour>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Single {
    id: String,
    name: Option<String>,
    #[serde(default)]
    platform: Platform,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    agent: Agent,
    #[serde(default)]
    missing: Range,
    #[serde(default = "usually_installed")]
    installed: Range,
    #[serde(default)]
    pending_reboot: Range,
    #[serde(default)]
    behaviours: Vec<Behaviour>,
}

fn usually_installed() -> Range {
    Range::new(80, 240)
}

/// Reads a fleet file and draws what it leaves open from `seed`.
pub(super) fn read(text: &str, seed: u64) -> Result<Fleet, FleetError> {
    let file: FleetFile = serde_saphyr::from_str(text).map_err(|error| FleetError::new(error.to_string()))?;
    let total = file.groups.iter().fold(file.nodes.len(), |sum, group| sum.saturating_add(group.count));
    if total == 0 {
        return Err(FleetError::new("the fleet has no nodes: it needs `groups` or `nodes`".to_owned()));
    }
    if total > MAX_NODES {
        return Err(FleetError::new(format!("the fleet has {total} nodes, more than {MAX_NODES}")));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut taken = BTreeSet::new();
    let mut nodes = Vec::with_capacity(total);
    for (index, single) in file.nodes.iter().enumerate() {
        check_id(&single.id, index, &mut taken)?;
        nodes.push(single.node(&file.behaviours, &mut rng));
    }
    for group in &file.groups {
        group.nodes(&file.behaviours, &mut taken, &mut rng, &mut nodes);
    }
    Ok(Fleet { nodes })
}

/// SSM API reference: `(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)`.
fn check_id(id: &str, index: usize, taken: &mut BTreeSet<String>) -> Result<(), FleetError> {
    if !super::is_node_id(id) {
        return Err(FleetError::new(format!(
            "nodes[{index}].id: `{id}` is no node id: i- and 8 or 17 letters or digits, or mi- and 17"
        )));
    }
    if !taken.insert(id.to_owned()) {
        return Err(FleetError::new(format!("nodes[{index}].id: `{id}` stands here twice")));
    }
    Ok(())
}

impl Group {
    fn nodes(
        &self,
        common: &[Behaviour],
        taken: &mut BTreeSet<String>,
        rng: &mut ChaCha8Rng,
        nodes: &mut Vec<Node>,
    ) {
        let behaviours: Arc<[Behaviour]> = self.behaviours.iter().chain(common).cloned().collect();
        let tags = Arc::new(self.tags.clone());
        for number in 1..=self.count {
            let mut id = node_id(node_number(rng));
            while !taken.insert(id.clone()) {
                id = node_id(node_number(rng));
            }
            nodes.push(Node {
                id: id.into(),
                name: format!("{}-{number}", self.name),
                platform: self.platform,
                tags: Arc::clone(&tags),
                agent: self.agent,
                patches: patches(self.missing, self.installed, self.pending_reboot, rng),
                behaviours: Arc::clone(&behaviours),
            });
        }
    }
}

impl Single {
    fn node(&self, common: &[Behaviour], rng: &mut ChaCha8Rng) -> Node {
        Node {
            id: self.id.as_str().into(),
            name: self.name.clone().unwrap_or_else(|| self.id.clone()),
            platform: self.platform,
            tags: Arc::new(self.tags.clone()),
            agent: self.agent,
            patches: patches(self.missing, self.installed, self.pending_reboot, rng),
            behaviours: self.behaviours.iter().chain(common).cloned().collect(),
        }
    }
}

fn patches(missing: Range, installed: Range, pending_reboot: Range, rng: &mut ChaCha8Rng) -> Patches {
    Patches {
        missing: missing.draw(rng),
        installed: installed.draw(rng),
        failed: 0,
        pending_reboot: pending_reboot.draw(rng),
    }
}
