use super::support::{START, World, count};
use fleetwright_local::fleet::Fleet;
use fleetwright_local::ssm::{Published, Ssm, SsmOptions};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Two commands, one cancelled, read every second; all that was published and read.
fn story(seed: u64) -> (Vec<Published>, Vec<Value>) {
    let options = SsmOptions {
        event_loss: 0.1,
        event_duplication: 0.2,
        cancel_ineffective: 0.3,
        ..SsmOptions::default()
    };
    let mut world = World::new(Fleet::synthetic(120, seed), options.clone());
    world.ssm = Ssm::new(Fleet::synthetic(120, seed), options, seed);
    let all = json!({"Targets": [{"Key": "tag-key", "Values": ["Role"]}], "MaxErrors": "50%", "MaxConcurrency": "20"});
    let first = world.send(&all);
    let (mut published, mut read) = (Vec::new(), Vec::new());
    for second in 0..120 {
        published.extend(world.pass(1000));
        if second == 20 {
            world.call("CancelCommand", &json!({"CommandId": first}));
            world.send(&all);
        }
        read.push(world.call("ListCommands", &json!({})));
        read.push(world.call("ListCommandInvocations", &json!({"Details": true})));
    }
    published.extend(world.settle());
    (published, read)
}

#[test]
fn the_same_seed_is_the_same_story() {
    assert_eq!(story(11), story(11));
    assert_ne!(story(11).0, story(12).0);
}

#[test]
fn what_nodes_come_to_does_not_depend_on_what_else_happens() {
    let outcomes = |before: usize| {
        let mut world = World::new(Fleet::synthetic(200, 5), SsmOptions::default());
        let patch = json!({
            "DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Install"]},
            "Targets": [{"Key": "tag-key", "Values": ["Role"]}], "MaxErrors": "100%",
        });
        for _ in 0..before {
            world.send(&json!({"Targets": [{"Key": "tag:Role", "Values": ["web"]}]}));
        }
        let id = world.send(&patch);
        world.settle();
        world.ssm.ledger().command(&id).map(|entry| entry.nodes.clone())
    };
    assert_eq!(outcomes(0), outcomes(3));
}

#[test]
fn next_at_is_exact_and_time_never_goes_back() -> Result<(), jiff::Error> {
    let mut world = World::new(Fleet::synthetic(50, 5), SsmOptions::default());
    world.send(&json!({"Targets": [{"Key": "tag-key", "Values": ["Role"]}], "MaxErrors": "100%"}));
    let mut last = world.now;
    while let Some(next) = world.ssm.next_at() {
        assert!(next >= last);
        for one in world.ssm.run_until(next) {
            assert!(one.at() <= next);
        }
        assert!(world.ssm.next_at().is_none_or(|then| then > next));
        last = next;
    }
    world.now = Timestamp::from_second(START - 86_400)?;
    let id = world.send(&json!({"InstanceIds": [world.ids()[0]]}));
    let requested = world.ssm.ledger().command(&id).map(|entry| entry.requested_at);
    assert_eq!(requested, Some(last));
    Ok(())
}

#[test]
fn a_large_fleet_is_no_trouble() {
    let mut world = World::new(Fleet::synthetic(50_000, 9), SsmOptions::default());
    let id = world.send(&json!({
        "Targets": [{"Key": "tag:Role", "Values": ["web", "app", "db"]}], "MaxErrors": "100%", "MaxConcurrency": "10%",
    }));
    let published = world.settle();
    world.pass(60_000);
    let targets = world.command(&id)["TargetCount"].as_u64().unwrap_or(0);
    assert!(targets > 35_000 && published.len() as u64 >= 2 * targets);
    let details = world.details(&id);
    assert!(count(&details, "Success") > 35_000);
}
