//! What is started and stopped while processes die.

use crate::CHAOS;
use crate::client::Client;
use crate::clock;
use crate::stage::{RETRY, STAGES, block_on, tokens};
use fleetwright_local::serve::Console;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// Executions that are started, or fewer on a machine that is busy.
const STARTS: usize = 12;
/// Between two of them: a little less than the minute, together.
const PAUSE_MS: std::ops::Range<u64> = 3000..5200;
/// The one that is stopped, after the next has begun.
const STOPPED: usize = 2;

/// What is asked for, and when.
pub(crate) struct Workload {
    starts: Vec<Start>,
}

struct Start {
    runbook: &'static str,
    pause: Duration,
    client_token: String,
}

/// What was asked for and taken.
pub(crate) struct Done {
    /// Executions that were started.
    pub(crate) started: Vec<String>,
    /// The one that was stopped.
    pub(crate) stopped: String,
    /// Its sends when the stop was answered.
    pub(crate) intents: BTreeSet<String>,
}

impl Workload {
    pub(crate) fn draw(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x776f_726b);
        let start = |number| Start {
            runbook: if number == STOPPED || random.random_bool(0.5) { STAGES } else { RETRY },
            pause: Duration::from_millis(random.random_range(PAUSE_MS)),
            client_token: format!("00000000-0000-4000-8000-{number:012}"),
        };
        Self { starts: (0..STARTS).map(start).collect() }
    }

    /// Asks for all of it.
    pub(crate) fn run(&self, client: &Client, console: &Console) -> Done {
        let mut done = Done { started: Vec::new(), stopped: String::new(), intents: BTreeSet::new() };
        let begun = clock::now();
        for (number, start) in self.starts.iter().enumerate() {
            if begun.elapsed() > CHAOS && !done.stopped.is_empty() {
                break;
            }
            let body = json!({ "DocumentName": start.runbook, "ClientToken": start.client_token });
            let answer = client.call("StartAutomationExecution", &body);
            done.started.push(answer["AutomationExecutionId"].as_str().expect("an id").to_owned());
            if number == STOPPED + 1 {
                done.stopped.clone_from(&done.started[STOPPED]);
                let body = json!({ "AutomationExecutionId": done.stopped, "Type": "Cancel" });
                client.call("StopAutomationExecution", &body);
                let id = done.stopped.clone();
                done.intents = block_on(console.run(move |deployment| tokens(deployment, &id)));
            }
            client.look(&done.started[number / 2]);
            clock::wait(start.pause);
        }
        done
    }
}
