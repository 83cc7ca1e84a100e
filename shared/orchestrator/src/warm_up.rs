//! What an execution environment does before its first invocation, with all the processor that Lambda gives to starting:
//! it opens the connections that invocations use, by calls whose answers somebody needs.

use crate::table::Heartbeat;
use crate::{Error, Operation, Orchestrator};
use aws_smithy_async::future::timeout::Timeout;
use aws_smithy_async::rt::sleep::AsyncSleep;
use jiff::SignedDuration;
use std::time::Duration;

/// Starting may take Lambda's ten seconds; who waits for an invocation would rather have it come without.
const TAKES_AT_MOST: Duration = Duration::from_secs(2);
/// Reconcile ticks every minute. An account without its net is to be seen in the logs of every function.
const TICKS_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// Of a function's operations, what SSM is asked by: all that go to SSM in the middle of a step have it.
const LIST_COMMANDS: &str = "ssm:ListCommands";

impl Orchestrator {
    /// Opens the connections that a function with these operations uses: to the table, by a look whether reconcile ticks; to
    /// SSM, if it may list commands, by a page of one. A warning says what failed; nothing else comes of it.
    pub async fn warm_up(&self, operations: &[&str]) {
        let began = self.clients.time.now();
        let table = async {
            match self.table.heartbeat().await {
                Ok(beat) => self.tell_of(beat),
                Err(error) => tracing::warn!(%error, "no connection to the table yet"),
            }
        };
        let ssm = async {
            if operations.contains(&LIST_COMMANDS)
                && let Err(error) = self.clients.ssm.list_commands().max_results(1).send().await
            {
                let error = Error::of(Operation::ListCommands, &error);
                tracing::warn!(%error, "no connection to SSM yet");
            }
        };
        let both = std::pin::pin!(futures::future::join(table, ssm));
        if Timeout::new(both, self.clients.sleep.sleep(TAKES_AT_MOST)).await.is_err() {
            tracing::warn!("connections are left to the first invocation");
        }
        let took = self.clients.time.now().duration_since(began).unwrap_or_default();
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(took_us, "warmed up");
    }

    fn tell_of(&self, beat: Option<Heartbeat>) {
        let Some(Heartbeat { scheduled_at: last, .. }) = beat else {
            tracing::info!("reconcile has not ticked yet");
            return;
        };
        if self.now().duration_since(last) > TICKS_WITHIN {
            tracing::warn!(%last, "reconcile does not tick: what events do not bring is not noticed");
        }
    }
}
