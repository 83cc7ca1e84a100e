//! The budgets that can be counted.

use fleetwright_bench::budgets::{
    BURST_REQUESTS, BURST_UNITS, Budget, FINISHED_ITEMS, FOLD_REQUESTS, HOT_KEY, RUNNING_REQUESTS,
    STEP_CALLS, STEP_ROUNDS, THROTTLED,
};
use fleetwright_bench::burst::{self, COMMANDS, EVENTS};
use fleetwright_bench::{rivals, step_change, summary, targets, warm_up};

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

#[test]
fn what_opens_connections_is_one_call_to_each_service() {
    let read = warm_up::measure(api::READ_OPERATIONS);
    assert_eq!(read, ["dynamodb:GetItem"], "who reads has SSM for outputs alone");
    for leads_on in [on_command_event::OPERATIONS, reconcile::OPERATIONS, api::CONTROL_OPERATIONS] {
        assert_eq!(warm_up::measure(leads_on), ["dynamodb:GetItem", "ssm:ListCommands"]);
    }
}

#[test]
fn a_function_starts_where_nobody_answers() {
    warm_up::in_silence(on_command_event::OPERATIONS);
}
