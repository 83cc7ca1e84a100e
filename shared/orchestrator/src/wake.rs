//! Wakes: a delayed message with an execution id, meaning *look*. A hint, not an effect (protocols, P2).

use crate::{Error, Operation, Orchestrator};
use fleetwright_engine::ExecutionId;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

/// SQS delays a message by at most so much (SQS API reference, SendMessage.DelaySeconds).
const DELAY_MAX_S: i64 = 900;
/// A wake so near to the wanted moment will do.
const NEAR: SignedDuration = SignedDuration::from_secs(1);

impl Orchestrator {
    /// Has the execution looked at when `at` has come; not at all if that is further off than a message can wait.
    /// A wake that fails is not missed: reconcile is the net.
    pub(crate) async fn wake(&self, execution: &ExecutionId, at: Timestamp) {
        let ahead = at.duration_since(self.now()).max(SignedDuration::ZERO);
        // Rounded up: a wake that comes early would only be sent again.
        let delay_s = ahead.as_secs() + i64::from(ahead.subsec_nanos() > 0);
        let (Some(queue), true) = (&self.config.prompt_queue_url, delay_s <= DELAY_MAX_S) else { return };
        let comes_at = self.now() + SignedDuration::from_secs(delay_s);
        if self.is_to_be_woken(execution, comes_at) {
            return;
        }
        let sent = self
            .clients
            .sqs
            .send_message()
            .queue_url(queue)
            .delay_seconds(i32::try_from(delay_s).unwrap_or(0))
            .message_body(json!({ "fleetwright": "wake", "execution": execution.as_str() }).to_string())
            .send()
            .await;
        match sent {
            Ok(_) => {
                if let Ok(mut wakes) = self.wakes.lock() {
                    wakes.insert((execution.clone(), comes_at));
                }
            }
            Err(error) => {
                let error = Error::of(Operation::SendMessage, &error);
                tracing::warn!(execution = %execution, %error, "a wake was not sent; reconcile will look");
            }
        }
    }

    /// Whether this environment has sent a wake that is still to come at about that moment. Else each copy of a message
    /// that comes twice would begin a chain of wakes of its own, and each of theirs another.
    fn is_to_be_woken(&self, execution: &ExecutionId, at: Timestamp) -> bool {
        let now = self.now();
        let Ok(mut wakes) = self.wakes.lock() else { return false };
        wakes.retain(|(_, comes_at)| *comes_at > now);
        wakes.iter().any(|(woken, comes_at)| woken == execution && comes_at.duration_since(at).abs() <= NEAR)
    }
}
