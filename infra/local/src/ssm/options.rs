//! What a simulated SSM does where the real one is slow, lossy, or not documented.

use crate::fleet::Span;

/// Settings of the model. `default()` is SSM on a good day; `exact()` has no lags at all.
#[derive(Clone, Debug, PartialEq)]
pub struct SsmOptions {
    /// Account in ARNs and events.
    pub account: String,
    /// Region in ARNs and events.
    pub region: String,
    /// From a change to the read that shows it. Drawn anew for each change; reads never go back.
    pub read_lag: Span,
    /// From the end of a patch operation to the DescribeInstancePatchStates that shows it.
    pub patch_state_lag: Span,
    /// From SendCommand to the first node being sent to; Targets are resolved then.
    pub resolve_lag: Span,
    /// From sending to some nodes to SSM sending to twice as many (facts: "exponentially sends to more nodes").
    pub acknowledge_lag: Span,
    /// From sending to a node to its agent beginning.
    pub delivery_lag: Span,
    /// From CancelCommand to the node having stopped.
    pub cancel_lag: Span,
    /// From a change to its notification.
    pub event_lag: Span,
    /// Part of the notifications that are never sent, 0 to 1.
    pub event_loss: f64,
    /// Part of the notifications that are sent twice, 0 to 1.
    pub event_duplication: f64,
    /// Which kinds of notifications there are.
    pub notifications: Notifications,
    /// A cancelled command forgets the invocations that had not been sent: fewer invocations than TargetCount.
    pub cancelled_hides_unstarted: bool,
    /// Part of the running invocations that a cancel doesn't stop ("there is no guarantee"), 0 to 1.
    pub cancel_ineffective: f64,
    /// Part of the Undeliverable invocations that ran all the same, 0 to 1.
    pub undeliverable_runs_anyway: f64,
    /// Part of the DeliveryTimedOut invocations that ran, with only the answer lost, 0 to 1.
    pub delivery_timed_out_runs_anyway: f64,
    /// Nodes nothing reached get DeliveryTimedOut after TimeoutSeconds instead of at ExpiresAfter (the API reference
    /// says the one of invocations and the other of commands).
    pub undelivered_ends_at_timeout_seconds: bool,
    /// More targets than this, and a command ends as LimitExceeded before it runs anywhere. The real limit is not published.
    pub pending_invocation_limit: Option<usize>,
}

/// Which notifications SSM publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notifications {
    /// SNS messages of commands with a NotificationConfig.
    pub sns: bool,
    /// EventBridge events of commands.
    pub command_events: bool,
    /// EventBridge events of invocations.
    pub invocation_events: bool,
    /// Also for invocations that never began (Terminated, Undeliverable, InvalidPlatform, AccessDenied), which no
    /// document promises.
    pub unstarted: bool,
    /// EventBridge events say `Undeliverable` and `Terminated` where the invocation's status is `Failed`, as rules in
    /// the field expect.
    pub details_in_events: bool,
}

impl Default for Notifications {
    fn default() -> Self {
        Self {
            sns: true,
            command_events: true,
            invocation_events: true,
            unstarted: true,
            details_in_events: false,
        }
    }
}

impl Default for SsmOptions {
    fn default() -> Self {
        Self {
            read_lag: Span::millis(50, 800),
            patch_state_lag: Span::millis(50, 1500),
            resolve_lag: Span::millis(100, 600),
            acknowledge_lag: Span::millis(100, 300),
            delivery_lag: Span::millis(200, 1500),
            cancel_lag: Span::millis(500, 4000),
            event_lag: Span::millis(50, 900),
            ..Self::exact()
        }
    }
}

impl SsmOptions {
    /// No lags, no losses: everything happens, and can be read, at once.
    pub fn exact() -> Self {
        Self {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            read_lag: Span::ZERO,
            patch_state_lag: Span::ZERO,
            resolve_lag: Span::ZERO,
            acknowledge_lag: Span::ZERO,
            delivery_lag: Span::ZERO,
            cancel_lag: Span::ZERO,
            event_lag: Span::ZERO,
            event_loss: 0.0,
            event_duplication: 0.0,
            notifications: Notifications::default(),
            cancelled_hides_unstarted: false,
            cancel_ineffective: 0.0,
            undeliverable_runs_anyway: 0.0,
            delivery_timed_out_runs_anyway: 0.0,
            undelivered_ends_at_timeout_seconds: false,
            pending_invocation_limit: None,
        }
    }
}
