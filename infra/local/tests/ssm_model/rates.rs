use super::support::{World, count, failing, fleet, steady};
use fleetwright_local::fleet::Span;
use fleetwright_local::ssm::{Outcome, SsmOptions};
use serde_json::json;
use std::collections::BTreeMap;

#[test]
fn it_ramps_up_exponentially_to_max_concurrency() {
    let options = SsmOptions { acknowledge_lag: Span::seconds(1, 1), ..SsmOptions::exact() };
    let mut world = World::new(fleet(40, &steady(100)), options);
    let id = world.send(&json!({"InstanceIds": world.ids(), "MaxConcurrency": "20"}));
    let mut running = Vec::new();
    for _ in 0..7 {
        world.pass(0);
        running.push(count(&world.details(&id), "InProgress"));
        world.pass(1000);
    }
    assert_eq!(running, [1, 3, 7, 15, 20, 20, 20]);
    // The first is done after 100 s, and one more begins.
    world.pass(100_000 - 7000);
    assert_eq!(count(&world.details(&id), "InProgress"), 20);
    assert_eq!(count(&world.details(&id), "Success"), 1);
    world.settle();
    assert_eq!(world.command(&id)["StatusDetails"], "Success");
}

#[test]
fn never_more_than_max_concurrency_run() {
    for (limit, most) in [("1", 1), ("7", 7), ("10%", 5), ("1%", 1), ("100%", 50)] {
        let mut world = World::exact(50, &steady(10));
        let id = world.send(&json!({"InstanceIds": world.ids(), "MaxConcurrency": limit}));
        world.settle();
        let mut changes: BTreeMap<i64, i64> = BTreeMap::new();
        for run in world.ssm.ledger().runs_of(&id) {
            *changes.entry(run.began.as_millisecond()).or_default() += 1;
            let end = run.end.map_or(i64::MAX, |(at, _)| at.as_millisecond());
            *changes.entry(end).or_default() -= 1;
        }
        let mut running = 0;
        let peak = changes
            .values()
            .map(|change| {
                running += change;
                running
            })
            .max();
        assert_eq!(peak, Some(most), "{limit}");
    }
}

#[test]
fn it_stops_with_one_error_more_than_max_errors() {
    // User guide: 10% of 50 targets stops on the sixth; 3 on the fourth; 0 on the first.
    for (limit, errors) in [("0", 1), ("3", 4), ("10%", 6), ("0%", 1), ("1%", 1), ("100%", 50)] {
        let mut world = World::exact(50, &failing(10));
        let id = world.send(&json!({"InstanceIds": world.ids(), "MaxConcurrency": "1", "MaxErrors": limit}));
        world.settle();
        let details = world.details(&id);
        assert_eq!(
            (count(&details, "Failed"), count(&details, "Terminated")),
            (errors, 50 - errors),
            "{limit}"
        );
        let command = world.command(&id);
        assert_eq!(
            command["StatusDetails"],
            if limit == "100%" { "Incomplete" } else { "Failed" },
            "{limit}"
        );
        assert_eq!(command["Status"], "Failed");
        assert_eq!((&command["ErrorCount"], &command["CompletedCount"]), (&json!(errors), &json!(50)));
    }
}

#[test]
fn what_is_in_flight_may_finish_and_fail_too() {
    let mut world = World::exact(50, &failing(10));
    let id = world.send(&json!({"InstanceIds": world.ids(), "MaxConcurrency": "8"}));
    world.pass(10_000);
    world.settle();
    assert_eq!(count(&world.details(&id), "Failed"), 8);
    assert_eq!(count(&world.details(&id), "Terminated"), 42);
    assert_eq!(world.ssm.ledger().runs_of(&id).count(), 8);
}

#[test]
fn undeliverable_and_delivery_timeouts_do_not_count_to_max_errors() {
    let mut world = World::exact(5, &steady(10));
    let ids = world.ids();
    world.ssm.script(&ids[0], "*", Outcome::Undeliverable { runs: false });
    world.ssm.script(&ids[1], "*", Outcome::DeliveryTimedOut { runs: false });
    let id = world.send(&json!({"InstanceIds": ids}));
    world.settle();
    assert_eq!(world.details(&id), ["Undeliverable", "DeliveryTimedOut", "Success", "Success", "Success"]);
    let command = world.command(&id);
    assert_eq!(command["StatusDetails"], "DeliveryTimedOut");
    assert_eq!((&command["ErrorCount"], &command["DeliveryTimedOutCount"]), (&json!(0), &json!(1)));
}
