//! What happened at least sometimes: a run in which nothing went wrong proves nothing.

use serde::Serialize;
use std::collections::BTreeMap;

/// How often each thing that must happen sometimes did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Sometimes(BTreeMap<&'static str, u64>);

impl Sometimes {
    /// It happened.
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what).or_default() += count;
        }
    }

    /// How often it happened.
    #[must_use]
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// Each thing with how often it happened, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(what, count)| (*what, *count))
    }
}

/// What must come about in a thousand seeds: every kind of fault, every turn of a send, a step and an execution.
const MUST: [&str; 82] = [
    "SSM asked for commands",
    "SSM asked for invocations",
    "a CancelCommand that failed",
    "a SendCommand: applied, and no answer",
    "a SendCommand: its caller died",
    "a SendCommand: not applied, and no answer",
    "a closed step contradicted",
    "a command cancelled",
    "a command in chunks",
    "a command recorded before its first event",
    "a command settled",
    "a command settled again",
    "a further attempt of a step",
    "a look that found nothing",
    "a second command found",
    "a send ended Unknown",
    "a send halted",
    "a send planned",
    "a send: refused to ended",
    "a send: refused to trying",
    "a send: sent to ended",
    "a send: trying to ended",
    "a send: trying to refused",
    "a send: trying to sent",
    "a step Waiting",
    "a step ended Cancelled",
    "a step ended Failed",
    "a step ended Success",
    "a step ended TimedOut",
    "a step opened",
    "a stop accepted",
    "a wake sent",
    "an event before its command was recorded",
    "an execution Cancelling",
    "an execution InProgress again",
    "an execution Waiting",
    "an execution ended Cancelled",
    "an execution ended Failed",
    "an execution ended Success",
    "an execution ended TimedOut",
    "an execution started",
    "fault: clock off",
    "fault: connection lost, applied",
    "fault: connection lost, not applied",
    "fault: crash after a call",
    "fault: crash before a call",
    "fault: delivery delayed",
    "fault: delivery dropped",
    "fault: delivery duplicated",
    "fault: delivery twice at once",
    "fault: no answer, applied",
    "fault: no answer, not applied",
    "fault: service's own error, applied",
    "fault: service's own error, not applied",
    "fault: slow to answer",
    "fault: slow to apply",
    "fault: throttled",
    "fault: time ran out early",
    "fault: transaction conflict",
    "two terminal statuses of one node",
    "workload: SSM hides a command",
    "workload: SSM lags for long",
    "workload: a branch",
    "workload: a clean-up",
    "workload: a command by tag",
    "workload: a command through our API",
    "workload: a loop",
    "workload: a pause",
    "workload: a report that is not true",
    "workload: a retry of failed nodes",
    "workload: a sleep",
    "workload: a stop at a send",
    "workload: a stop at a slow try",
    "workload: an approval",
    "workload: events of all nodes",
    "workload: everything comes again",
    "workload: everything comes again too late",
    "workload: indexes lag",
    "workload: no nodes",
    "workload: poison",
    "workload: several attempts",
    "workload: several executions",
];

/// What should have come about and did not.
#[must_use]
pub fn missing(sometimes: &Sometimes) -> Vec<&'static str> {
    MUST.into_iter().filter(|what| sometimes.of(what) == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_in_which_nothing_happened_misses_everything() {
        assert_eq!(missing(&Sometimes::default()), MUST);
        let mut once = Sometimes::default();
        once.count(MUST[0]);
        assert_eq!(missing(&once), MUST[1..]);
    }
}
