//! The budgets that can be counted.

use fleetwright_bench::budgets::{
    BURST_REQUESTS, BURST_UNITS, Budget, FINISHED_ITEMS, FOLD_REQUESTS, HOT_KEY, RUNNING_REQUESTS,
    STEP_CALLS, STEP_ROUNDS, THROTTLED,
};
use fleetwright_bench::burst::{self, COMMANDS, EVENTS};
use fleetwright_bench::{rivals, step_change, summary, targets};

fn held(budget: Budget, measure: f64) {
    assert!(budget.is_kept(measure), "{budget:?}: {measure}");
}

#[test]
fn a_step_goes_on_in_six_calls_and_three_rounds() {
    let change = step_change::measure();
    let [fold, load, commit, send, records @ ..] = change.calls.as_slice() else { panic!("{change:?}") };
    assert_eq!(
        [fold, load, commit, send].map(String::as_str),
        ["dynamodb:UpdateItem", "dynamodb:BatchGetItem", "dynamodb:TransactWriteItems", "ssm:SendCommand"]
    );
    assert_eq!(records, ["dynamodb:UpdateItem"; 2]);
    assert!(change.records_at_once, "{change:?}");
    held(STEP_CALLS, change.calls.len() as f64);
    held(STEP_ROUNDS, change.rounds_before_send as f64);
}

#[test]
fn a_burst_is_folded_by_command_and_batch() {
    let burst = burst::measure();
    let each = |total: f64| total / EVENTS as f64;
    assert!(burst.fold_requests >= COMMANDS, "{burst:?}");
    held(FOLD_REQUESTS, each(burst.fold_requests as f64));
    held(BURST_REQUESTS, each(burst.requests as f64));
    held(BURST_UNITS, each(burst.write_units));
}

#[test]
fn others_take_a_request_for_each_event_and_up_to_four_units() {
    let (single, counter) = (rivals::one_request_per_event(), rivals::transaction_with_counter());
    assert_eq!((single.requests, single.units.write), (EVENTS, EVENTS as f64));
    assert_eq!((counter.requests, counter.units.write), (EVENTS, 4.0 * EVENTS as f64));
}

#[test]
fn no_key_of_a_command_by_targets_is_hot() {
    let targets = targets::measure();
    held(HOT_KEY, targets.units_a_second);
    held(THROTTLED, targets.throttled as f64);
}

#[test]
fn a_summary_reads_no_node_by_itself() {
    let read = summary::measure();
    held(FINISHED_ITEMS, read.finished.items as f64);
    held(RUNNING_REQUESTS, read.running.requests as f64);
}
