use super::support::{World, count, fleet, steady};
use fleetwright_local::fleet::Span;
use fleetwright_local::ssm::{Outcome, RunEnd, SsmOptions};
use serde_json::json;

fn slow_cancels() -> SsmOptions {
    SsmOptions { cancel_lag: Span::seconds(2, 2), ..SsmOptions::exact() }
}

#[test]
fn a_cancel_goes_through_cancelling_to_cancelled() {
    let mut world = World::new(fleet(5, &steady(100)), slow_cancels());
    let id = world.send(&json!({"InstanceIds": world.ids(), "MaxConcurrency": "2"}));
    world.pass(1000);
    assert_eq!(world.call("CancelCommand", &json!({"CommandId": id})), json!({}));
    assert_eq!(world.command(&id)["Status"], "Cancelling");
    assert_eq!(count(&world.details(&id), "Cancelling"), 5);
    world.settle();
    assert_eq!(world.elapsed(), 3);
    assert_eq!(world.command(&id)["StatusDetails"], "Cancelled");
    assert_eq!(world.command(&id)["CompletedCount"], 5);
    assert_eq!(count(&world.details(&id), "Cancelled"), 5);
    let ends: Vec<_> =
        world.ssm.ledger().runs_of(&id).filter_map(|run| run.end.map(|(_, end)| end)).collect();
    assert_eq!(ends, [RunEnd::Killed, RunEnd::Killed]);
    // What had begun was stopped and says so; what had not has no code.
    let page = world.call("ListCommandInvocations", &json!({"CommandId": id, "Details": true}));
    let code = |one: &serde_json::Value| one["CommandPlugins"][0]["ResponseCode"].clone();
    let codes: Vec<_> = page["CommandInvocations"].as_array().into_iter().flatten().map(code).collect();
    assert_eq!(codes, [137, 137, -1, -1, -1]);
    assert!(world.ssm.ledger().command(&id).is_some_and(|entry| entry.cancelled_at.is_some()));
}

#[test]
fn a_cancelled_command_may_have_fewer_invocations_than_targets() {
    let options = SsmOptions { cancelled_hides_unstarted: true, ..slow_cancels() };
    let mut world = World::new(fleet(5, &steady(100)), options);
    let id = world.send(&json!({"InstanceIds": world.ids(), "MaxConcurrency": "2"}));
    world.pass(1000);
    world.call("CancelCommand", &json!({"CommandId": id}));
    world.settle();
    assert_eq!(world.details(&id), ["Cancelled", "Cancelled"]);
    assert_eq!(world.command(&id)["TargetCount"], 5);
}

#[test]
fn a_cancel_of_some_nodes_leaves_the_others() {
    let mut world = World::new(fleet(3, &steady(100)), slow_cancels());
    let ids = world.ids();
    let id = world.send(&json!({"InstanceIds": ids}));
    world.pass(1000);
    world.call("CancelCommand", &json!({"CommandId": id, "InstanceIds": [ids[1]]}));
    assert_eq!(world.command(&id)["Status"], "InProgress");
    world.settle();
    assert_eq!(world.details(&id), ["Success", "Cancelled", "Success"]);
    assert_eq!(world.command(&id)["StatusDetails"], "Incomplete");
}

#[test]
fn a_cancel_may_come_too_late_or_do_nothing() {
    let options = SsmOptions { cancel_ineffective: 1.0, ..slow_cancels() };
    let mut world = World::new(fleet(2, &steady(100)), options);
    let id = world.send(&json!({"InstanceIds": world.ids()}));
    world.pass(1000);
    world.call("CancelCommand", &json!({"CommandId": id}));
    world.settle();
    assert_eq!(world.details(&id), ["Success", "Success"]);
    assert_eq!(world.command(&id)["Status"], "Success");
    // One that has ended stays as it is.
    assert_eq!(world.call("CancelCommand", &json!({"CommandId": id})), json!({}));
    assert_eq!(world.command(&id)["Status"], "Success");
    assert_eq!(world.ssm.next_at(), None);
}

#[test]
fn targets_cancelled_before_they_are_resolved() {
    let options = SsmOptions { resolve_lag: Span::seconds(5, 5), ..slow_cancels() };
    let mut world = World::new(fleet(3, &steady(100)), options);
    let id = world.send(&json!({"Targets": [{"Key": "InstanceIds", "Values": world.ids()}]}));
    world.call("CancelCommand", &json!({"CommandId": id}));
    world.settle();
    assert_eq!(world.command(&id)["Status"], "Cancelled");
    assert_eq!(world.ssm.ledger().runs().len(), 0);
}

#[test]
fn cancels_are_refused_with_ssms_errors() {
    let mut world = World::exact(2, &steady(100));
    let ids = world.ids();
    let id = world.send(&json!({"InstanceIds": [ids[0]]}));
    for (body, code) in [
        (json!({}), "ValidationException"),
        (json!({"CommandId": "short"}), "ValidationException"),
        (json!({"CommandId": "00000000-0000-4000-8000-000000000000"}), "InvalidCommandId"),
        (json!({"CommandId": id, "InstanceIds": [ids[1]]}), "InvalidInstanceId"),
        (json!({"CommandId": id, "InstanceIds": [ids[0], ids[0]]}), "DuplicateInstanceId"),
        (json!({"CommandId": 7}), "SerializationException"),
    ] {
        assert_eq!(world.refusal("CancelCommand", &body).code, code, "{body}");
    }
}

#[test]
fn a_node_may_cancel_before_it_begins() {
    let mut world = World::exact(2, &steady(10));
    let ids = world.ids();
    world.ssm.script(&ids[0], "*", Outcome::Cancelled);
    let id = world.send(&json!({"InstanceIds": ids}));
    world.settle();
    assert_eq!(world.details(&id), ["Cancelled", "Success"]);
    assert_eq!(world.ssm.ledger().runs().len(), 1);
}
