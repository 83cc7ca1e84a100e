//! The summary of an execution on three thousand nodes: what it reads.

use crate::onlooker::Onlooker;
use fleetwright_protocols::{Run, Story, steady_fleet};
use jiff::SignedDuration;
use std::sync::Arc;

/// Nodes of the step.
pub const NODES: usize = 3_000;

const BY_TAG: &str = r#"
schemaVersion: "0.3"
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      Targets: [{ Key: "tag:Role", Values: [web] }]
      Parameters: { commands: ["uptime"] }
      MaxErrors: "100%"
"#;

/// What one read takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read {
    /// Requests of DynamoDB.
    pub requests: usize,
    /// Items that they ask for.
    pub items: usize,
}

/// While it runs, and when it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summaries {
    /// While it runs.
    pub running: Read,
    /// Finished.
    pub finished: Read,
}

/// Reads it twice.
#[must_use]
pub fn measure() -> Summaries {
    let mut fleet = steady_fleet(NODES, 60);
    for node in fleet.nodes_mut() {
        node.tags = Arc::new([("Role".to_owned(), "web".to_owned())].into());
    }
    let mut run = Story::new().fleet(fleet).runbook(BY_TAG).start();
    run.until(|cloud| cloud.ssm.ledger().runs().len() > 200);
    run.pass(SignedDuration::from_secs(90));
    let running = read(&mut run);
    run.end();
    run.pass(SignedDuration::from_mins(2));
    Summaries { running, finished: read(&mut run) }
}

fn read(run: &mut Run) -> Read {
    let onlooker = Onlooker::of(run);
    let path = format!("/executions/{}/summary", run.id);
    let answer = run.fetch(&path, "");
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let reads = onlooker.left("api-read");
    assert!(!reads.is_empty(), "something is read");
    assert!(reads.iter().all(|call| call.action != "dynamodb:Query"), "what a query reads is not counted");
    Read { requests: reads.len(), items: reads.iter().map(|call| call.items_read).sum() }
}
