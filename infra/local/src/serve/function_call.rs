//! A call of AWS by a function outside: it takes its time, and what may happen to it, like that of one inside.

use futures::channel::oneshot;

use crate::call::{Caller, Reply};
use crate::clock::VirtualClock;
use crate::cloud::{SharedCloud, lock};
use crate::protocol::{Answer, Request};

/// Applies a request and answers it, if the function is still there.
pub(super) async fn call(
    clock: VirtualClock,
    cloud: SharedCloud,
    caller: Caller,
    request: Request,
    answer: oneshot::Sender<Answer>,
) {
    let (name, action) = (caller.name.clone(), request.action());
    let (reply, replied) = oneshot::channel();
    lock(&cloud).begin(caller, request, reply);
    // A crash that was drawn for the function: over HTTP, its connection is closed.
    let Ok(Reply { outcome, after }) = replied.await else { return };
    clock.sleep(after).await;
    let lost = |_| Answer::error(503, "ServiceUnavailable", "the answer was lost");
    if answer.send(outcome.unwrap_or_else(lost)).is_err() {
        lock(&cloud).counters.call(&name, &action).unheard += 1;
    }
}
