//! A second database that gets the writes late. Reads that need not be consistent are answered from it.

use std::collections::VecDeque;

use dynoxide::DynoxideError;
use jiff::{SignedDuration, Timestamp};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::engine::Engine;
use super::keeper::Refusal;
use crate::clock::VirtualClock;
use crate::cloud::Violation;
use crate::fleet::Span;
use crate::seed;

/// The changes of a first database, in their order, each some time after it was made there.
///
/// They are replayed when somebody comes, not by a timer. The engine's clock stands at the moment of the change that is
/// replayed, so that what expires does so between the same writes as in the first database.
pub(super) struct Replica {
    engine: Engine,
    engine_clock: VirtualClock,
    clock: VirtualClock,
    lag: Span,
    random: ChaCha8Rng,
    queue: VecDeque<Late>,
    /// When the latest change is due here: none is before an earlier one.
    last_due: Timestamp,
    /// Changes that came out otherwise than in the first database: the model itself is wrong then.
    violations: Vec<Violation>,
}

/// A change that is still to be replayed.
struct Late {
    due: Timestamp,
    made: Timestamp,
    change: Change,
}

/// A change that the first database has made.
pub(super) enum Change {
    Write { operation: String, request: Value },
    Expiry { items: usize },
}

impl Replica {
    /// A replica of a database that is empty.
    pub(super) fn new(lag: Span, seed: u64, clock: &VirtualClock) -> Result<Self, DynoxideError> {
        let engine_clock = VirtualClock::new(clock.now());
        Ok(Self {
            engine: Engine::in_memory(&engine_clock)?,
            engine_clock,
            clock: clock.clone(),
            lag,
            random: seed::generator(seed, "replica"),
            queue: VecDeque::new(),
            last_due: clock.now(),
            violations: Vec::new(),
        })
    }

    /// Takes a change that was made just now. Also replays what is due: without reads the queue would only grow.
    pub(super) fn take(&mut self, change: Change) {
        let made = self.clock.now();
        let lag = SignedDuration::from_millis(self.lag_of(&change));
        let due = made.saturating_add(lag).unwrap_or(Timestamp::MAX).max(self.last_due);
        self.last_due = due;
        self.queue.push_back(Late { due, made, change });
        self.catch_up();
    }

    /// The database as it shows itself at this moment.
    pub(super) fn now(&mut self) -> &Engine {
        self.catch_up();
        &self.engine
    }

    /// What went wrong since this was asked last.
    pub(super) fn take_violations(&mut self) -> Vec<Violation> {
        std::mem::take(&mut self.violations)
    }

    /// Changes of tables wait for the writes before them only: the service calls a table ACTIVE when it can be read.
    fn lag_of(&mut self, change: &Change) -> i64 {
        match change {
            Change::Write { operation, .. } if !operation.contains("Item") => 0,
            Change::Write { .. } | Change::Expiry { .. } => self.lag.draw(&mut self.random),
        }
    }

    fn catch_up(&mut self) {
        let now = self.clock.now();
        while let Some(late) = self.queue.pop_front_if(|late| late.due <= now) {
            self.replay(late);
        }
    }

    fn replay(&mut self, Late { made, change, .. }: Late) {
        self.engine_clock.advance(made);
        let (action, outcome) = match change {
            Change::Write { operation, request } => {
                let outcome = self.engine.dispatch(&operation, request);
                (operation, outcome.map(drop).map_err(|refusal| refusal.code().to_owned()))
            }
            Change::Expiry { items } => ("expiry".to_owned(), expired(items, self.engine.sweep())),
        };
        if let Err(reason) = outcome {
            let reason = format!("came out otherwise when it was replayed: {reason}");
            let (function, action) = ("replica".to_owned(), format!("dynamodb:{action}"));
            self.violations.push(Violation { at: made, function, action, reason });
        }
    }
}

fn expired(expected: usize, swept: Result<usize, Refusal>) -> Result<(), String> {
    match swept {
        Ok(items) if items == expected => Ok(()),
        Ok(items) => Err(format!("{items} items instead of {expected}")),
        Err(refusal) => Err(refusal.code().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::fleet::Fleet;
    use crate::{Deployment, DeploymentOptions, TABLE};

    const RUNBOOK: &str = r#"{ "schemaVersion": "0.3", "mainSteps": [
        { "name": "ask", "action": "aws:runCommand", "inputs": { "DocumentName": "AWS-RunShellScript",
          "Targets": [{ "Key": "InstanceIds", "Values": ["*"] }], "Parameters": { "commands": ["uptime"] } } },
        { "name": "ask_again", "action": "aws:runCommand", "inputs": { "DocumentName": "AWS-RunShellScript",
          "Targets": [{ "Key": "InstanceIds", "Values": ["*"] }], "Parameters": { "commands": ["uptime"] } } } ] }"#;

    #[test]
    fn once_all_is_replayed_both_databases_hold_the_same() {
        let options =
            DeploymentOptions { index_lag: Some(Span::seconds(60, 120)), ..DeploymentOptions::seeded(1) };
        let mut deployment = Deployment::new(Fleet::plain(60, 1), &options).unwrap();
        deployment.register_runbook("two", RUNBOOK).unwrap();
        let id = deployment.start("two", &BTreeMap::new()).unwrap();
        deployment.run_to_end(&id, Duration::from_hours(4)).unwrap();
        deployment.pass(SignedDuration::from_mins(10)).unwrap();
        let cloud = deployment.simulation.cloud();
        let mut replica = cloud.dynamodb.replica.as_ref().unwrap().borrow_mut();
        // All but the word of the last tick, which is never old.
        let scan = json!({ "TableName": TABLE, "ConsistentRead": true, "FilterExpression": "pk <> :health",
            "ExpressionAttributeValues": { ":health": { "S": "HEALTH" } } });
        let late = replica.now().dispatch("Scan", scan.clone()).unwrap();
        assert!(late["Count"].as_u64() > Some(5));
        assert_eq!(late, cloud.dynamodb.engine.dispatch("Scan", scan).unwrap());
        assert_eq!(replica.take_violations(), []);
    }

    #[test]
    fn a_write_that_does_not_succeed_again_is_told() {
        let clock = VirtualClock::default();
        let mut replica = Replica::new(Span::ZERO, 1, &clock).unwrap();
        let request = json!({ "TableName": "none", "Item": { "pk": { "S": "a" } } });
        replica.take(Change::Write { operation: "PutItem".to_owned(), request });
        let violations = replica.take_violations();
        assert_eq!(violations.len(), 1);
        assert_eq!((violations[0].at, violations[0].action.as_str()), (clock.now(), "dynamodb:PutItem"));
        assert_eq!(replica.take_violations(), []);
    }
}
