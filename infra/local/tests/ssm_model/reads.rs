use super::support::{World, fleet, steady, text};
use fleetwright_local::fleet::{Behaviour, Span};
use fleetwright_local::ssm::SsmOptions;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

#[test]
fn a_new_command_is_invisible_at_first() {
    let mut world = World::exact(1, &steady(100));
    let node = world.ids()[0].clone();
    world.ssm.hide_next_command_for(Duration::from_secs(30));
    let id = world.send(&json!({"InstanceIds": [node]}));
    let other = world.send(&json!({"InstanceIds": [node]}));
    world.pass(29_999);
    let one = json!({"CommandId": id, "InstanceId": node});
    assert_eq!(world.call("ListCommands", &json!({"CommandId": id}))["Commands"], json!([]));
    assert_eq!(world.call("ListCommands", &json!({}))["Commands"][0]["CommandId"], json!(other));
    assert_eq!(world.call("ListCommandInvocations", &one)["CommandInvocations"], json!([]));
    assert_eq!(world.refusal("GetCommandInvocation", &one).code, "InvocationDoesNotExist");
    assert_eq!(world.refusal("CancelCommand", &json!({"CommandId": id})).code, "InvalidCommandId");
    // It runs all the same.
    assert_eq!(world.ssm.ledger().runs_of(&id).count(), 1);
    world.pass(1);
    assert_eq!(world.command(&id)["Status"], "InProgress");
    assert_eq!(world.call("GetCommandInvocation", &one)["Status"], "InProgress");
    assert_eq!(world.call("CancelCommand", &json!({"CommandId": id})), json!({}));
}

#[test]
fn changes_are_read_later_and_never_go_back() {
    let options = SsmOptions { read_lag: Span::seconds(1, 20), ..SsmOptions::exact() };
    let mut world = World::new(fleet(20, &Behaviour::default()), options);
    let id = world.send(&json!({"InstanceIds": world.ids()}));
    let order = ["", "Pending", "InProgress", "Success"];
    let rank = |status: &str| order.iter().position(|one| *one == status).unwrap_or(9);
    let (mut before, mut completed) = (vec![0; 20], 0);
    for _ in 0..120 {
        world.pass(500);
        let invocations = world.call("ListCommandInvocations", &json!({"CommandId": id}));
        for one in invocations["CommandInvocations"].as_array().into_iter().flatten() {
            let node = world.ids().iter().position(|node| *node == text(&one["InstanceId"])).unwrap_or(0);
            let now = rank(&text(&one["Status"]));
            assert!(now >= before[node]);
            before[node] = now;
        }
        let count = world.command(&id)["CompletedCount"].as_i64().unwrap_or(0);
        assert!(count >= completed);
        completed = count;
    }
    assert_eq!((before, completed), (vec![3; 20], 20));
}

#[test]
fn targets_are_resolved_after_the_answer() {
    let options = SsmOptions { resolve_lag: Span::seconds(1, 1), ..SsmOptions::exact() };
    let mut world = World::new(fleet(3, &steady(10)), options);
    let targets = json!([{"Key": "InstanceIds", "Values": world.ids()}]);
    let body = json!({"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}, "Targets": targets});
    let command = world.call("SendCommand", &body)["Command"].clone();
    assert_eq!((&command["InstanceIds"], &command["TargetCount"]), (&json!([]), &json!(0)));
    assert_eq!(command["Status"], "Pending");
    let id = text(&command["CommandId"]);
    assert_eq!(world.details(&id).len(), 0);
    world.settle();
    assert_eq!(world.command(&id)["TargetCount"], 3);
    assert_eq!(world.details(&id).len(), 3);
}

#[test]
fn commands_come_newest_first_in_pages_that_survive_new_arrivals() {
    let mut world = World::exact(2, &steady(1));
    let node = world.ids()[0].clone();
    let mut sent: Vec<String> = (0..7)
        .map(|_| {
            world.pass(1000);
            world.send(&json!({"InstanceIds": [node]}))
        })
        .collect();
    let mut read = Vec::new();
    let mut body = json!({"MaxResults": 3, "InstanceId": node});
    loop {
        let page = world.call("ListCommands", &body);
        let commands = page["Commands"].as_array().cloned().unwrap_or_default();
        read.extend(commands.iter().map(|command| text(&command["CommandId"])));
        world.send(&json!({"InstanceIds": [node]}));
        let Some(token) = page["NextToken"].as_str() else { break };
        body["NextToken"] = json!(token);
    }
    sent.reverse();
    assert_eq!(read, sent);
}

#[test]
fn tokens_are_refused_when_altered_or_used_elsewhere() {
    let mut world = World::exact(60, &steady(1));
    let id = world.send(&json!({"Targets": [{"Key": "InstanceIds", "Values": world.ids()[..40]}]}));
    world.settle();
    let page = world.call("ListCommandInvocations", &json!({"CommandId": id, "MaxResults": 10}));
    let token = text(&page["NextToken"]);
    let altered = format!("{}{}", if token.starts_with('0') { "1" } else { "0" }, &token[1..]);
    for body in [
        json!({"CommandId": id, "NextToken": altered}),
        json!({"CommandId": id, "NextToken": "ünfug"}),
        json!({"NextToken": token}),
        json!({"CommandId": id, "NextToken": token, "Filters": [{"key": "Status", "value": "Success"}]}),
    ] {
        assert_eq!(world.refusal("ListCommandInvocations", &body).code, "InvalidNextToken", "{body}");
    }
    assert_eq!(world.refusal("ListCommands", &json!({"NextToken": token})).code, "InvalidNextToken");
    let rest = world.call("ListCommandInvocations", &json!({"CommandId": id, "NextToken": token}));
    let nodes = |page: &Value| -> Vec<String> {
        page["CommandInvocations"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|one| text(&one["InstanceId"]))
            .collect()
    };
    let all: BTreeSet<String> = nodes(&page).into_iter().chain(nodes(&rest)).collect();
    assert_eq!((nodes(&page).len(), nodes(&rest).len(), all.len()), (10, 30, 40));
}

#[test]
fn filters_let_through_what_they_say() {
    let mut world = World::exact(1, &steady(60));
    let node = world.ids()[0].clone();
    let first = world.send(&json!({"InstanceIds": [node]}));
    world.pass(120_000);
    let second =
        world.send(&json!({"InstanceIds": [node], "DocumentName": "AWS-UpdateSSMAgent", "Parameters": {}}));
    world.pass(1000);
    let both = [second.clone(), first.clone()];
    for (key, value, expected) in [
        ("Status", "Success", &both[1..]),
        ("Status", "InProgress", &both[..1]),
        ("ExecutionStage", "Executing", &both[..1]),
        ("ExecutionStage", "Complete", &both[1..]),
        ("DocumentName", "AWS-UpdateSSMAgent", &both[..1]),
        ("InvokedAfter", "2026-01-01T00:01:00Z", &both[..1]),
        ("InvokedBefore", "2026-01-01T00:01:00Z", &both[1..]),
        ("InvokedAfter", "2026-01-01T00:00:00Z", &both[..]),
    ] {
        let answer = world.call("ListCommands", &json!({"Filters": [{"key": key, "value": value}]}));
        let found: Vec<String> =
            answer["Commands"].as_array().into_iter().flatten().map(|one| text(&one["CommandId"])).collect();
        assert_eq!(found, expected, "{key} {value}");
    }
    let stage = json!({"Filters": [{"key": "ExecutionStage", "value": "Complete"}]});
    assert_eq!(world.refusal("ListCommandInvocations", &stage).code, "InvalidFilterKey");
    let unknown = json!({"Filters": [{"key": "Colour", "value": "red"}]});
    assert_eq!(world.refusal("ListCommands", &unknown).code, "InvalidFilterKey");
    for value in ["tomorrow", ""] {
        let body = json!({"Filters": [{"key": "InvokedAfter", "value": value}]});
        assert_eq!(world.refusal("ListCommands", &body).code, "ValidationException");
    }
}

#[test]
fn outputs_are_there_at_the_end_and_cut() {
    let long = "x".repeat(30_000);
    let behaviour = Behaviour { output: Some(format!("{{{{ node }}}} {long}")), ..steady(10) };
    let mut world = World::exact(1, &behaviour);
    let node = world.ids()[0].clone();
    let id = world
        .send(&json!({"InstanceIds": [node], "OutputS3BucketName": "outputs", "OutputS3KeyPrefix": "p"}));
    let one = json!({"CommandId": id, "InstanceId": node, "Details": true});
    world.pass(5000);
    let early = world.call("GetCommandInvocation", &one);
    assert_eq!((&early["StandardOutputContent"], &early["ResponseCode"]), (&json!(""), &json!(-1)));
    world.settle();
    let late = world.call("GetCommandInvocation", &one);
    let content = text(&late["StandardOutputContent"]);
    assert_eq!(content.len(), 24_000);
    assert!(content.starts_with(&node) && content.ends_with("---Output truncated---"));
    assert_eq!(
        (&late["PluginName"], &late["ExecutionStartDateTime"]),
        (&json!("aws:runShellScript"), &json!("2026-01-01T00:00:00Z"))
    );
    assert_eq!(
        text(&late["StandardOutputUrl"]),
        format!("https://s3.us-east-1.amazonaws.com/outputs/p/{id}/{node}/awsrunShellScript/stdout")
    );
    let plugins =
        world.call("ListCommandInvocations", &one)["CommandInvocations"][0]["CommandPlugins"].clone();
    assert_eq!(text(&plugins[0]["Output"]).len(), 2500);
    assert_eq!(plugins[0]["ResponseFinishDateTime"], json!(1_767_225_610.0));
}

#[test]
fn a_document_of_several_steps_needs_the_steps_name() {
    let mut world = World::exact(1, &steady(10));
    let node = world.ids()[0].clone();
    let patch = json!({"InstanceIds": [node], "DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}});
    let id = world.send(&patch);
    world.settle();
    let get = |name: Option<&str>| json!({"CommandId": id, "InstanceId": node, "PluginName": name});
    assert_eq!(world.refusal("GetCommandInvocation", &get(None)).code, "InvalidPluginName");
    assert_eq!(
        world.refusal("GetCommandInvocation", &get(Some("aws:runShellScript"))).code,
        "InvalidPluginName"
    );
    assert_eq!(world.call("GetCommandInvocation", &get(Some("PatchLinux")))["ResponseCode"], 0);
    let skipped =
        text(&world.call("GetCommandInvocation", &get(Some("PatchWindows")))["StandardOutputContent"]);
    assert!(skipped.contains("unsatisfied preconditions"), "{skipped}");
}
