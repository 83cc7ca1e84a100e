//! Whose command is it? A notification may come before anybody has written that down; and two handlers may be the last
//! to finish the same step (protocols, P3 and P4).

use fleetwright_local::fleet::{Behaviour, Fleet, Span};
use fleetwright_local::ssm::SsmOptions;
use fleetwright_local::{Cloud, TABLE};
use fleetwright_protocols::{Run, Story, on, runbooks, text};
use jiff::SignedDuration;
use std::sync::Arc;
use std::time::Duration;

/// Nodes that are done this soon after they were told.
fn quick(nodes: usize, milliseconds: i64) -> Fleet {
    let mut fleet = Fleet::plain(nodes, 1);
    let duration = Span::millis(milliseconds, milliseconds);
    for node in fleet.nodes_mut() {
        node.behaviours = Arc::new([Behaviour { duration, ..Behaviour::default() }]);
    }
    fleet
}

/// Whether facts about a command are stored whose owner nobody has written.
fn has_ownerless_facts(cloud: &Cloud) -> bool {
    let items = cloud.dynamodb.items(TABLE).expect("the table");
    items.iter().any(|item| {
        text(item, "sk") == Some("CMD")
            && item.get("owner_token").is_none()
            && item.get("nodes_Success").is_some()
    })
}

fn took(run: &mut Run, from: jiff::Timestamp) -> SignedDuration {
    run.end().duration_since(from)
}

#[test]
fn a_calm_run_of_two_steps_runs_every_node_once_in_each() {
    let mut run = Story::new().nodes(4).runbook(runbooks::TWO_STEPS).play();
    assert_eq!(run.status(), "Success");
    run.each_node_ran_once_in_each_of(2);
    run.check();
}

#[test]
fn nodes_that_are_done_before_send_command_has_answered_are_not_forgotten() {
    let mut run = Story::new()
        .fleet(quick(5, 200))
        .runbook(runbooks::TWO_STEPS)
        .call(on("SendCommand").slow_answer(Duration::from_secs(8)))
        .deploy();
    let began = run.now();
    run.start_without_waiting();
    run.until(has_ownerless_facts);
    run.find();
    // The events were acknowledged; what goes on is whoever records the command, not the next reconcile.
    assert!(took(&mut run, began) < SignedDuration::from_secs(40));
    assert_eq!(run.status(), "Success");
    run.each_node_ran_once_in_each_of(2);
    run.check();
}

#[test]
fn a_command_that_learns_its_owner_after_its_events_goes_on_by_that_write() {
    let mut run = Story::new()
        .fleet(quick(5, 200))
        .call(on("UpdateItem").about("owner_execution").slow(Duration::from_secs(4)))
        .start();
    let end = run.end();
    assert!(end.duration_since(run.commands()[0].requested_at) < SignedDuration::from_secs(20));
    assert_eq!(run.status(), "Success");
    run.check();
}

#[test]
fn a_send_that_learns_its_command_after_the_events_is_told_by_them() {
    let mut run = Story::new()
        .fleet(quick(5, 200))
        .call(on("UpdateItem").about("command_id").slow(Duration::from_secs(25)))
        .deploy();
    run.start_without_waiting();
    run.until(|cloud| {
        cloud.ssm.ledger().commands().first().is_some_and(|command| command.ended_at.is_some())
    });
    run.find();
    let sent = run.commands()[0].requested_at;
    // The event found the command's owner and named the command on the send, long before the slow write came.
    assert!(took(&mut run, sent) < SignedDuration::from_secs(15));
    assert_eq!(run.status(), "Success");
    run.check();
}

#[test]
fn a_command_status_that_comes_before_the_record_is_enough_when_no_node_is_heard_of() {
    let mut run = Story::new()
        .fleet(quick(5, 200))
        .deployed(|options| options.notifications = false)
        .call(on("SendCommand").slow_answer(Duration::from_secs(8)))
        .start();
    run.end_within(Duration::from_secs(60));
    assert_eq!(run.status(), "Success");
    assert_eq!(run.number("first", "SuccessCount"), 5);
    run.check();
}

/// A hundred nodes, two commands, and every node ends at the same moment: two handlers see the step's last send end.
fn neck_and_neck(seed: u64) -> Story {
    Story::new()
        .seed(seed)
        .fleet(quick(100, 5_000))
        .runbook(runbooks::WIDE_STEP)
        .ssm(|ssm| *ssm = SsmOptions::exact())
}

#[test]
fn two_handlers_that_finish_the_last_two_sends_at_once_close_the_step_once() {
    let mut raced = 0;
    for seed in 1..=8 {
        let mut run = neck_and_neck(seed).play();
        assert_eq!(run.status(), "Success");
        assert_eq!(run.number("first", "SuccessCount"), 100);
        assert_eq!(run.execution()["StepExecutions"].as_array().expect("steps").len(), 1);
        run.each_node_ran_once_in_each_of(1);
        raced += refused_commits(&run);
        run.check();
    }
    assert!(raced > 0, "no two handlers ever met; the story is not told");
}

#[test]
fn a_handler_whose_commit_comes_a_second_late_reads_again_what_the_other_one_did() {
    for commit in 2..=3 {
        let mut run =
            neck_and_neck(1).call(on("TransactWriteItems").nth(commit).slow(Duration::from_secs(1))).start();
        let end = run.end();
        let ended = run.commands().iter().filter_map(|command| command.ended_at).max().expect("over");
        assert!(end.duration_since(ended) < SignedDuration::from_secs(10), "it took a reconcile to go on");
        assert_eq!(run.status(), "Success");
        run.each_node_ran_once_in_each_of(1);
        run.check();
    }
}

#[test]
fn a_step_of_five_commands_ends_with_every_node_counted_once() {
    let mut run = Story::new().nodes(230).runbook(runbooks::WIDE_STEP).start();
    run.end();
    assert_eq!(run.status(), "Success");
    assert_eq!(run.number("first", "TargetCount"), 230);
    assert_eq!(run.number("first", "SuccessCount"), 230);
    let running = most_at_once(&run);
    assert!(running <= 100, "MaxConcurrency is 100, {running} nodes ran at once");
    run.each_node_ran_once_in_each_of(1);
    run.check();
}

fn refused_commits(run: &Run) -> u64 {
    let cloud = run.cloud();
    let counts = cloud.counters.calls.values().filter_map(|calls| calls.get("dynamodb:TransactWriteItems"));
    counts.map(|count| count.refused).sum()
}

fn most_at_once(run: &Run) -> usize {
    let runs = run.runs();
    let running_at = |at| {
        let running = runs.iter().filter(|run| run.began <= at && run.end.is_none_or(|(end, _)| end > at));
        running.count()
    };
    runs.iter().map(|run| running_at(run.began)).max().unwrap_or(0)
}
