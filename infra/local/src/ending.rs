//! How invocations end: what is counted, what is acknowledged, what is tried again.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::batch;
use crate::clock::later;
use crate::cloud::{Cloud, lock};
use crate::executor::Executor;
use crate::lambda::{AsyncEvent, InvokeError};
use crate::queue::Received;
use crate::runtime::{Origin, Running, Runtime};
use crate::trace::TraceLine;

/// How long Lambda waits before it tries a failed asynchronous event again: one minute, then two
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
const RETRY_DELAYS: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

/// How an invocation ended.
pub(crate) enum End {
    Answered(Result<Value, String>),
    TimedOut,
    Crashed,
}

impl Runtime {
    /// An invocation has ended.
    pub(crate) fn end(&mut self, id: u64, end: &End, executor: &mut Executor) {
        let Some(running) = self.running.remove(&id) else { return };
        let Running { function, worker, task, started, origin, request_id, .. } = running;
        executor.kill(task);
        let now = self.clock.now();
        let took = now.duration_since(started).max(jiff::SignedDuration::ZERO).unsigned_abs();
        let outcome = self.count(&function, &request_id, end, took);
        if let Some(deployed) = self.functions.get_mut(&function) {
            deployed.busy -= 1;
            // An environment survives an answer, good or bad, and nothing else.
            if let End::Answered(_) = end {
                deployed.idle.push(worker);
            }
        }
        match origin {
            Origin::Mapping(index, batch) => self.end_batch(index, &batch, outcome.as_ref().ok()),
            Origin::Async(event) => {
                if outcome.is_err() {
                    self.retry(event, request_id, now);
                }
            }
            // A caller that is gone doesn't want the answer.
            Origin::Call(reply) => drop(reply.send(outcome)),
        }
    }

    /// Counts and traces the end of an invocation, and says what its caller is told.
    fn count(
        &self,
        function: &str,
        request_id: &str,
        end: &End,
        took: Duration,
    ) -> Result<Value, InvokeError> {
        let mut cloud = lock(&self.cloud);
        let count = cloud.counters.function(function);
        count.took(took);
        let outcome = match end {
            End::Answered(Ok(answer)) => Ok(answer.clone()),
            End::Answered(Err(error)) => {
                count.errors += 1;
                Err(InvokeError::Failed(error.clone()))
            }
            End::TimedOut => {
                count.timeouts += 1;
                Err(InvokeError::TimedOut)
            }
            End::Crashed => {
                count.crashes += 1;
                Err(InvokeError::Crashed)
            }
        };
        let at = self.clock.now();
        cloud.trace.add(TraceLine {
            at,
            actor: function.to_owned(),
            operation: "invoke".to_owned(),
            subject: request_id.to_owned(),
            outcome: outcome.as_ref().map_or_else(ToString::to_string, |_| "ok".to_owned()),
        });
        outcome
    }

    /// Deletes what succeeded. What failed becomes visible again by itself.
    fn end_batch(&mut self, index: usize, batch: &[Received], response: Option<&Value>) {
        let Some(mapping) = self.mappings.get_mut(index) else { return };
        mapping.running -= 1;
        let Some(response) = response else { return };
        let failed = batch::failed(response, batch);
        let mut cloud = lock(&self.cloud);
        let done: Vec<_> = batch.iter().filter(|one| !failed.contains(one.message.id.as_str())).collect();
        done.iter().for_each(|received| cloud.sqs.delete(&mapping.source.queue, &received.handle));
        count_polls(&mut cloud, "sqs:DeleteMessageBatch", done.len());
    }

    fn retry(&mut self, event: AsyncEvent, request_id: String, now: Timestamp) {
        let mut cloud = lock(&self.cloud);
        let retries = self.functions.get(&event.function).map_or(0, |deployed| deployed.definition.retries);
        if event.failures >= retries {
            cloud.counters.function(&event.function).given_up += 1;
            return;
        }
        let delay = RETRY_DELAYS.get(event.failures as usize).unwrap_or(&RETRY_DELAYS[1]);
        let event = AsyncEvent { failures: event.failures + 1, request_id: Some(request_id), ..event };
        cloud.asynchronous.put(event, later(now, *delay));
    }
}

/// What Lambda itself asks of a queue, ten messages a call, counted under its name because it is billed.
pub(crate) fn count_polls(cloud: &mut Cloud, action: &str, messages: usize) {
    let calls = u64::try_from(messages.div_ceil(10)).unwrap_or(u64::MAX);
    cloud.counters.call("event source mapping", action).applied += calls;
}
