//! Three thousand nodes of one command that goes by a tag: which key of the table is written to how often.

use crate::burst::{notification, sqs_event};
use crate::onlooker::Onlooker;
use fleetwright_local::fleet::Fleet;
use fleetwright_protocols::{Story, steady_fleet, ticks};
use jiff::SignedDuration;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Nodes of the command.
pub const NODES: usize = 3_000;
/// Each tells its end twice.
pub const EVENTS: usize = 2 * NODES;
/// In so many seconds.
const SECONDS: usize = 120;
/// The last batch too.
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_secs(10);
/// Batches under way at the same time, as `template.yaml` allows.
const AT_ONCE: usize = 5;

const BY_TAG: &str = r#"
schemaVersion: "0.3"
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      Targets: [{ Key: "tag:Role", Values: [web] }]
      Parameters: { commands: ["uptime"] }
      MaxConcurrency: "100%"
      MaxErrors: "100%"
"#;

/// What it came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Targets {
    /// The partition key that was written to most in one second.
    pub hottest: String,
    /// How many write units that were.
    pub units_a_second: f64,
    /// Writes that a partition's limit refused.
    pub throttled: usize,
    /// Requests for all of it, reconcile's ticks among them.
    pub requests: usize,
    /// Write units for all of it.
    pub write_units: f64,
}

fn fleet() -> Fleet {
    let mut fleet = steady_fleet(NODES, 600);
    for node in fleet.nodes_mut() {
        node.tags = Arc::new([("Role".to_owned(), "web".to_owned())].into());
    }
    fleet
}

/// Brings all events, doubled and in no order, in batches of what comes within two seconds.
#[must_use]
pub fn measure() -> Targets {
    let story = Story::new().fleet(fleet()).runbook(BY_TAG).delivery(ticks().lost());
    let mut run = story.start();
    run.until(|cloud| !cloud.ssm.ledger().commands().is_empty());
    run.pass(SignedDuration::from_secs(30));
    let command = run.commands()[0].command_id.to_string();
    let onlooker = Onlooker::of(&mut run);
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut events: Vec<String> = run.nodes().into_iter().flat_map(|node| [node.clone(), node]).collect();
    events.shuffle(&mut random);
    let batches = events.chunks(EVENTS * 2 / SECONDS).collect::<Vec<_>>();
    let mut tasks = Vec::new();
    for window in batches {
        // Lambda works a window off in parts of its own choosing, at the same time.
        let parts = random.random_range(1..=AT_ONCE);
        for part in window.chunks(window.len().div_ceil(parts)) {
            let messages: Vec<String> =
                part.iter().map(|node| notification(&command, node, run.now())).collect();
            let invoker = run.deployment.simulation.invoker();
            let event = sqs_event(&messages);
            let task = run
                .deployment
                .simulation
                .spawn(async move { invoker.invoke("on-command-event", event).await });
            tasks.push(task);
        }
        run.pass(SignedDuration::from_secs(2));
    }
    run.pass(ANSWERED_WITHIN);
    for task in tasks {
        let answer = task.take().expect("it is over").expect("an answer");
        assert_eq!(answer["batchItemFailures"], json!([]), "all of it is taken");
    }
    let (mut units, mut total) = (BTreeMap::new(), 0.0);
    let writes = onlooker.writes();
    for write in &writes {
        total += write.write_units;
        for key in &write.keys {
            *units.entry((write.at.as_second(), key.clone())).or_insert(0.0) +=
                write.write_units / write.keys.len() as f64;
        }
    }
    let hottest = units.into_iter().max_by(|(_, one), (_, other)| one.total_cmp(other));
    let ((_, hottest), units_a_second) = hottest.expect("something was written");
    let calls = onlooker.everything();
    Targets {
        hottest,
        units_a_second,
        throttled: writes.iter().filter(|write| write.throttled).count(),
        requests: calls.iter().filter(|call| call.action.starts_with("dynamodb:")).count(),
        write_units: total,
    }
}
