//! Run Command through our API: sent, listed, read and cancelled with SSM's own operations.

use fleetwright_local::fleet::Fleet;
use fleetwright_local::{ApiError, Deployment, DeploymentError, DeploymentOptions};
use fleetwright_protocols::{deploy, steady_fleet};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const UNKNOWN: &str = "8f7c1a52-3a0e-4b8e-9c53-6d2f7a1b0c9d";
const CALLER: &str = "arn:aws:sts::123456789012:assumed-role/operators/alice";

fn deployed(fleet: Fleet) -> Deployment {
    deploy(fleet, &DeploymentOptions::seeded(1)).expect("deploys")
}

fn nodes(deployment: &Deployment) -> Vec<String> {
    deployment.simulation.cloud().ssm.node_ids().map(str::to_owned).collect()
}

fn script(nodes: &[String]) -> Value {
    json!({ "DocumentName": "AWS-RunShellScript", "InstanceIds": nodes, "Parameters": { "commands": ["uptime"] } })
}

fn pass(deployment: &mut Deployment, seconds: i64) {
    deployment.pass(SignedDuration::from_secs(seconds)).expect("time passes");
}

fn send(deployment: &mut Deployment, body: &Value) -> Value {
    deployment.call("SendCommand", body).expect("it is sent")["Command"].clone()
}

/// A command that was sent to these nodes.
fn sent(deployment: &mut Deployment, nodes: &[String]) -> String {
    send(deployment, &script(nodes))["CommandId"].as_str().expect("an id").to_owned()
}

fn refused(deployment: &mut Deployment, operation: &str, body: &Value) -> ApiError {
    match deployment.call(operation, body) {
        Err(DeploymentError::Api(error)) => error,
        other => panic!("{operation} {body} should have been refused: {other:?}"),
    }
}

/// What SSM itself answers.
fn by_ssm(deployment: &Deployment, operation: &str, body: &Value) -> Result<Value, String> {
    let now = deployment.simulation.now();
    let mut cloud = deployment.simulation.cloud();
    cloud.ssm.handle(operation, body, now).map_err(|error| error.code)
}

/// All pages of a list, of at most so many a page.
fn listed(
    deployment: &mut Deployment,
    operation: &str,
    list: &str,
    request: &Value,
    most: u32,
) -> Vec<Value> {
    let mut request = request.clone();
    request["MaxResults"] = json!(most);
    let mut all = Vec::new();
    loop {
        let page = deployment.call(operation, &request).expect("a page");
        let found = page[list].as_array().expect("a list");
        assert!(found.len() <= most as usize, "{} of {most}", found.len());
        all.extend(found.clone());
        if page["NextToken"].is_null() {
            return all;
        }
        request["NextToken"] = page["NextToken"].clone();
    }
}

fn texts(found: &[Value], member: &str) -> Vec<String> {
    found.iter().map(|one| one[member].as_str().expect("text").to_owned()).collect()
}

#[test]
fn what_is_sent_by_our_api_is_sent_with_every_parameter_and_answered_as_ssm_does() {
    let mut deployment = deployed(Fleet::plain(3, 1));
    let nodes = nodes(&deployment);
    let mut body = script(&nodes);
    let given = json!({
        "DocumentVersion": "$LATEST", "TimeoutSeconds": 600, "Comment": "weekly", "OutputS3BucketName": "outputs",
        "OutputS3KeyPrefix": "night", "MaxConcurrency": "50%", "MaxErrors": "1",
        "ServiceRoleArn": "arn:aws:iam::123456789012:role/theirs",
        "NotificationConfig": { "NotificationArn": "arn:aws:sns:us-east-1:123456789012:theirs",
            "NotificationEvents": ["Failed"], "NotificationType": "Command" },
        "CloudWatchOutputConfig": { "CloudWatchLogGroupName": "ours", "CloudWatchOutputEnabled": true },
    });
    for (member, value) in given.as_object().expect("an object") {
        body[member] = value.clone();
    }
    let command = send(&mut deployment, &body);
    for member in [
        "DocumentVersion",
        "TimeoutSeconds",
        "OutputS3BucketName",
        "MaxConcurrency",
        "MaxErrors",
        "NotificationConfig",
        "CloudWatchOutputConfig",
        "Comment",
    ] {
        assert_eq!(command[member], given[member], "{member}");
    }
    assert_eq!(command["InstanceIds"], json!(nodes));
    assert_eq!(command["ServiceRole"], given["ServiceRoleArn"]);
    pass(&mut deployment, 120);
    let id = json!({ "CommandId": command["CommandId"] });
    let theirs = by_ssm(&deployment, "ListCommands", &id).expect("SSM knows it")["Commands"][0].clone();
    assert_eq!(
        theirs["NotificationConfig"], given["NotificationConfig"],
        "a caller's own is passed on unchanged"
    );
    let ours = deployment.call("ListCommands", &id).expect("a page")["Commands"][0].clone();
    assert_eq!(ours["Comment"], "weekly", "our mark is not shown");
    for member in [
        "Status",
        "StatusDetails",
        "TargetCount",
        "CompletedCount",
        "ErrorCount",
        "DocumentName",
        "Parameters",
    ] {
        assert_eq!(ours[member], theirs[member], "{member}");
    }
}

#[test]
fn an_sdks_own_retry_does_not_send_twice() {
    let mut deployment = deployed(Fleet::plain(3, 1));
    let body = script(&nodes(&deployment));
    let mut send = |caller: &str, request: &str| {
        let answer = deployment.call_as(caller, request, "SendCommand", &body).expect("it is sent");
        answer["Command"]["CommandId"].as_str().expect("an id").to_owned()
    };
    let first = send(CALLER, "request-1");
    assert_eq!(send(CALLER, "request-1"), first);
    let others = [send(CALLER, "request-2"), send("arn:aws:iam::123456789012:user/bob", "request-1")];
    assert!(!others.contains(&first), "another call, and another caller");
    assert_eq!(deployment.simulation.cloud().ssm.ledger().commands().len(), 3);
}

#[test]
fn what_ssm_refuses_is_refused_in_its_words_by_both() {
    let mut deployment = deployed(Fleet::plain(3, 1));
    let nodes = nodes(&deployment);
    let stranger = "i-00000000000000000".to_owned();
    let with = |member: &str, value: Value| {
        let mut body = script(&nodes);
        body[member] = value;
        body
    };
    for (operation, body, code) in [
        ("SendCommand", script(std::slice::from_ref(&stranger)), "InvalidInstanceId"),
        ("SendCommand", script(&[nodes[0].clone(), nodes[0].clone()]), "DuplicateInstanceId"),
        ("SendCommand", with("DocumentName", json!("No-Such")), "InvalidDocument"),
        ("SendCommand", with("DocumentVersion", json!("77")), "InvalidDocumentVersion"),
        ("SendCommand", with("Parameters", json!({ "nonsense": ["x"] })), "InvalidParameters"),
        ("SendCommand", with("TimeoutSeconds", json!(29)), "ValidationException"),
        ("SendCommand", with("Comment", json!("x".repeat(101))), "ValidationException"),
        ("SendCommand", with("InstanceIds", json!([])), "ValidationException"),
        ("CancelCommand", json!({ "CommandId": UNKNOWN }), "InvalidCommandId"),
        ("CancelCommand", json!({ "CommandId": "x".repeat(36) }), "InvalidCommandId"),
        ("CancelCommand", json!({}), "ValidationException"),
        (
            "GetCommandInvocation",
            json!({ "CommandId": UNKNOWN, "InstanceId": nodes[0] }),
            "InvocationDoesNotExist",
        ),
        (
            "GetCommandInvocation",
            json!({ "CommandId": UNKNOWN, "InstanceId": "web-1" }),
            "ValidationException",
        ),
        ("ListCommands", json!({ "MaxResults": 51 }), "ValidationException"),
        ("ListCommands", json!({ "Filters": [{ "key": "Owner", "value": "me" }] }), "InvalidFilterKey"),
        (
            "ListCommands",
            json!({ "Filters": [{ "key": "Status", "value": "Undeliverable" }] }),
            "ValidationException",
        ),
        (
            "ListCommandInvocations",
            json!({ "Filters": [{ "key": "ExecutionStage", "value": "Complete" }] }),
            "InvalidFilterKey",
        ),
        ("ListCommandInvocations", json!({ "NextToken": "nonsense" }), "InvalidNextToken"),
    ] {
        assert_eq!(by_ssm(&deployment, operation, &body), Err(code.to_owned()), "{operation} {body}");
        assert_eq!(refused(&mut deployment, operation, &body).code, code, "{operation} {body}");
    }
    assert!(deployment.simulation.cloud().ssm.ledger().commands().is_empty());
    for operation in ["ListCommands", "ListCommandInvocations"] {
        let answer =
            deployment.call(operation, &json!({ "CommandId": UNKNOWN })).expect("nothing is no error");
        assert!(answer["NextToken"].is_null(), "{answer}");
    }
}

#[test]
fn commands_are_listed_page_by_page_whatever_arrives_meanwhile() {
    let mut deployment = deployed(Fleet::plain(3, 1));
    let nodes = nodes(&deployment);
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(sent(&mut deployment, &nodes[..1]));
        pass(&mut deployment, 60);
    }
    ids.reverse();
    for most in [1, 2, 50] {
        let found = listed(&mut deployment, "ListCommands", "Commands", &json!({}), most);
        assert_eq!(texts(&found, "CommandId"), ids, "{most} a page");
    }
    let page = deployment.call("ListCommands", &json!({ "MaxResults": 2 })).expect("a page");
    sent(&mut deployment, &nodes[1..2]);
    let more = json!({ "MaxResults": 50, "NextToken": page["NextToken"] });
    let rest = deployment.call("ListCommands", &more).expect("a page");
    assert_eq!(
        texts(rest["Commands"].as_array().expect("a list"), "CommandId"),
        ids[2..],
        "not shifted by the new one"
    );
    let elsewhere = json!({ "NextToken": page["NextToken"], "InstanceId": nodes[0] });
    assert_eq!(refused(&mut deployment, "ListCommands", &elsewhere).code, "InvalidNextToken");
    assert_eq!(
        refused(&mut deployment, "ListCommandInvocations", &json!({ "NextToken": page["NextToken"] })).code,
        "InvalidNextToken"
    );
    let altered = json!({ "NextToken": format!("{}A", page["NextToken"].as_str().expect("a token")) });
    assert_eq!(refused(&mut deployment, "ListCommands", &altered).code, "InvalidNextToken");
}

#[test]
fn filters_let_through_what_they_let_through_at_ssm() {
    let mut deployment = deployed(steady_fleet(2, 30));
    let nodes = nodes(&deployment);
    sent(&mut deployment, &nodes);
    pass(&mut deployment, 600);
    let middle = deployment.simulation.now().to_string();
    pass(&mut deployment, 600);
    sent(&mut deployment, &nodes[..1]);
    pass(&mut deployment, 10);
    let filter = |key: &str, value: &str| json!({ "Filters": [{ "key": key, "value": value }] });
    for (operation, list, request) in [
        ("ListCommands", "Commands", filter("Status", "Success")),
        ("ListCommands", "Commands", filter("Status", "InProgress")),
        ("ListCommands", "Commands", filter("ExecutionStage", "Complete")),
        ("ListCommands", "Commands", filter("ExecutionStage", "Executing")),
        ("ListCommands", "Commands", filter("DocumentName", "AWS-RunShellScript")),
        ("ListCommands", "Commands", filter("DocumentName", "AWS-RunPatchBaseline")),
        ("ListCommands", "Commands", filter("InvokedAfter", &middle)),
        ("ListCommands", "Commands", filter("InvokedBefore", &middle)),
        ("ListCommands", "Commands", json!({ "InstanceId": nodes[1] })),
        ("ListCommandInvocations", "CommandInvocations", json!({ "InstanceId": nodes[0] })),
        ("ListCommandInvocations", "CommandInvocations", filter("Status", "Success")),
        ("ListCommandInvocations", "CommandInvocations", filter("InvokedBefore", &middle)),
        ("ListCommandInvocations", "CommandInvocations", json!({})),
    ] {
        let theirs = by_ssm(&deployment, operation, &request).expect("a page");
        let key = |one: &Value| (one["CommandId"].to_string(), one["InstanceId"].to_string());
        let theirs: BTreeSet<_> = theirs[list].as_array().expect("a list").iter().map(key).collect();
        let ours = listed(&mut deployment, operation, list, &request, 1);
        assert_eq!(ours.iter().map(key).collect::<BTreeSet<_>>(), theirs, "{operation} {request}");
        assert_eq!(ours.len(), theirs.len(), "each once");
    }
}

#[test]
fn an_invocation_is_read_through_once_and_then_kept() {
    let mut deployment = deployed(Fleet::plain(2, 1));
    let nodes = nodes(&deployment);
    let id = sent(&mut deployment, &nodes);
    pass(&mut deployment, 300);
    let body = json!({ "CommandId": id, "InstanceId": nodes[0] });
    let mut theirs = by_ssm(&deployment, "GetCommandInvocation", &body).expect("SSM answers");
    // Ours shows the caller's comment, of whom there is none here; SSM our mark.
    theirs["Comment"] = json!("");
    let before = deployment.simulation.cloud().counters.applied("ssm:GetCommandInvocation");
    for _ in 0..3 {
        let ours = deployment.call("GetCommandInvocation", &body).expect("ours answers");
        assert_eq!(ours, theirs);
    }
    let asked = deployment.simulation.cloud().counters.applied("ssm:GetCommandInvocation") - before;
    assert!(asked <= 1, "SSM was asked {asked} times");
    let step = theirs["PluginName"].clone();
    let with = |plugin: &Value| json!({ "CommandId": id, "InstanceId": nodes[0], "PluginName": plugin });
    assert!(deployment.call("GetCommandInvocation", &with(&step)).is_ok());
    assert_eq!(
        refused(&mut deployment, "GetCommandInvocation", &with(&json!("nonsense"))).code,
        "InvalidPluginName"
    );
}

#[test]
fn details_tell_of_each_step_and_without_them_nothing_is_told() {
    let mut deployment = deployed(Fleet::plain(2, 1));
    let nodes = nodes(&deployment);
    let id = sent(&mut deployment, &nodes);
    pass(&mut deployment, 300);
    let mut plugins = |details: bool| {
        let request = json!({ "CommandId": id, "Details": details });
        let found = listed(&mut deployment, "ListCommandInvocations", "CommandInvocations", &request, 50);
        assert_eq!(found.len(), 2);
        found[0]["CommandPlugins"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((plugins(false), plugins(true) > 0), (0, true));
}

#[test]
fn a_command_is_cancelled_for_a_caller_on_some_nodes_or_on_all() {
    let mut deployment = deployed(steady_fleet(3, 600));
    let nodes = nodes(&deployment);
    let id = sent(&mut deployment, &nodes);
    pass(&mut deployment, 30);
    let one = json!({ "CommandId": id, "InstanceIds": [nodes[0]] });
    assert_eq!(deployment.call("CancelCommand", &one).expect("it is taken"), json!({}));
    pass(&mut deployment, 60);
    let read = |deployment: &mut Deployment, node: &str| {
        let body = json!({ "CommandId": id, "InstanceId": node });
        deployment.call("GetCommandInvocation", &body).expect("an invocation")["Status"].clone()
    };
    assert_eq!(read(&mut deployment, &nodes[0]), "Cancelled");
    assert_eq!(read(&mut deployment, &nodes[1]), "InProgress");
    deployment.call("CancelCommand", &json!({ "CommandId": id })).expect("it is taken");
    pass(&mut deployment, 120);
    assert_eq!(read(&mut deployment, &nodes[1]), "Cancelled");
}
