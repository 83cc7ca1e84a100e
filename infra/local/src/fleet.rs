//! The simulated fleet: which nodes there are, and how they behave.
//!
//! # The fleet file
//! YAML (or JSON). Groups of alike nodes, single nodes, and what happens when documents run on them. Everything but
//! `name`, `count` and `id` may be left out; the comments name what is then assumed.
//! ```yaml
//! groups:
//!   - name: web                      # nodes are called web-1, web-2, …
//!     count: 60
//!     platform: Linux                # or Windows
//!     tags: { Role: web, PatchGroup: linux-prod }
//!     missing: 2..9                  # patches missing at first: a number or a range (0)
//!     installed: 80..240             # patches installed at first
//!     pendingReboot: 0               # patches that wait for a reboot at first
//!     agent: online                  # offline: nothing reaches it. unregistered: SSM refuses its id.
//!     behaviours:                    # the first that covers a run says what happens
//!       - documents: AWS-RunPatchBaseline*    # a name, a pattern, or a list
//!         when: { Operation: Install }        # only runs with these parameters
//!         duration: 1m..7m           # 250ms, 90s, 2m, 1h, or a range (2s..20s)
//!         failed: 4%                 # shares of all runs; the rest succeeds
//!         exitCode: 1                # of a failure
//!         output: "{{ installed }} installed, {{ missing }} missing"   # of every run; else what the document prints
//!         error: "no space left on /var"      # of a failure
//!         executionTimedOut: 1%      # hangs until the document's execution timeout
//!         deliveryTimedOut: 0.5%     # never answers; the command expires
//!         undeliverable: 0%          # SSM gives up at once
//!         cancelled: 0%              # cancelled on the node before it begins
//!         leavesMissing: 0..2        # patches an installation doesn't get in
//!         pendingReboot: 5%          # installations that wait for a reboot
//!       - documents: AWS-RunShellScript
//!         failsFirst: 1              # the first run it covers on each node fails, then the shares
//!   - name: file
//!     count: 12
//!     platform: Windows
//!     tags: { Role: file, PatchGroup: windows-prod }
//!     missing: 0..5
//! nodes:
//!   - id: i-0123456789abcdef0        # a node of its own; the same settings as a group
//!     name: bastion
//!     tags: { Role: bastion }
//!     behaviours:
//!       - undeliverable: 100%
//! behaviours:                        # for every node, where its own say nothing
//!   - documents: "*"
//!     duration: 1s..10s
//! ```
//! Placeholders of outputs: `node`, `name`, `platform`, `document`, `operation`, `exit_code`, `installed`, `missing`.

mod behaviour;
mod file;
mod span;
mod synthetic;

pub use behaviour::{Behaviour, matches};
pub use span::{Range, Share, Span};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The nodes SSM manages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fleet {
    nodes: Vec<Node>,
}

/// One managed node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// `i-` and 8 or 17 letters or digits, or `mi-` and 17.
    pub id: Arc<str>,
    /// What people call it.
    pub name: String,
    /// Its operating system.
    pub platform: Platform,
    /// Its tags, by key.
    pub tags: Arc<BTreeMap<String, String>>,
    /// Whether SSM reaches it.
    pub agent: Agent,
    /// Its patches.
    pub patches: Patches,
    /// What happens when documents run on it; the first that covers a run counts.
    pub behaviours: Arc<[Behaviour]>,
}

/// Operating systems, as far as documents tell them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum Platform {
    /// Any Linux.
    #[default]
    Linux,
    /// Any Windows.
    Windows,
}

impl Platform {
    /// As SSM writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linux => "Linux",
            Self::Windows => "Windows",
        }
    }
}

/// The state of a node's SSM Agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Agent {
    /// It takes commands.
    #[default]
    Online,
    /// SSM knows the node, but nothing reaches it.
    Offline,
    /// SSM doesn't know the node any more: terminated, or never registered.
    Unregistered,
}

/// Numbers of patches on a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Patches {
    /// In the baseline and not installed.
    pub missing: u32,
    /// Installed.
    pub installed: u32,
    /// Could not be installed.
    pub failed: u32,
    /// Installed and waiting for a reboot.
    pub pending_reboot: u32,
}

/// A fleet file that cannot be used: what is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fleet file: {0}")]
pub struct FleetError(String);

impl FleetError {
    fn new(message: String) -> Self {
        Self(message)
    }
}

impl Fleet {
    /// A fleet of these nodes.
    pub fn new(nodes: Vec<Node>) -> Self {
        Self { nodes }
    }

    /// Reads a fleet file (the module's documentation says how it looks). What it leaves open is drawn from `seed`.
    pub fn parse(text: &str, seed: u64) -> Result<Self, FleetError> {
        file::read(text, seed)
    }

    /// A plausible mixed fleet with the tags `Role`, `PatchGroup` and, on one node in twenty, `Canary`.
    /// Some nodes fail, some hang, one is undeliverable, many miss patches.
    pub fn synthetic(nodes: usize, seed: u64) -> Self {
        synthetic::fleet(nodes, seed)
    }

    /// Alike Linux nodes without tags that always succeed.
    pub fn plain(count: usize, seed: u64) -> Self {
        let mut fleet = Self::synthetic(count, seed);
        let calm: Arc<[Behaviour]> = [Behaviour::default()].into();
        let none = Arc::new(BTreeMap::new());
        for node in &mut fleet.nodes {
            node.platform = Platform::Linux;
            node.tags = Arc::clone(&none);
            node.patches = Patches { missing: 0, installed: 100, failed: 0, pending_reboot: 0 };
            node.behaviours = Arc::clone(&calm);
        }
        fleet
    }

    /// The nodes, in order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The nodes, to change them.
    pub fn nodes_mut(&mut self) -> &mut [Node] {
        &mut self.nodes
    }

    /// The ids of nodes with this tag, in order.
    pub fn tagged(&self, key: &str, value: &str) -> Vec<String> {
        let has = |node: &&Node| node.tags.get(key).is_some_and(|given| given == value);
        self.nodes.iter().filter(has).map(|node| node.id.to_string()).collect()
    }

    pub(crate) fn into_nodes(self) -> Vec<Node> {
        self.nodes
    }
}

/// SSM API reference, InstanceId: `(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)`.
pub fn is_node_id(id: &str) -> bool {
    let word = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if let Some(rest) = id.strip_prefix("i-") {
        return (rest.len() == 8 || rest.len() == 17) && word(rest);
    }
    id.strip_prefix("mi-").is_some_and(|rest| rest.len() == 17 && word(rest))
}

/// A number for [`node_id`]: 17 hexadecimal digits.
fn node_number(rng: &mut ChaCha8Rng) -> u128 {
    rng.random::<u128>() >> 60
}

/// An EC2 instance id.
fn node_id(number: u128) -> String {
    format!("i-{number:017x}")
}
