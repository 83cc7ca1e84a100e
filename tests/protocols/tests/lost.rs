//! Events are hints: lost, repeated and shuffled ones change nothing about the end (G2, G3). And a run is a function of
//! its seed.

use fleetwright_local::ssm::Outcome;
use fleetwright_protocols::{DeliveryFault, Failure, Run, Story, any_call, events, messages, on, runbooks};
use serde_json::Value;
use std::time::Duration;

/// Sixty nodes; some fail, one hangs, one cannot be reached, one is never heard of. What each does is set, so that two
/// runs differ only in what they are told.
fn mixed() -> Story {
    Story::new().nodes(60).runbook(runbooks::RETRY_FAILED)
}

fn set_outcomes(run: &Run) {
    let nodes: Vec<String> = run.cloud().ssm.node_ids().map(str::to_owned).collect();
    let mut cloud = run.cloud();
    for (index, node) in nodes.iter().enumerate() {
        let outcome = match index {
            3 | 17 | 41 | 55 => Outcome::Failed(2),
            9 => Outcome::ExecutionTimedOut,
            22 => Outcome::Undeliverable { runs: false },
            58 => Outcome::DeliveryTimedOut { runs: true },
            _ => Outcome::Success,
        };
        cloud.ssm.script(node, "*", outcome);
    }
}

/// Plays it to the end, whatever it is told; what its user sees then.
fn told(story: Story, limit: Duration) -> (String, Value, Run) {
    let mut run = story.deploy();
    set_outcomes(&run);
    run.start();
    run.end_within(limit);
    let status = run.status();
    let aggregate = run.aggregate();
    run.check();
    (status, aggregate, run)
}

/// A command is over after its delivery and its execution timeout, an hour each, at the latest; two steps, each with
/// fifteen minutes more.
const BY_RECONCILE: Duration = Duration::from_secs(2 * (2 * 3600 + 900));

fn calm() -> (String, Value) {
    let (status, aggregate, _) = told(mixed(), BY_RECONCILE);
    assert_eq!(aggregate[0]["Counts"]["Failed"], 4);
    assert_eq!(aggregate[0]["Counts"]["TimedOut"], 1);
    assert_eq!(aggregate[0]["Counts"]["Unknown"], 2);
    assert_eq!(aggregate[1]["Counts"]["Failed"], 4, "those that failed once were tried again");
    (status, aggregate)
}

#[test]
fn with_every_event_lost_reconcile_alone_brings_every_execution_to_its_end() {
    let (status, aggregate) = calm();
    // SSM publishes nothing; what it publishes does not arrive; and not even our own wakes do.
    let silent = mixed().ssm(|ssm| ssm.event_loss = 1.0);
    let (told_status, told_aggregate, run) = told(silent, BY_RECONCILE);
    assert_eq!((&told_status, &told_aggregate), (&status, &aggregate));
    assert_eq!(run.cloud().counters.deliveries.get("topic").map_or(0, |count| count.delivered), 0);
    let deaf = mixed().delivery(messages().lost());
    let (told_status, told_aggregate, _) = told(deaf, BY_RECONCILE);
    assert_eq!((&told_status, &told_aggregate), (&status, &aggregate));
}

#[test]
fn with_half_of_the_events_lost_the_end_is_the_same() {
    let (status, aggregate) = calm();
    let half = mixed().delivery(events().with(|delivery| match delivery.index % 2 {
        0 => DeliveryFault::Drop,
        _ => DeliveryFault::Deliver,
    }));
    let (told_status, told_aggregate, _) = told(half, BY_RECONCILE);
    assert_eq!((told_status, told_aggregate), (status, aggregate));
}

#[test]
fn with_every_event_repeated_and_shuffled_the_end_is_the_same() {
    let (status, aggregate) = calm();
    // Up to eight minutes late: into the next step and past the end of the execution.
    let shuffled = mixed().delivery(events().with(|delivery| match delivery.index % 3 {
        0 => DeliveryFault::Duplicate(3),
        1 => DeliveryFault::Delay(Duration::from_secs(delivery.index * 7919 % 480)),
        _ => DeliveryFault::Duplicate(1),
    }));
    let (told_status, told_aggregate, run) = told(shuffled, BY_RECONCILE);
    assert_eq!((told_status, told_aggregate), (status, aggregate));
    run.each_target_ran_once();
}

#[test]
fn events_that_come_when_the_execution_is_long_over_change_nothing_in_the_table_but_what_they_say() {
    let late = Duration::from_secs(3 * 3600);
    let mut run = Story::new().runbook(runbooks::TWO_STEPS).delivery(events().repeated(2)).start();
    run.end();
    run.calm();
    let before = (run.item(), run.execution(), run.aggregate());
    run.pass(jiff::SignedDuration::try_from(late).expect("three hours"));
    assert_eq!((run.item(), run.execution(), run.aggregate()), before);
    run.each_node_ran_once_in_each_of(2);
    run.check();
}

#[test]
fn with_neither_topic_nor_event_rule_deployed_executions_end_all_the_same() {
    let mut run = Story::new()
        .runbook(runbooks::TWO_STEPS)
        .deployed(|options| {
            options.notifications = false;
            options.command_events = false;
        })
        .start();
    run.end_within(Duration::from_secs(15 * 60));
    assert_eq!(run.status(), "Success");
    run.each_node_ran_once_in_each_of(2);
    run.check();
}

/// A bad day: every so many calls and deliveries something goes wrong.
fn bad_day(seed: u64) -> Story {
    Story::new()
        .seed(seed)
        .nodes(60)
        .runbook(runbooks::TWO_STEPS)
        .ssm(|ssm| {
            ssm.event_loss = 0.2;
            ssm.event_duplication = 0.2;
        })
        .deployed(|options| options.keep_trace = true)
        .call(on("SendCommand").nth(2).fail_after(Failure::Reset))
        .call(any_call().when(|call| call.index % 37 == 5).each().crash_after())
        .call(any_call().when(|call| call.index % 23 == 7).first(4).fail_before(Failure::Http500))
        .delivery(events().with(|delivery| match delivery.index % 5 {
            0 => DeliveryFault::Drop,
            1 => DeliveryFault::Duplicate(2),
            2 => DeliveryFault::Delay(Duration::from_secs(30)),
            _ => DeliveryFault::Deliver,
        }))
}

#[test]
fn a_bad_day_is_the_same_bad_day_every_time_it_is_told() {
    let lines = |seed| {
        let mut run = bad_day(seed).start();
        run.end();
        let cloud = run.cloud();
        let lines: Vec<String> = cloud.trace.lines().iter().map(ToString::to_string).collect();
        (lines, cloud.trace.hash())
    };
    let ((first, hash), (second, again)) = (lines(5), lines(5));
    let differ = first.iter().zip(&second).position(|(one, other)| one != other);
    if let Some(at) = differ {
        panic!("line {at} differs:\n{}\n{}", first[at], second[at]);
    }
    assert_eq!((first.len(), hash), (second.len(), again));
    assert_ne!(hash, lines(6).1, "another seed is another day");
}

#[test]
fn bad_days_end_well() {
    for seed in 1..=6 {
        let mut run = bad_day(seed).start();
        run.end_within(Duration::from_secs(6 * 3600));
        assert_eq!(run.status(), "Success", "seed {seed}");
        run.each_node_ran_once_in_each_of(2);
        run.check();
    }
}
