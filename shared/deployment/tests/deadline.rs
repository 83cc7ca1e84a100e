//! When an invocation is cut off.

use fleetwright_deployment::deadline;
use jiff::{SignedDuration, Timestamp};
use lambda_runtime::Context;

fn cut_off(told: u64) -> Timestamp {
    let mut context = Context::default();
    context.deadline = told;
    deadline(&context)
}

#[test]
fn lambda_tells_the_moment() {
    let moment: Timestamp = "2026-11-21T12:00:00.25Z".parse().expect("a moment");
    assert_eq!(cut_off(u64::try_from(moment.as_millisecond()).expect("after 1970")), moment);
    assert_eq!(cut_off(u64::MAX), Timestamp::MAX, "a moment no clock reaches");
}

#[test]
fn a_time_that_is_no_moment_is_what_is_left() {
    let ten_minutes = SignedDuration::from_mins(10);
    let (without, with) = (cut_off(0), cut_off(600_000));
    assert!(with.duration_since(without) >= ten_minutes, "cargo lambda watch gives ten minutes, not {with}");
    assert!(without > "2026-01-01T00:00:00Z".parse().expect("a moment"), "no time is left, of the present");
}
