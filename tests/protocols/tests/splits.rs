//! Sends that are split down to a bad node id, and further sends planned while others finish (P3).

use fleetwright_local::fleet::{Agent, Fleet};
use fleetwright_local::ssm::Outcome;
use fleetwright_protocols::{CallRule, Run, Story, on, runbooks, steady_fleet};
use std::collections::{BTreeMap, BTreeSet};

/// A fleet in which SSM does not know the nodes at these places any more.
fn fleet_with_bad(nodes: usize, bad: &[usize]) -> Fleet {
    let mut fleet = steady_fleet(nodes, 10);
    for at in bad {
        fleet.nodes_mut()[*at].agent = Agent::Unregistered;
    }
    fleet
}

/// One step with these bounds.
fn bounded(concurrency: &str, errors: &str) -> String {
    let bounds =
        format!("MaxConcurrency: \"{concurrency}\"\n      MaxErrors: \"{errors}\"\n      Parameters");
    runbooks::ONE_STEP.replace("Parameters", &bounds)
}

/// Nodes that did not succeed, by outcome, as the results API shows them.
fn shown(run: &mut Run) -> BTreeMap<String, BTreeSet<String>> {
    let mut by_outcome: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in run.summary()[0]["Nodes"].as_array().expect("nodes") {
        let text = |member: &str| node[member].as_str().expect("text").to_owned();
        by_outcome.entry(text("Outcome")).or_default().insert(text("InstanceId"));
    }
    by_outcome
}

/// Holds that the nodes at these places did not run, and all others did, each once.
fn all_but_ran_once(run: &mut Run, bad: &[usize]) {
    let nodes = run.nodes();
    let bad: BTreeSet<String> = bad.iter().map(|at| nodes[*at].clone()).collect();
    let times = run.times_run();
    assert_eq!(times.len(), nodes.len() - bad.len(), "{times:?}");
    for ((_, node), count) in times {
        assert!(!bad.contains(&node) && count == 1, "{node} ran {count} times");
    }
    assert_eq!(shown(run), BTreeMap::from([("NotRun".to_owned(), bad)]));
}

/// The most nodes that commands under way had at the same time.
fn most_at_once(run: &Run) -> usize {
    let commands = run.commands();
    let live_at = |at| {
        let live = commands.iter().filter(|c| c.requested_at <= at && c.ended_at.is_none_or(|end| at < end));
        live.map(|command| command.nodes.len()).sum()
    };
    commands.iter().map(|command| live_at(command.requested_at)).max().unwrap_or(0)
}

fn fail(run: &Run, nodes: &[usize]) {
    let ids = run.nodes();
    for at in nodes {
        run.cloud().ssm.script(&ids[*at], "*", Outcome::Failed(3));
    }
}

#[test]
fn one_bad_node_among_fifty_is_not_run_and_the_others_run_once() {
    let mut run = Story::new().fleet(fleet_with_bad(50, &[17])).play();
    assert_eq!(run.status(), "Failed");
    let message = run.step("first")["FailureMessage"].as_str().expect("a message").to_owned();
    assert!(message.contains("1 of 50") && message.contains("InvalidInstanceId"), "{message}");
    all_but_ran_once(&mut run, &[17]);
    let calls = run.applied("ssm:SendCommand");
    assert!(calls <= 13, "{calls} calls to find one node of fifty");
    run.check();
}

#[test]
fn a_bad_node_counts_against_max_errors_in_the_verdict_only() {
    let mut run = Story::new().fleet(fleet_with_bad(50, &[0])).runbook(&bounded("50", "1")).play();
    assert_eq!(run.status(), "Success");
    all_but_ran_once(&mut run, &[0]);
    run.check();
}

#[test]
fn several_bad_nodes_are_each_found() {
    let bad = [0, 24, 25, 49, 66];
    let mut run = Story::new().fleet(fleet_with_bad(70, &bad)).play();
    assert_eq!(run.status(), "Failed");
    all_but_ran_once(&mut run, &bad);
    run.check();
}

#[test]
fn where_all_nodes_are_bad_nothing_runs_and_the_step_fails() {
    let all: Vec<usize> = (0..30).collect();
    let mut run = Story::new().fleet(fleet_with_bad(30, &all)).play();
    assert_eq!(run.status(), "Failed");
    assert_eq!(run.number("first", "NotRunCount"), 30);
    assert!(run.commands().is_empty());
    run.check();
}

/// The story of one bad node with something going wrong on the way: it comes to the same.
fn comes_to_the_same(rule: CallRule) {
    let told = format!("{rule:?}");
    let mut run = Story::new().fleet(fleet_with_bad(50, &[31])).call(rule).play();
    println!("{told}");
    assert_eq!(run.status(), "Failed");
    all_but_ran_once(&mut run, &[31]);
    run.check();
}

#[test]
fn a_crash_before_or_after_a_commit_that_splits_comes_to_the_same() {
    for nth in 1..=4 {
        comes_to_the_same(on("TransactWriteItems").nth(nth).crash_before());
        comes_to_the_same(on("TransactWriteItems").nth(nth).crash_after());
    }
}

#[test]
fn a_crash_before_or_after_send_command_of_a_half_comes_to_the_same() {
    for nth in 1..=5 {
        comes_to_the_same(on("SendCommand").nth(nth).crash_before());
        comes_to_the_same(on("SendCommand").nth(nth).crash_after());
    }
}

#[test]
fn a_crash_while_a_refusal_is_written_comes_to_the_same() {
    comes_to_the_same(on("UpdateItem").about("refused").nth(1).crash_before());
    comes_to_the_same(on("UpdateItem").about("refused").nth(2).crash_after());
}

#[test]
fn further_sends_are_planned_as_others_finish_and_never_more_nodes_at_once_than_allowed() {
    let mut run = Story::new().nodes(120).runbook(&bounded("60", "0")).play();
    assert_eq!(run.status(), "Success");
    let most = most_at_once(&run);
    assert!((51..=60).contains(&most), "{most} at once");
    run.each_node_ran_once_in_each_of(1);
    run.check();
}

#[test]
fn a_share_of_the_targets_is_rounded_down_and_at_least_one_node_goes_on() {
    for (nodes, share, expected) in [(7, "50%", 3), (5, "10%", 1), (9, "100%", 9)] {
        let mut run = Story::new().nodes(nodes).runbook(&bounded(share, "0")).play();
        assert_eq!(run.status(), "Success");
        assert_eq!(most_at_once(&run), expected, "{share} of {nodes}");
        run.check();
    }
}

#[test]
fn beyond_max_errors_no_further_send_leaves_and_what_runs_is_let_run() {
    // Fifty and ten at once; five of the first fifty fail while the ten still run.
    let mut fleet = steady_fleet(120, 30);
    let longer = steady_fleet(1, 300).nodes()[0].behaviours.clone();
    for node in &mut fleet.nodes_mut()[50..60] {
        node.behaviours = longer.clone();
    }
    let mut run = Story::new().fleet(fleet).runbook(&bounded("60", "4")).deploy();
    fail(&run, &[1, 2, 3, 4, 5]);
    run.start();
    run.end();
    assert_eq!(run.status(), "Failed");
    let counts = ["SuccessCount", "FailedCount", "NotRunCount"].map(|name| run.number("first", name));
    assert_eq!(counts, [55, 5, 60]);
    assert_eq!(run.number("first", "SuccessPercentage"), 45, "55 of 120, rounded down");
    assert!(run.commands().iter().all(|command| command.cancelled_at.is_none()));
    run.check();
}

#[test]
fn max_errors_as_a_share_is_of_the_steps_targets_rounded_down() {
    for (failing, status) in [(vec![3], "Success"), (vec![3, 4], "Failed")] {
        let mut run = Story::new().fleet(steady_fleet(19, 10)).runbook(&bounded("50", "10%")).deploy();
        fail(&run, &failing);
        run.start();
        run.end();
        assert_eq!(run.status(), status, "{} of 19 failed, 10% may", failing.len());
        run.check();
    }
}

#[test]
fn each_further_send_passes_the_errors_that_are_left() {
    let mut run = Story::new().fleet(steady_fleet(120, 20)).runbook(&bounded("50", "5")).deploy();
    fail(&run, &[0, 60]);
    run.start();
    run.end();
    assert_eq!(run.status(), "Success");
    let mut sends = run.sends();
    sends.sort_by_key(|send| send.item["last_try_at"]["N"].as_str().map(str::to_owned));
    let passed: Vec<&str> = sends.iter().filter_map(|send| send.item["max_errors"]["S"].as_str()).collect();
    assert_eq!(passed, ["5", "4", "3"]);
    run.check();
}
