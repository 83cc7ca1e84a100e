//! The workspace keeps its shape: pure crates stay pure, arrows go one way.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};
use std::collections::{BTreeMap, BTreeSet};

/// Crates that decide and never act: no runtime, no AWS, no clock, no randomness, no environment.
const PURE: [&str; 4] =
    ["fleetwright-runbook", "fleetwright-fleet", "fleetwright-engine", "fleetwright-wire"];

/// Packages that bring a runtime, the network or randomness.
const IMPURE: [&str; 9] =
    ["tokio", "hyper", "getrandom", "rand", "rand_core", "uuid", "futures", "reqwest", "lambda_runtime"];

/// What each of our crates may use of the others.
const ARROWS: [(&str, &[&str]); 10] = [
    ("fleetwright-runbook", &[]),
    ("fleetwright-fleet", &[]),
    ("fleetwright-wire", &[]),
    ("fleetwright-engine", &["fleetwright-fleet", "fleetwright-runbook"]),
    (
        "fleetwright-orchestrator",
        &["fleetwright-engine", "fleetwright-fleet", "fleetwright-runbook", "fleetwright-wire"],
    ),
    ("fleetwright-deployment", &["fleetwright-engine", "fleetwright-orchestrator"]),
    ("on-command-event", &["fleetwright-deployment", "fleetwright-orchestrator"]),
    ("reconcile", &["fleetwright-deployment", "fleetwright-orchestrator"]),
    (
        "api",
        &[
            "fleetwright-deployment",
            "fleetwright-engine",
            "fleetwright-fleet",
            "fleetwright-orchestrator",
            "fleetwright-wire",
        ],
    ),
    (
        "fleetwright-local",
        &[
            "api",
            "fleetwright-engine",
            "fleetwright-orchestrator",
            "fleetwright-runbook",
            "fleetwright-wire",
            "on-command-event",
            "reconcile",
        ],
    ),
];

/// The functions, and what none of them may hold: a second way to speak TLS, and the chain that looks for configuration and
/// credentials in places that Lambda does not have. Both would be loaded at every start.
const FUNCTIONS: [&str; 3] = ["on-command-event", "reconcile", "api"];
const NOT_IN_FUNCTIONS: [&str; 7] =
    ["aws-config", "aws-lc-rs", "aws-lc-sys", "aws-sdk-sso", "native-tls", "openssl", "s2n-tls"];

/// The feature by which bugs can be planted, and the one crate that may ask for it: the tests under faults.
const PLANTED: &str = "planted";
const PLANTS: &str = "fleetwright-faults";

fn metadata() -> Metadata {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    // Lambda's platform, whatever machine asks: the answer is the same everywhere.
    let options = ["--locked", "--filter-platform", "x86_64-unknown-linux-gnu"].map(str::to_owned);
    MetadataCommand::new()
        .manifest_path(manifest)
        .other_options(options)
        .exec()
        .expect("cargo metadata answers")
}

/// Packages by id that a package uses when it runs, itself left out.
fn normal_dependencies(metadata: &Metadata) -> BTreeMap<&PackageId, BTreeSet<&PackageId>> {
    let resolve = metadata.resolve.as_ref().expect("a resolved graph");
    let normal = |node: &'_ cargo_metadata::Node| -> Vec<PackageId> {
        let is_normal = |dep: &&cargo_metadata::NodeDep| {
            dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
        };
        node.deps.iter().filter(is_normal).map(|dep| dep.pkg.clone()).collect()
    };
    let by_id: BTreeMap<&PackageId, &PackageId> =
        resolve.nodes.iter().map(|node| (&node.id, &node.id)).collect();
    resolve
        .nodes
        .iter()
        .map(|node| (&node.id, normal(node).iter().filter_map(|id| by_id.get(id).copied()).collect()))
        .collect()
}

/// All that one of our crates uses when it runs, itself among it.
fn reached<'a>(
    metadata: &Metadata,
    graph: &BTreeMap<&'a PackageId, BTreeSet<&'a PackageId>>,
    from: &str,
) -> BTreeSet<&'a PackageId> {
    let root = graph.keys().find(|id| metadata[**id].name == from);
    let root = root.unwrap_or_else(|| panic!("no crate {from}"));
    let (mut seen, mut left) = (BTreeSet::new(), vec![*root]);
    while let Some(id) = left.pop() {
        if seen.insert(id) {
            left.extend(graph[id].iter().copied());
        }
    }
    seen
}

#[test]
fn functions_speak_tls_in_one_way_and_look_for_no_configuration() {
    let metadata = metadata();
    let graph = normal_dependencies(&metadata);
    for function in FUNCTIONS {
        let reached = reached(&metadata, &graph, function);
        let names: Vec<&str> = reached.iter().map(|id| metadata[*id].name.as_str()).collect();
        for single in ["rustls", "ring", "hyper", "h2"] {
            assert_eq!(names.iter().filter(|name| **name == single).count(), 1, "{function}: {single}");
        }
        let wrong: Vec<_> = NOT_IN_FUNCTIONS.iter().filter(|name| names.contains(name)).collect();
        assert!(wrong.is_empty(), "{function} holds {wrong:?}");
    }
}

#[test]
fn pure_crates_depend_on_nothing_that_acts() {
    let metadata = metadata();
    let graph = normal_dependencies(&metadata);
    let name = |id: &PackageId| metadata[id].name.to_string();
    for pure in PURE {
        let reached: BTreeSet<String> = reached(&metadata, &graph, pure).into_iter().map(name).collect();
        let impure: Vec<_> = reached
            .iter()
            .filter(|name| IMPURE.contains(&name.as_str()) || name.starts_with("aws-"))
            .collect();
        assert!(impure.is_empty(), "{pure} is pure, but reaches {impure:?}");
    }
}

#[test]
fn arrows_between_crates_go_one_way() {
    let metadata = metadata();
    let graph = normal_dependencies(&metadata);
    let ours: BTreeSet<&PackageId> = metadata.workspace_members.iter().collect();
    for (from, allowed) in ARROWS {
        let id =
            ours.iter().find(|id| metadata[**id].name == from).unwrap_or_else(|| panic!("no crate {from}"));
        let used: BTreeSet<String> = graph[*id]
            .iter()
            .filter(|id| ours.contains(*id))
            .map(|id| metadata[*id].name.to_string())
            .collect();
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        let wrong: Vec<_> = used.difference(&allowed).collect();
        assert!(wrong.is_empty(), "{from} uses {wrong:?}, and may use {allowed:?}");
    }
}

#[test]
fn nobody_ships_what_bugs_are_planted_in() {
    let metadata = metadata();
    let names_it = |feature: &String| feature == PLANTED || feature.ends_with(&format!("/{PLANTED}"));
    let planted: Vec<_> =
        metadata.packages.iter().filter(|package| package.features.contains_key(PLANTED)).collect();
    assert!(
        planted.iter().any(|package| package.name == "fleetwright-orchestrator"),
        "bugs are planted there"
    );
    for package in planted {
        let (mut seen, mut left) = (BTreeSet::new(), vec!["default".to_owned()]);
        while let Some(feature) = left.pop() {
            left.extend(package.features.get(&feature).into_iter().flatten().cloned());
            seen.insert(feature);
            assert!(!seen.contains(PLANTED), "{} has {PLANTED} by default", package.name);
            left.retain(|feature| !seen.contains(feature));
        }
    }
    for package in metadata.workspace_packages() {
        for dependency in &package.dependencies {
            let asked = dependency.features.iter().any(names_it);
            assert!(
                !asked || package.name == PLANTS,
                "{} asks {} for {PLANTED}",
                package.name,
                dependency.name
            );
        }
        for (feature, enables) in &package.features {
            let forwards = enables.iter().any(|enabled| enabled.contains('/') && names_it(enabled));
            assert!(!forwards || package.name == PLANTS, "{}: {feature} brings {PLANTED}", package.name);
        }
    }
}
