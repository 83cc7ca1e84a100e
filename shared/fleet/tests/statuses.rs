//! Statuses as SSM documents them (SSM API reference, CommandFilter; User Guide, monitor-commands).

use fleetwright_fleet::{Outcome, Terminal};

/// Every status SSM documents, as prose and as the wire write it; and what it means for the node by an event alone,
/// and with a response code of -1 or another.
const DOCUMENTED: [(&str, Option<Terminal>); 19] = [
    ("Pending", None),
    ("InProgress", None),
    ("In Progress", None),
    ("Delayed", None),
    ("Cancelling", None),
    ("Success", Some(Terminal::Success)),
    ("Failed", Some(Terminal::Failed)),
    ("TimedOut", Some(Terminal::TimedOut)),
    ("Execution Timed Out", Some(Terminal::ExecutionTimedOut)),
    ("ExecutionTimedOut", Some(Terminal::ExecutionTimedOut)),
    ("DeliveryTimedOut", Some(Terminal::DeliveryTimedOut)),
    ("Delivery Timed Out", Some(Terminal::DeliveryTimedOut)),
    ("Cancelled", Some(Terminal::Cancelled)),
    ("Undeliverable", Some(Terminal::Undeliverable)),
    ("Terminated", Some(Terminal::Terminated)),
    ("InvalidPlatform", Some(Terminal::InvalidPlatform)),
    ("AccessDenied", Some(Terminal::AccessDenied)),
    ("RateExceeded", Some(Terminal::LimitExceeded)),
    ("SomethingNew", Some(Terminal::Unrecognised)),
];

#[test]
fn every_documented_status_is_read_with_and_without_spaces() {
    for (text, status) in DOCUMENTED {
        assert_eq!(Terminal::from_wire(text), status, "{text}");
    }
}

#[test]
fn every_status_reads_back_from_its_own_word() {
    for status in Terminal::ALL {
        assert_eq!(Terminal::from_wire(status.as_str()), Some(status));
    }
}

#[test]
fn what_may_have_run_is_unknown_and_never_failed_or_not_run() {
    for status in [Terminal::DeliveryTimedOut, Terminal::Undeliverable, Terminal::Unrecognised] {
        for started in [None, Some(false), Some(true)] {
            assert_eq!(status.outcome(started), Outcome::Unknown, "{status:?} {started:?}");
        }
    }
}

#[test]
fn a_cancelled_node_ran_or_not_by_its_response_code() {
    assert_eq!(Terminal::Cancelled.outcome(Some(false)), Outcome::NotRun);
    assert_eq!(Terminal::Cancelled.outcome(Some(true)), Outcome::Failed);
    assert_eq!(Terminal::Cancelled.outcome(None), Outcome::Unknown);
}

#[test]
fn errors_are_what_ssm_counts_to_max_errors() {
    let errors: Vec<_> = Terminal::ALL.into_iter().filter(|status| status.counts_as_error()).collect();
    assert_eq!(errors, [Terminal::Failed, Terminal::ExecutionTimedOut]);
}
