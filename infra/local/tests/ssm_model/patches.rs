use super::support::{World, fleet, steady, text};
use fleetwright_local::fleet::{Behaviour, Patches, Range, Span};
use fleetwright_local::ssm::{Outcome, SsmOptions};
use serde_json::{Value, json};

fn world(behaviour: &Behaviour, options: SsmOptions) -> World {
    let mut fleet = fleet(12, behaviour);
    for node in fleet.nodes_mut() {
        node.patches = Patches { missing: 5, installed: 100, failed: 0, pending_reboot: 0 };
    }
    World::new(fleet, options)
}

fn run(world: &mut World, parameters: &Value) {
    let ids = world.ids();
    world.send(&json!({"DocumentName": "AWS-RunPatchBaseline", "Parameters": parameters, "InstanceIds": ids, "MaxErrors": "100%"}));
    world.settle();
}

fn state(world: &mut World, node: usize) -> Value {
    let id = world.ids()[node].clone();
    world.call("DescribeInstancePatchStates", &json!({"InstanceIds": [id]}))["InstancePatchStates"][0].clone()
}

fn counts(state: &Value) -> [i64; 4] {
    ["MissingCount", "InstalledCount", "FailedCount", "InstalledPendingRebootCount"]
        .map(|name| state[name].as_i64().unwrap_or(-1))
}

#[test]
fn scanning_tells_and_installing_changes() {
    let mut world = world(&steady(10), SsmOptions::exact());
    assert_eq!(state(&mut world, 0), Value::Null);
    run(&mut world, &json!({"Operation": ["Scan"]}));
    let scanned = state(&mut world, 0);
    assert_eq!(counts(&scanned), [5, 100, 0, 0]);
    assert_eq!(
        (&scanned["Operation"], &scanned["OperationEndTime"]),
        (&json!("Scan"), &json!(1_767_225_610.0))
    );
    let failing = world.ids()[1].clone();
    world.ssm.script(&failing, "AWS-RunPatch*", Outcome::Failed(1));
    run(&mut world, &json!({"Operation": ["Install"], "RebootOption": ["NoReboot"]}));
    assert_eq!(counts(&state(&mut world, 0)), [0, 100, 0, 5]);
    assert_eq!(counts(&state(&mut world, 1)), [4, 100, 1, 0]);
    assert_eq!(state(&mut world, 0)["RebootOption"], "NoReboot");
    world.ssm.unscript(&failing);
    run(&mut world, &json!({"Operation": ["Install"]}));
    assert_eq!(counts(&state(&mut world, 0)), [0, 105, 0, 0]);
    assert_eq!(counts(&state(&mut world, 1)), [0, 105, 0, 0]);
}

#[test]
fn an_installation_may_leave_some_and_wait_for_a_reboot() {
    let behaviour = Behaviour {
        leaves_missing: Range::new(2, 2),
        pending_reboot: fleetwright_local::fleet::Share::new(1.0),
        ..steady(10)
    };
    let mut world = world(&behaviour, SsmOptions::exact());
    run(&mut world, &json!({"Operation": ["Install"]}));
    assert_eq!(counts(&state(&mut world, 0)), [2, 100, 0, 3]);
    let ids = world.ids();
    world.send(&json!({"InstanceIds": ids, "Parameters": {"commands": ["sudo reboot"]}}));
    world.settle();
    assert_eq!(
        world.ssm.patches(&ids[0]),
        Some(Patches { missing: 2, installed: 103, failed: 0, pending_reboot: 0 })
    );
}

#[test]
fn a_state_may_still_be_the_older_one() {
    let options = SsmOptions { patch_state_lag: Span::seconds(30, 30), ..SsmOptions::exact() };
    let mut world = world(&steady(10), options);
    run(&mut world, &json!({"Operation": ["Scan"]}));
    assert_eq!(state(&mut world, 0), Value::Null);
    world.pass(30_000);
    run(&mut world, &json!({"Operation": ["Install"]}));
    assert_eq!(text(&state(&mut world, 0)["Operation"]), "Scan");
    world.pass(30_000);
    assert_eq!(text(&state(&mut world, 0)["Operation"]), "Install");
}

#[test]
fn states_come_in_pages() {
    let mut world = world(&steady(10), SsmOptions::exact());
    run(&mut world, &json!({"Operation": ["Scan"]}));
    let body = json!({"InstanceIds": world.ids(), "MaxResults": 10});
    let first = world.call("DescribeInstancePatchStates", &body);
    let token = &first["NextToken"];
    let second = world.call(
        "DescribeInstancePatchStates",
        &json!({"InstanceIds": world.ids(), "MaxResults": 10, "NextToken": token}),
    );
    let length = |page: &Value| page["InstancePatchStates"].as_array().map(Vec::len);
    assert_eq!((length(&first), length(&second), &second["NextToken"]), (Some(10), Some(2), &Value::Null));
    for body in
        [json!({}), json!({"InstanceIds": vec!["i-00000000000000000"; 51]}), json!({"InstanceIds": ["x"]})]
    {
        assert_eq!(world.refusal("DescribeInstancePatchStates", &body).code, "ValidationException");
    }
    let wrong = json!({"InstanceIds": [], "NextToken": token});
    assert_eq!(world.refusal("DescribeInstancePatchStates", &wrong).code, "InvalidNextToken");
}
