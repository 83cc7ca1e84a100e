//! What a start reads before it begins: Parameter Store for `{{ssm:name}}` defaults, and the role it is to act in.

use fleetwright_local::{DeploymentError, TABLE};
use fleetwright_protocols::{Run, Story, steady_fleet};
use jiff::SignedDuration;
use serde_json::json;
use std::time::Duration;

const STORED: &str = r#"
schemaVersion: "0.3"
parameters:
  Nodes: { type: StringList }
  Path: { type: String, default: "{{ssm:/fleet/path}}", allowedPattern: "^/[a-z/]+$" }
  Names: { type: StringList, default: "{{ ssm:/fleet/names }}" }
mainSteps:
  - name: work
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunShellScript
      InstanceIds: "{{ Nodes }}"
      Parameters: { commands: ["ls {{ Path }}", "{{ Names }}"] }
"#;

const IN_A_ROLE: &str = r#"
schemaVersion: "0.3"
assumeRole: "{{ Role }}"
parameters:
  Nodes: { type: StringList }
  Role: { type: String, default: "" }
mainSteps:
  - name: patch
    action: aws:runCommand
    inputs:
      DocumentName: AWS-RunPatchBaseline
      InstanceIds: "{{ Nodes }}"
      Parameters: { Operation: Scan }
"#;

const PATCHER: &str = "arn:aws:iam::123456789012:role/fleet/Patcher";

fn stored(kind: &str, path: &str) -> Run {
    let run = Story::new().runbook(STORED).deploy();
    run.cloud().ssm.put_parameter("/fleet/path", kind, path);
    run.cloud().ssm.put_parameter("/fleet/names", "StringList", "uptime,uname");
    run
}

/// Starts what must be refused; the message.
fn refused(run: &mut Run, parameters: &serde_json::Value) -> String {
    let before = run.items();
    let body = json!({ "DocumentName": "Story", "Parameters": parameters });
    match run.deployment.call("StartAutomationExecution", &body) {
        Err(DeploymentError::Api(error)) => {
            assert_eq!(error.code, "InvalidAutomationExecutionParametersException", "{error}");
            assert!(run.items() == before, "a refused start left a trace");
            error.message
        }
        other => panic!("the start should have been refused: {other:?}"),
    }
}

#[test]
fn a_default_in_parameter_store_is_read_when_the_execution_starts() {
    let mut run = stored("String", "/var/log");
    run.start();
    run.cloud().ssm.put_parameter("/fleet/path", "String", "/tmp");
    run.end();
    assert_eq!(run.status(), "Success");
    let execution = run.execution();
    assert_eq!(execution["Parameters"]["Path"], json!(["/var/log"]));
    assert_eq!(execution["Parameters"]["Names"], json!(["uptime", "uname"]));
    assert_eq!(run.applied("ssm:GetParameters"), 1, "both in one call");
}

#[test]
fn what_is_given_is_not_read_from_parameter_store() {
    let mut run =
        Story::new().runbook(STORED).parameter("Path", &["/opt"]).parameter("Names", &["id"]).play();
    assert_eq!(run.status(), "Success");
    assert_eq!(run.applied("ssm:GetParameters"), 0);
}

#[test]
fn a_default_that_is_not_there_or_does_not_fit_refuses_the_start_by_name() {
    let mut missing = Story::new().runbook(STORED).deploy();
    let message = refused(&mut missing, &json!({}));
    assert!(message.contains("Path") && message.contains("/fleet/path"), "{message}");
    let mut unfit = stored("String", "not a path");
    let message = refused(&mut unfit, &json!({ "Nodes": [] }));
    assert!(message.contains("Path") && !message.contains("not a path"), "{message}");
    let mut secret = stored("SecureString", "/var");
    let message = refused(&mut secret, &json!({ "Nodes": [] }));
    assert!(message.contains("/fleet/path") && message.contains("SecureString"), "{message}");
}

#[test]
fn an_execution_makes_its_ssm_calls_in_the_role_it_assumes() {
    let listed = Story::new().runbook(IN_A_ROLE).deployed(|options| options.roles = vec![PATCHER.to_owned()]);
    let mut run = listed.parameter("Role", &[PATCHER]).play();
    assert_eq!(run.status(), "Success");
    let cloud = run.cloud();
    for (caller, calls) in &cloud.counters.calls {
        let ssm: Vec<_> = calls.keys().filter(|action| action.starts_with("ssm:")).collect();
        let own: Vec<_> = ssm.iter().filter(|action| **action != "ssm:GetDocument").collect();
        assert!(own.is_empty() || caller.ends_with(" as Patcher"), "{caller}: {own:?}");
    }
    assert_eq!(cloud.counters.calls["api-control as Patcher"]["ssm:SendCommand"].applied, 1);
}

#[test]
fn a_role_that_the_deployment_does_not_list_refuses_the_start_and_names_the_parameter() {
    let listed = Story::new().runbook(IN_A_ROLE).deployed(|options| options.roles = vec![PATCHER.to_owned()]);
    let mut run = listed.deploy();
    let message =
        refused(&mut run, &json!({ "Nodes": [], "Role": ["arn:aws:iam::123456789012:role/Administrator"] }));
    assert!(message.contains("Role"), "{message}");
    run.start();
    run.end();
    assert_eq!(run.status(), "Success", "an empty role is the deployment's own");
}

const UNTRUSTING: &str = "arn:aws:iam::123456789012:role/Untrusting";

fn in_a_role_that_does_not_trust_us() -> Run {
    let listed =
        Story::new().runbook(IN_A_ROLE).deployed(|options| options.roles = vec![UNTRUSTING.to_owned()]);
    listed.parameter("Role", &[UNTRUSTING]).start()
}

#[test]
fn a_role_that_cannot_be_assumed_sends_nothing_and_fails_the_step() {
    let mut run = in_a_role_that_does_not_trust_us();
    run.end();
    assert_eq!(run.status(), "Failed");
    assert!(run.commands().is_empty());
    assert_eq!(run.number("patch", "NotRunCount"), 5, "it is known that they did not run");
    run.check();
}

#[test]
fn a_stop_ends_an_execution_whose_role_cannot_be_assumed() {
    let mut run = in_a_role_that_does_not_trust_us();
    run.pass(SignedDuration::from_mins(3));
    run.stop("Cancel");
    run.end_within(Duration::from_secs(120));
    assert_eq!(run.status(), "Cancelled");
}

/// As if the deployment did not list the role any more that an execution was started with.
fn delist(run: &Run) {
    let cloud = run.cloud();
    let key = json!({ "pk": { "S": format!("EXEC#{}", run.id) }, "sk": { "S": "EXEC" } });
    let (got, _) = cloud.dynamodb.handle("GetItem", &json!({ "TableName": TABLE, "Key": key }));
    let mut item = got.body["Item"].clone();
    let body = item["body"]["S"].as_str().expect("a body").replace("role/fleet/Patcher", "role/fleet/Gone");
    item["body"]["S"] = json!(body);
    cloud.dynamodb.handle("PutItem", &json!({ "TableName": TABLE, "Item": item }));
}

#[test]
fn an_execution_whose_role_is_no_longer_listed_is_set_aside_and_a_stop_still_reaches_it() {
    let listed = Story::new().runbook(IN_A_ROLE).deployed(|options| options.roles = vec![PATCHER.to_owned()]);
    let mut run = listed.fleet(steady_fleet(5, 600)).parameter("Role", &[PATCHER]).start();
    run.pass(SignedDuration::from_secs(30));
    delist(&run);
    run.pass(SignedDuration::from_mins(5));
    let warning = run.execution()["WarningMessage"].as_str().expect("a warning").to_owned();
    assert!(warning.contains("role"), "{warning}");
    run.stop("Cancel");
    assert_eq!(run.status(), "Cancelling", "the stop is committed, whatever becomes of its commands");
}
