//! SQS long polling: a receive that waits for a message.

use std::time::Duration;

use futures::channel::oneshot;

use super::driver::serve;
use crate::clock::{VirtualClock, later};
use crate::cloud::{SharedCloud, lock};
use crate::protocol::{Answer, Request, Service};

/// The longest wait (SQS API reference, ReceiveMessage.WaitTimeSeconds).
const WAIT_MAX: Duration = Duration::from_secs(20);
/// Virtual time between two looks into the queue.
const INTERVAL: Duration = Duration::from_millis(200);

/// How long a request may wait for another answer than this one, if it may.
pub(super) fn patience(request: &Request, answer: &Answer) -> Option<Duration> {
    let receives = request.service == Service::Sqs && request.operation == "ReceiveMessage";
    let empty =
        answer.body.get("Messages").and_then(|messages| messages.as_array()).is_some_and(Vec::is_empty);
    let seconds = request.body.get("WaitTimeSeconds").and_then(serde_json::Value::as_u64)?;
    let wait = Duration::from_secs(seconds).min(WAIT_MAX);
    (receives && empty && !wait.is_zero()).then_some(wait)
}

/// Looks again and again, until there is something, time is up, or nobody waits.
pub(super) async fn wait(
    clock: VirtualClock,
    cloud: SharedCloud,
    request: Request,
    patience: Duration,
    answer: oneshot::Sender<Answer>,
) {
    let end = later(clock.now(), patience);
    while !answer.is_canceled() {
        clock.sleep(INTERVAL).await;
        // A message handed to nobody would stay hidden for its visibility timeout.
        if answer.is_canceled() {
            return;
        }
        let found = serve(&mut lock(&cloud), &request);
        if clock.now() >= end || self::patience(&request, &found).is_none() {
            let _ = answer.send(found);
            return;
        }
    }
}
