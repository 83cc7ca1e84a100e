//! A fleet nobody had to write: web, application, database and batch nodes on Linux, which `examples/patch-fleet.yaml`
//! patches, and Windows file servers, which it doesn't.

use super::behaviour::Behaviour;
use super::span::{Range, Share, Span};
use super::{Agent, Fleet, Node, Patches, Platform, node_id, node_number};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One kind of nodes in a synthetic fleet.
struct Kind {
    role: &'static str,
    patch_group: &'static str,
    platform: Platform,
    /// Nodes of this kind in a hundred.
    share: u64,
    missing: Range,
}

const KINDS: [Kind; 5] = [
    Kind {
        role: "web",
        patch_group: "prod",
        platform: Platform::Linux,
        share: 40,
        missing: Range::new(0, 6),
    },
    Kind {
        role: "app",
        patch_group: "prod",
        platform: Platform::Linux,
        share: 30,
        missing: Range::new(0, 9),
    },
    Kind { role: "db", patch_group: "prod", platform: Platform::Linux, share: 10, missing: Range::new(1, 4) },
    Kind {
        role: "batch",
        patch_group: "prod",
        platform: Platform::Linux,
        share: 8,
        missing: Range::new(2, 24),
    },
    Kind {
        role: "file",
        patch_group: "windows",
        platform: Platform::Windows,
        share: 12,
        missing: Range::new(0, 5),
    },
];

/// One node in twenty goes first.
const CANARY_EVERY: u64 = 20;

/// A mixed fleet of this size: some nodes fail, some hang, one cannot be reached, many miss patches.
pub(super) fn fleet(count: usize, seed: u64) -> Fleet {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5feb_f1ee_7000_0001);
    let usual: Arc<[Behaviour]> = usual().into();
    let unreachable: Arc<[Behaviour]> =
        [Behaviour { undeliverable: Share::new(1.0), ..Behaviour::default() }].into();
    let lost = if count >= 8 { Some(rng.random_range(0..count as u64)) } else { None };
    let mut taken = BTreeSet::new();
    let mut nodes = Vec::with_capacity(count);
    for number in 0..count as u64 {
        let kind = kind(rng.random_range(0..100));
        let mut id = node_id(node_number(&mut rng));
        while !taken.insert(id.clone()) {
            id = node_id(node_number(&mut rng));
        }
        let canary = number % CANARY_EVERY == 0;
        let unreachable_here = lost == Some(number);
        nodes.push(Node {
            id: id.into(),
            name: format!("{}-{}", kind.role, number + 1),
            platform: kind.platform,
            tags: Arc::new(tags(kind, canary)),
            agent: Agent::Online,
            patches: Patches {
                missing: kind.missing.draw(&mut rng),
                installed: rng.random_range(80..240),
                failed: 0,
                pending_reboot: u32::from(Share::new(0.03).hits(&mut rng)),
            },
            behaviours: Arc::clone(if unreachable_here && !canary { &unreachable } else { &usual }),
        });
    }
    Fleet { nodes }
}

fn kind(mut draw: u64) -> &'static Kind {
    for kind in &KINDS {
        if draw < kind.share {
            return kind;
        }
        draw -= kind.share;
    }
    &KINDS[0]
}

fn tags(kind: &Kind, canary: bool) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::from([
        ("Role".to_owned(), kind.role.to_owned()),
        ("PatchGroup".to_owned(), kind.patch_group.to_owned()),
    ]);
    if canary {
        tags.insert("Canary".to_owned(), "true".to_owned());
    }
    tags
}

/// Installing is slow and fails now and then, scanning hardly ever; scripts are quick.
fn usual() -> [Behaviour; 3] {
    [
        Behaviour {
            documents: vec!["AWS-RunPatchBaseline*".to_owned()],
            when: BTreeMap::from([("Operation".to_owned(), "Install".to_owned())]),
            duration: Span::seconds(60, 420),
            failed: Share::new(0.04),
            execution_timed_out: Share::new(0.01),
            pending_reboot: Share::new(0.02),
            ..Behaviour::default()
        },
        Behaviour {
            documents: vec!["AWS-RunPatchBaseline*".to_owned()],
            duration: Span::seconds(15, 60),
            failed: Share::new(0.002),
            ..Behaviour::default()
        },
        Behaviour { duration: Span::seconds(1, 15), failed: Share::new(0.005), ..Behaviour::default() },
    ]
}
