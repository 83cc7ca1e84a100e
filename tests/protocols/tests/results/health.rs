//! Whether executions are looked after, as the API tells it.

use super::*;
use fleetwright_protocols::{on, ticks};
use fleetwright_wire::results::Health;
use std::time::Duration;

fn health(run: &mut Run) -> Health {
    read(&run.fetch("/health", ""))
}

#[test]
fn reconcile_leaves_word_each_minute_and_never_of_an_earlier_one() {
    let mut run = Story::new().deploy();
    let fresh = health(&mut run);
    assert_eq!((fresh.last_reconcile_at, fresh.oldest_due_at), (None, None));
    run.pass(SignedDuration::from_secs(150));
    let after = health(&mut run);
    let last = after.last_reconcile_at.expect("it ran");
    assert_eq!(last.as_second() % 60, 0, "the schedule's own time");
    assert!(after.now.duration_since(last) < SignedDuration::from_mins(1), "{after:?}");
    let handled = after.last_reconcile_handled_at.expect("it ran");
    assert!(handled >= last && handled <= after.now, "{after:?}");
}

#[test]
fn a_tick_that_comes_late_does_not_put_the_heartbeat_back() {
    // The first minute's tick arrives after the second's.
    let mut run = Story::new().delivery(ticks().nth(1).late(Duration::from_secs(80))).deploy();
    let begun = run.now();
    run.pass(SignedDuration::from_secs(175));
    assert_eq!(run.cloud().counters.functions["reconcile"].invocations, 2);
    let last = health(&mut run).last_reconcile_at.expect("it ran");
    assert!(last.duration_since(begun) > SignedDuration::from_mins(1), "{last}");
}

#[test]
fn a_heartbeat_that_cannot_be_written_fails_no_tick() {
    let mut run = Story::new().deploy();
    run.from_now(on("UpdateItem").by("reconcile").about("HEALTH").each().throttle());
    run.pass(SignedDuration::from_mins(3));
    assert_eq!(health(&mut run).last_reconcile_at, None);
    assert_eq!(run.cloud().counters.functions["reconcile"].errors, 0);
    run.calm();
    run.pass(SignedDuration::from_mins(1));
    assert!(health(&mut run).last_reconcile_at.is_some(), "the next minute's is written");
}
