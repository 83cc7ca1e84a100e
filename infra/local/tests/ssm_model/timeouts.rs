use super::support::{World, fleet, steady, text};
use fleetwright_local::fleet::Agent;
use fleetwright_local::ssm::{Outcome, RunEnd, SsmOptions, StatusDetails};
use serde_json::json;

#[test]
fn expires_after_is_both_timeouts_together() {
    // Recorded answers: 7200 s without TimeoutSeconds, 4200 s with 600; both with executionTimeout 3600.
    for (members, expected) in [
        (json!({}), 7200.0),
        (json!({"TimeoutSeconds": 600}), 4200.0),
        (json!({"Parameters": {"commands": ["true"], "executionTimeout": ["60"]}}), 3660.0),
        (json!({"DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}}), 10_800.0),
    ] {
        let mut world = World::exact(1, &steady(1));
        let mut body = json!({"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}, "InstanceIds": world.ids()});
        for (name, value) in members.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let command = world.call("SendCommand", &body)["Command"].clone();
        let expires = command["ExpiresAfter"].as_f64().zip(command["RequestedDateTime"].as_f64());
        assert_eq!(expires.map(|(end, start)| end - start), Some(expected), "{members}");
    }
}

#[test]
fn a_run_is_stopped_at_its_execution_timeout() {
    let mut world = World::exact(2, &steady(100));
    let ids = world.ids();
    world.ssm.script(&ids[1], "*", Outcome::ExecutionTimedOut);
    let parameters = json!({"commands": ["sleep 90"], "executionTimeout": ["30"]});
    let id = world.send(&json!({"InstanceIds": ids, "Parameters": parameters, "MaxErrors": "2"}));
    world.settle();
    assert_eq!(world.elapsed(), 30);
    assert_eq!(world.details(&id), ["ExecutionTimedOut", "ExecutionTimedOut"]);
    let body = json!({"CommandId": id, "InstanceId": ids[0]});
    let invocation = world.call("GetCommandInvocation", &body);
    assert_eq!((&invocation["Status"], &invocation["ResponseCode"]), (&json!("TimedOut"), &json!(137)));
    assert_eq!(invocation["ExecutionElapsedTime"], "PT30S");
    assert!(
        world.ssm.ledger().runs_of(&id).all(|run| run.end.is_some_and(|(_, end)| end == RunEnd::TimedOut))
    );
}

#[test]
fn what_nothing_reaches_times_out_when_the_command_expires() {
    let mut fleet = fleet(3, &steady(10));
    fleet.nodes_mut()[0].agent = Agent::Offline;
    let mut world = World::new(fleet, SsmOptions::exact());
    let ids = world.ids();
    world.ssm.script(&ids[1], "*", Outcome::DeliveryTimedOut { runs: true });
    let id = world.send(&json!({"InstanceIds": ids, "TimeoutSeconds": 60}));
    world.pass(1000);
    assert_eq!(world.details(&id), ["Pending", "InProgress", "InProgress"]);
    world.pass(3_658_000);
    assert_eq!(world.details(&id), ["Pending", "InProgress", "Success"]);
    world.settle();
    assert_eq!(world.elapsed(), 3660);
    assert_eq!(world.details(&id), ["DeliveryTimedOut", "DeliveryTimedOut", "Success"]);
    // One of the two did run.
    let ran: Vec<String> = world.ssm.ledger().runs_of(&id).map(|run| run.node.to_string()).collect();
    assert_eq!(ran, ids[1..]);
}

#[test]
fn undelivered_nodes_can_end_at_timeout_seconds() {
    let mut fleet = fleet(1, &steady(10));
    fleet.nodes_mut()[0].agent = Agent::Offline;
    let options = SsmOptions { undelivered_ends_at_timeout_seconds: true, ..SsmOptions::exact() };
    let mut world = World::new(fleet, options);
    let id = world.send(&json!({"InstanceIds": world.ids(), "TimeoutSeconds": 60}));
    world.settle();
    assert_eq!((world.elapsed(), world.details(&id)), (60, vec!["DeliveryTimedOut".to_owned()]));
}

#[test]
fn nothing_begins_after_timeout_seconds() {
    let mut world = World::exact(3, &steady(50));
    let id = world.send(&json!({"InstanceIds": world.ids(), "TimeoutSeconds": 60, "MaxConcurrency": "1"}));
    world.settle();
    assert_eq!(world.details(&id), ["Success", "Success", "DeliveryTimedOut"]);
    assert_eq!(world.ssm.ledger().runs_of(&id).count(), 2);
    assert_eq!(text(&world.command(&id)["Status"]), "TimedOut");
}

#[test]
fn undeliverable_may_have_run() {
    let mut world = World::exact(1, &steady(50));
    let ids = world.ids();
    world.ssm.script(&ids[0], "AWS-*", Outcome::Undeliverable { runs: true });
    let id = world.send(&json!({"InstanceIds": ids}));
    world.pass(0);
    assert_eq!(world.details(&id), ["Undeliverable"]);
    let body = json!({"CommandId": id, "InstanceId": ids[0]});
    let invocation = world.call("GetCommandInvocation", &body);
    assert_eq!((&invocation["Status"], &invocation["ResponseCode"]), (&json!("Failed"), &json!(-1)));
    world.settle();
    let run = world.ssm.ledger().runs_of(&id).next().cloned();
    assert_eq!(run.and_then(|run| run.end).map(|(_, end)| end), Some(RunEnd::Succeeded));
    let truth =
        world.ssm.ledger().command(&id).map(|entry| entry.nodes.values().copied().collect::<Vec<_>>());
    assert_eq!(truth, Some(vec![StatusDetails::Undeliverable]));
}
