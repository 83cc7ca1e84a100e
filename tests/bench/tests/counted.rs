//! The budgets that can be counted.

use fleetwright_bench::burst::{self, EVENTS};
use fleetwright_bench::{rivals, step_change, summary, targets};

#[test]
fn a_step_goes_on_in_six_calls_and_three_rounds() {
    let change = step_change::measure();
    println!("{change:?}");
    assert!(change.calls.len() <= 6, "{:?}", change.calls);
    assert!(change.rounds_before_send <= 3, "{change:?}");
}

#[test]
fn a_burst_is_folded_by_command_and_batch() {
    let burst = burst::measure();
    println!("{burst:?}");
    println!("{:?}", rivals::one_request_per_event());
    println!("{:?}", rivals::transaction_with_counter());
    let per_event = |count: usize| count as f64 / EVENTS as f64;
    assert!(per_event(burst.fold_requests) <= 0.1, "{burst:?}");
    assert!(per_event(burst.requests) <= 0.12, "{burst:?}");
    assert!(burst.write_units / EVENTS as f64 <= 0.4, "{burst:?}");
}

#[test]
fn no_key_of_a_command_by_targets_is_hot() {
    let targets = targets::measure();
    println!("{targets:?}");
    assert!(targets.units_a_second <= 500.0 && targets.throttled == 0, "{targets:?}");
}

#[test]
fn a_summary_reads_no_node_by_itself() {
    let read = summary::measure();
    println!("{read:?}");
    assert!(read.running.requests <= 3 && read.finished.items <= 20, "{read:?}");
}
