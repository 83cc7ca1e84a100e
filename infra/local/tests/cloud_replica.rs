//! Reads of an index, and reads that need not be consistent, see what was written some time ago.

use std::collections::BTreeMap;
use std::time::Duration;

use fleetwright_local::fleet::{Fleet, Span};
use fleetwright_local::protocol::{Answer, Request, Service};
use fleetwright_local::{Deployment, DeploymentError, DeploymentOptions, TABLE};
use jiff::SignedDuration;
use serde_json::{Value, json};

const RUNBOOK: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
mainSteps:
  - name: first
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
  - name: second
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["uptime"] }
"#;

/// A deployment no event reaches: reconcile alone, which finds what is due in an index, moves its executions on.
fn deployed(seed: u64, index_lag: Option<Span>) -> Deployment {
    let options = DeploymentOptions {
        index_lag,
        notifications: false,
        command_events: false,
        keep_trace: true,
        ..DeploymentOptions::seeded(seed)
    };
    Deployment::new(Fleet::plain(3, seed), &options).expect("deploys")
}

/// A deployment where an index is between a minute and two behind.
fn late(seed: u64) -> Deployment {
    deployed(seed, Some(Span::seconds(60, 120)))
}

fn apply(deployment: &Deployment, operation: &str, mut body: Value) -> Answer {
    body["TableName"] = json!(TABLE);
    let request = Request { service: Service::DynamoDb, operation: operation.to_owned(), body };
    deployment.simulation.cloud().handle("test", &request)
}

fn done(deployment: &Deployment, operation: &str, body: Value) -> Value {
    let answer = apply(deployment, operation, body);
    assert_eq!(answer.error_code(), None, "{operation}");
    answer.body
}

/// Puts an item that stands in the index `recent`, at most once.
fn put(deployment: &Deployment, name: &str, place: &str) -> Answer {
    let item = json!({ "pk": { "S": name }, "sk": { "S": "TEST" }, "recent_month": { "S": "TEST" },
        "recent_at": { "S": place } });
    apply(deployment, "PutItem", json!({ "Item": item, "ConditionExpression": "attribute_not_exists(pk)" }))
}

fn get(deployment: &Deployment, name: &str, consistent: bool) -> Value {
    let key = json!({ "pk": { "S": name }, "sk": { "S": "TEST" } });
    done(deployment, "GetItem", json!({ "Key": key, "ConsistentRead": consistent }))["Item"].take()
}

/// The places in the index, in their order.
fn places(deployment: &Deployment) -> Vec<String> {
    let answer = done(
        deployment,
        "Query",
        json!({ "IndexName": "recent", "KeyConditionExpression": "recent_month = :month",
            "ExpressionAttributeValues": { ":month": { "S": "TEST" } } }),
    );
    let items = answer["Items"].as_array().expect("items");
    items.iter().map(|item| item["recent_at"]["S"].as_str().expect("a place").to_owned()).collect()
}

fn pass(deployment: &mut Deployment, seconds: i64) {
    deployment.pass(SignedDuration::from_secs(seconds)).expect("time passes");
}

#[test]
fn a_write_is_seen_by_a_consistent_read_at_once_and_by_others_after_its_lag() {
    let mut deployment = late(1);
    put(&deployment, "a", "1");
    assert!(get(&deployment, "a", true).is_object());
    pass(&mut deployment, 59);
    assert_eq!(places(&deployment), [""; 0]);
    assert!(get(&deployment, "a", false).is_null());
    pass(&mut deployment, 62);
    assert_eq!(places(&deployment), ["1"]);
    assert!(get(&deployment, "a", false).is_object());
}

#[test]
fn writes_are_seen_one_after_another_in_their_order() {
    let mut deployment = late(2);
    for place in 10..40 {
        put(&deployment, &place.to_string(), &place.to_string());
        pass(&mut deployment, 1);
    }
    let mut seen = 0;
    let mut looks = 0;
    while seen < 30 {
        let places = places(&deployment);
        let expected: Vec<_> = (10..40).take(places.len()).map(|place| place.to_string()).collect();
        assert_eq!(places, expected, "no write before an earlier one");
        looks += usize::from(places.len() > seen);
        seen = places.len();
        pass(&mut deployment, 1);
    }
    assert!(looks > 3, "they come one by one, not at once");
}

#[test]
fn a_write_whose_condition_failed_changes_neither() {
    let mut deployment = late(3);
    put(&deployment, "a", "1");
    assert_eq!(put(&deployment, "a", "2").error_code(), Some("ConditionalCheckFailedException"));
    pass(&mut deployment, 125);
    assert_eq!(places(&deployment), ["1"]);
    assert_eq!(get(&deployment, "a", true)["recent_at"]["S"], "1");
    assert_eq!(deployment.simulation.cloud().violations, []);
}

#[test]
fn who_looks_from_outside_sees_everything_and_what_they_write_is_late_for_clients() {
    let mut deployment = late(4);
    let item = json!({ "pk": { "S": "a" }, "sk": { "S": "TEST" }, "recent_month": { "S": "TEST" },
        "recent_at": { "S": "1" } });
    {
        let cloud = deployment.simulation.cloud();
        cloud.dynamodb.handle("PutItem", &json!({ "TableName": TABLE, "Item": item }));
        assert_eq!(cloud.dynamodb.items(TABLE).expect("items"), [item]);
    }
    assert_eq!(places(&deployment), [""; 0]);
    pass(&mut deployment, 121);
    assert_eq!(places(&deployment), ["1"]);
}

#[test]
fn what_expired_is_gone_from_an_index_as_well_and_its_key_can_be_written_again() {
    let mut deployment = late(5);
    put(&deployment, "a", "1");
    let expires = deployment.simulation.now().as_second() + 60;
    done(
        &deployment,
        "UpdateItem",
        json!({ "Key": { "pk": { "S": "a" }, "sk": { "S": "TEST" } }, "UpdateExpression": "SET expires = :at",
            "ExpressionAttributeValues": { ":at": { "N": expires.to_string() } } }),
    );
    pass(&mut deployment, 3700);
    assert!(get(&deployment, "a", true).is_null(), "swept");
    assert_eq!(put(&deployment, "a", "2").error_code(), None);
    pass(&mut deployment, 121);
    assert_eq!(places(&deployment), ["2"]);
    assert_eq!(deployment.simulation.cloud().violations, []);
}

#[test]
fn an_index_is_paid_for_once() {
    let [with, without] = [Some(Span::seconds(60, 120)), None].map(|lag| {
        let mut deployment = deployed(6, lag);
        put(&deployment, "a", "1");
        pass(&mut deployment, 121);
        assert_eq!(places(&deployment), ["1"]);
        deployment.simulation.cloud().counters.capacity["test"].clone()
    });
    assert_eq!(with, without);
}

/// Runs the runbook to its end.
fn run(seed: u64, index_lag: Option<Span>) -> Deployment {
    let mut deployment = deployed(seed, index_lag);
    deployment.register_runbook("two", RUNBOOK).expect("registered");
    let nodes = deployment.simulation.cloud().ssm.node_ids().map(str::to_owned).collect();
    let id = deployment.start("two", &BTreeMap::from([("Nodes".to_owned(), nodes)])).expect("starts");
    deployment.run_to_end(&id, Duration::from_hours(4)).expect("ends");
    let execution = deployment.call("GetAutomationExecution", &json!({ "AutomationExecutionId": id }));
    assert_eq!(execution.expect("is read")["AutomationExecution"]["AutomationExecutionStatus"], "Success");
    assert_eq!(deployment.simulation.cloud().violations, [], "seed {seed}");
    deployment
}

#[test]
fn an_execution_ends_although_every_index_is_minutes_behind() {
    for seed in 0..2 {
        let mut deployment = run(seed, Some(Span::seconds(60, 120)));
        assert_eq!(deployment.simulation.cloud().counters.applied("ssm:SendCommand"), 2);
        pass(&mut deployment, 300);
        assert_eq!(deployment.simulation.cloud().violations, [], "seed {seed}");
    }
}

#[test]
fn a_lag_is_a_function_of_the_seed() {
    let hash = |seed, lag| run(seed, lag).simulation.trace_hash();
    let lag = Some(Span::seconds(60, 120));
    assert_eq!(hash(7, lag), hash(7, lag));
    assert_ne!(hash(7, lag), hash(7, None), "it is seen somewhere");
}

#[test]
fn no_lag_at_all_is_no_other_run_than_one_without_a_replica() {
    let (with, without) = (run(8, Some(Span::ZERO)), run(8, None));
    assert_eq!(with.simulation.cloud().trace.lines(), without.simulation.cloud().trace.lines());
    assert_eq!(with.simulation.trace_hash(), without.simulation.trace_hash());
    assert_eq!(with.simulation.cloud().counters, without.simulation.cloud().counters);
}

#[test]
fn tables_in_a_file_are_not_read_late() {
    let options = DeploymentOptions {
        data: Some("never-made.db".into()),
        index_lag: Some(Span::seconds(1, 1)),
        ..DeploymentOptions::seeded(1)
    };
    let refused = Deployment::new(Fleet::plain(1, 1), &options);
    assert!(matches!(refused.err(), Some(DeploymentError::LateFile)));
}
