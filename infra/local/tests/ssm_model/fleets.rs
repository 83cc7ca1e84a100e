use super::support::{World, count};
use fleetwright_local::fleet::{Fleet, Platform, is_node_id};
use fleetwright_local::ssm::SsmOptions;
use serde_json::json;

const FILE: &str = r#"
groups:
  - name: web
    count: 60
    tags: { Role: web, PatchGroup: linux-prod }
    missing: 2..9
    behaviours:
      - documents: AWS-RunPatchBaseline*
        when: { Operation: Install }
        duration: 1m..7m
        failed: 4%
        executionTimedOut: 1%
        exitCode: 1
      - documents: [AWS-RunShellScript]
        failsFirst: 1
        exitCode: 7
        output: "{{ name }} is not ready"
        error: "exit status {{ exit_code }}"
  - name: file
    count: 12
    platform: Windows
    missing: 3
nodes:
  - id: i-0123456789abcdef0
    name: bastion
    behaviours:
      - undeliverable: 100%
behaviours:
  - documents: "*"
    duration: 1s..10s
"#;

#[test]
fn a_fleet_file_is_read() -> Result<(), Box<dyn std::error::Error>> {
    let fleet = Fleet::parse(FILE, 1)?;
    assert_eq!(fleet.nodes().len(), 73);
    assert!(fleet.nodes().iter().all(|node| is_node_id(&node.id)));
    assert_eq!(fleet.tagged("Role", "web").len(), 60);
    assert_eq!((&*fleet.nodes()[0].id, fleet.nodes()[1].name.as_str()), ("i-0123456789abcdef0", "web-1"));
    assert!(fleet.nodes()[1..61].iter().all(|node| (2..=9).contains(&node.patches.missing)));
    assert!(
        fleet.nodes()[61..]
            .iter()
            .all(|node| node.platform == Platform::Windows && node.patches.missing == 3)
    );
    assert_eq!(fleet, Fleet::parse(FILE, 1)?);
    assert_ne!(fleet, Fleet::parse(FILE, 2)?);
    let json = r#"{"nodes": [{"id": "mi-0123456789abcdef0", "missing": 3, "behaviours": [{"duration": 5, "failed": 0.5}]}]}"#;
    assert_eq!(Fleet::parse(json, 1)?.nodes()[0].patches.missing, 3);
    Ok(())
}

#[test]
fn what_fails_first_succeeds_when_run_again() -> Result<(), Box<dyn std::error::Error>> {
    let mut world = World::new(Fleet::parse(FILE, 1)?, SsmOptions::exact());
    let targets = json!({"Targets": [{"Key": "tag:Role", "Values": ["web"]}], "MaxErrors": "100%"});
    let (first, second) = (world.send(&targets), {
        world.settle();
        world.send(&targets)
    });
    world.settle();
    assert_eq!(count(&world.details(&first), "Failed"), 60);
    assert_eq!(count(&world.details(&second), "Success"), 60);
    let node = world.ids()[1].clone();
    let answer = world.call("GetCommandInvocation", &json!({"CommandId": first, "InstanceId": node}));
    assert_eq!(answer["ResponseCode"], 7);
    assert_eq!(answer["StandardOutputContent"], "web-1 is not ready");
    assert_eq!(answer["StandardErrorContent"], "exit status 7");
    Ok(())
}

#[test]
fn errors_in_a_fleet_file_name_the_place() {
    for (text, place, thing) in [
        ("groups:\n  - name: web\n    count: 3\n    colour: red\n", "line 4", "colour"),
        ("groups:\n  - name: web\n    count: many\n", "line 3", "many"),
        ("groups:\n  - name: web\n", "line 2", "count"),
        ("groups:\n  - name: w\n    count: 1\n    missing: 9..2\n", "line 4", "9..2"),
        ("behaviours:\n  - duration: soon\n", "line 2", "soon"),
        ("behaviours:\n  - failed: 120%\n", "line 2", "120%"),
        ("behaviours:\n  - failed: 60%\n    undeliverable: 60%\n", "line", "120.0%"),
        ("nodes:\n  - id: i-1\n", "nodes[0].id", "i-1"),
        ("nodes:\n  - id: i-01234567\n  - id: i-01234567\n", "nodes[1].id", "twice"),
        ("groups: [", "line", ""),
        ("{}", "nodes", "no nodes"),
        ("groups:\n  - name: web\n    count: 99999999\n", "200000", "99999999"),
        ("groups:\n  - name: web\n    count: 1\n    platform: Plan9\n", "line 4", "Plan9"),
    ] {
        let error = Fleet::parse(text, 1).map(|_| ()).map_err(|error| error.to_string());
        let Err(message) = error else { panic!("{text} was read") };
        assert!(message.contains(place) && message.contains(thing), "{text}\n{message}");
    }
}

#[test]
fn a_synthetic_fleet_is_plausible() {
    let fleet = Fleet::synthetic(1000, 3);
    assert_eq!(fleet.nodes().len(), 1000);
    assert_eq!(fleet.tagged("Canary", "true").len(), 50);
    assert!(
        fleet
            .nodes()
            .iter()
            .all(|node| node.tags.contains_key("Role") && node.tags.contains_key("PatchGroup"))
    );
    assert!(fleet.nodes().iter().filter(|node| node.patches.missing > 0).count() > 500);
    let mut world = World::new(fleet, SsmOptions::default());
    let id = world.send(&json!({
        "DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Install"]},
        "Targets": [{"Key": "tag-key", "Values": ["Role"]}], "MaxErrors": "100%", "MaxConcurrency": "100%",
    }));
    world.settle();
    world.pass(60_000);
    let details = world.details(&id);
    assert_eq!(details.len(), 1000);
    assert_eq!(count(&details, "Undeliverable"), 1);
    assert!(
        (20..80).contains(&count(&details, "Failed"))
            && (2..30).contains(&count(&details, "ExecutionTimedOut"))
    );
}
