//! Waiting before a call is made again. The SDK's own retries are off: they are unseeded, and would send a command
//! twice.

use crate::Entropy;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep};
use std::sync::Arc;
use std::time::Duration;

/// How often a call that may be repeated is made in all.
pub(crate) const CALLS_MAX: u32 = 3;
/// The longest first wait, in milliseconds; it doubles with each failure.
const FIRST_MS_MAX: u64 = 200;

/// Full jitter over an exponential back-off, by the clock the clients run by.
#[derive(Debug, Clone)]
pub(crate) struct BackOff {
    sleep: SharedAsyncSleep,
    entropy: Arc<dyn Entropy>,
}

impl BackOff {
    pub(crate) const fn new(sleep: SharedAsyncSleep, entropy: Arc<dyn Entropy>) -> Self {
        Self { sleep, entropy }
    }

    /// Waits after so many failures, the first being 1.
    pub(crate) async fn wait(&self, failures: u32) {
        let ceiling = FIRST_MS_MAX << failures.min(6).saturating_sub(1);
        self.sleep.sleep(Duration::from_millis(20 + self.entropy.below(ceiling))).await;
    }
}
