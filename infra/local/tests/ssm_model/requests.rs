use super::support::{ROLE, TOPIC, World, fleet, steady, text};
use fleetwright_local::fleet::{Agent, Platform};
use fleetwright_local::ssm::SsmOptions;
use serde_json::{Value, json};

fn world() -> World {
    let mut fleet = fleet(60, &steady(1));
    fleet.nodes_mut()[58].agent = Agent::Unregistered;
    fleet.nodes_mut()[59].platform = Platform::Windows;
    World::new(fleet, SsmOptions::exact())
}

#[test]
fn bad_sends_are_refused_with_ssms_errors_and_leave_no_trace() {
    let mut world = world();
    let ids = world.ids();
    let stranger = "i-00000000000000000";
    for (members, code, named) in [
        (json!({"InstanceIds": ids[..51]}), "ValidationException", "less than or equal to 50"),
        (json!({"InstanceIds": ["i-bad"]}), "ValidationException", "i-bad"),
        (json!({"InstanceIds": [ids[0], ids[0]]}), "DuplicateInstanceId", ""),
        (json!({"InstanceIds": [ids[0], stranger]}), "InvalidInstanceId", stranger),
        (json!({"InstanceIds": [ids[58]]}), "InvalidInstanceId", &ids[58]),
        (json!({"InstanceIds": [ids[59]]}), "UnsupportedPlatformType", &ids[59]),
        (json!({}), "ValidationException", "InstanceIds or Targets"),
        (
            json!({"InstanceIds": [ids[0]], "Targets": [{"Key": "tag:a", "Values": ["b"]}]}),
            "ValidationException",
            "exclude",
        ),
        (
            json!({"Targets": vec![json!({"Key": "tag:a", "Values": ["b"]}); 6]}),
            "ValidationException",
            "targets",
        ),
        (json!({"Targets": [{"Key": "colour", "Values": ["red"]}]}), "ValidationException", "colour"),
        (json!({"Targets": [{"Key": "tag:a", "Values": []}]}), "ValidationException", "tag:a"),
        (json!({"InstanceIds": [ids[0]], "DocumentName": null}), "ValidationException", "documentName"),
        (json!({"InstanceIds": [ids[0]], "DocumentName": "ab"}), "ValidationException", "documentName"),
        (json!({"InstanceIds": [ids[0]], "DocumentName": "AWS-NoSuch"}), "InvalidDocument", "AWS-NoSuch"),
        (json!({"InstanceIds": [ids[0]], "DocumentVersion": "9"}), "InvalidDocumentVersion", "9"),
        (
            json!({"InstanceIds": [ids[0]], "DocumentVersion": "one"}),
            "ValidationException",
            "documentVersion",
        ),
        (json!({"InstanceIds": [ids[0]], "Parameters": {}}), "InvalidParameters", "commands"),
        (
            json!({"InstanceIds": [ids[0]], "Parameters": {"commands": ["x"], "colour": ["red"]}}),
            "InvalidParameters",
            "colour",
        ),
        (json!({"InstanceIds": [ids[0]], "Parameters": {"commands": "x"}}), "SerializationException", ""),
        (
            json!({"InstanceIds": [ids[0]], "Parameters": {"commands": ["x".repeat(70_000)]}}),
            "MaxDocumentSizeExceeded",
            "65536",
        ),
        (json!({"InstanceIds": [ids[0]], "TimeoutSeconds": 29}), "ValidationException", "timeoutSeconds"),
        (
            json!({"InstanceIds": [ids[0]], "TimeoutSeconds": 2_592_001}),
            "ValidationException",
            "timeoutSeconds",
        ),
        (json!({"InstanceIds": [ids[0]], "Comment": "x".repeat(101)}), "ValidationException", "comment"),
        (json!({"InstanceIds": [ids[0]], "MaxConcurrency": "0"}), "ValidationException", "maxConcurrency"),
        (json!({"InstanceIds": [ids[0]], "MaxErrors": "101%"}), "ValidationException", "maxErrors"),
        (json!({"InstanceIds": "all"}), "SerializationException", ""),
    ] {
        let mut body = json!({"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}});
        for (name, value) in members.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let error = world.refusal("SendCommand", &body);
        assert_eq!(error.code, code, "{members} {error}");
        assert!(error.message.contains(named), "{members} {error}");
    }
    assert_eq!(world.call("ListCommands", &json!({}))["Commands"], json!([]));
    assert_eq!((world.ssm.next_at(), world.ssm.ledger().commands().len()), (None, 0));
}

#[test]
fn notifications_need_a_standard_topic_a_role_and_the_right_case() {
    let mut world = world();
    let ids = world.ids();
    for (config, role, code) in [
        (json!({"NotificationArn": TOPIC, "NotificationEvents": ["all"]}), ROLE, "ValidationException"),
        (json!({"NotificationArn": TOPIC, "NotificationType": "command"}), ROLE, "ValidationException"),
        (json!({"NotificationArn": "facts"}), ROLE, "InvalidNotificationConfig"),
        (json!({"NotificationArn": format!("{TOPIC}.fifo")}), ROLE, "InvalidNotificationConfig"),
        (json!({"NotificationArn": TOPIC}), "", "InvalidRole"),
    ] {
        let body = json!({
            "DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}, "InstanceIds": [ids[0]],
            "NotificationConfig": config, "ServiceRoleArn": role,
        });
        assert_eq!(world.refusal("SendCommand", &body).code, code, "{config}");
    }
}

#[test]
fn parameters_are_held_against_the_document() {
    let mut world = world();
    let ids = world.ids();
    let patch = |parameters: Value| json!({"DocumentName": "AWS-RunPatchBaseline", "InstanceIds": [ids[0]], "Parameters": parameters});
    for parameters in
        [json!({}), json!({"Operation": ["Install it"]}), json!({"Operation": ["Scan", "Install"]})]
    {
        assert_eq!(world.refusal("SendCommand", &patch(parameters)).code, "InvalidParameters");
    }
    let by_arn = json!({
        "DocumentName": "arn:aws:ssm:us-east-1::document/AWS-RunPatchBaseline", "InstanceIds": [ids[0]],
        "Parameters": {"Operation": ["Scan"]},
    });
    assert_eq!(world.call("SendCommand", &by_arn)["Command"]["DocumentName"], "AWS-RunPatchBaseline");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let mut world = world();
    let body = json!({"DocumentName": "x", "Comment": "y".repeat(101), "InstanceIds": []});
    let error = world.refusal("SendCommand", &body);
    assert!(error.message.starts_with("2 validation errors detected: "), "{error}");
}

#[test]
fn targets_match_all_keys_and_any_value() {
    let mut fleet = fleet(6, &steady(1));
    for (index, node) in fleet.nodes_mut().iter_mut().enumerate() {
        let role = ["web", "app", "db"][index % 3];
        let tags = [("Role", role), ("Canary", if index < 3 { "true" } else { "false" })];
        node.tags = std::sync::Arc::new(tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    }
    fleet.nodes_mut()[5].platform = Platform::Windows;
    let mut world = World::new(fleet, SsmOptions::exact());
    let ids = world.ids();
    for (targets, expected) in [
        (json!([{"Key": "tag:Role", "Values": ["web", "app"]}]), vec![0, 1, 3, 4]),
        (
            json!([{"Key": "tag:Role", "Values": ["web", "app"]}, {"Key": "tag:Canary", "Values": ["true"]}]),
            vec![0, 1],
        ),
        (json!([{"Key": "instanceids", "Values": [ids[2], "i-00000000000000000"]}]), vec![2]),
        (json!([{"Key": "tag-key", "Values": ["Role"]}]), vec![0, 1, 2, 3, 4, 5]),
        (json!([{"Key": "tag:Role", "Values": ["mail"]}]), vec![]),
    ] {
        let id = world.send(&json!({"Targets": targets}));
        world.settle();
        let nodes = world
            .ssm
            .ledger()
            .command(&id)
            .map(|entry| entry.nodes.keys().map(|node| node.to_string()).collect::<Vec<_>>());
        let mut wanted: Vec<String> = expected.iter().map(|index: &usize| ids[*index].clone()).collect();
        wanted.sort();
        assert_eq!(nodes, Some(wanted), "{targets}");
        if expected.is_empty() {
            let command = world.command(&id);
            assert_eq!(
                (&command["Status"], &command["StatusDetails"]),
                (&json!("Success"), &json!("NoInstancesInTag"))
            );
            assert_eq!(command["TargetCount"], 0);
        } else if expected.contains(&5) {
            let windows =
                world.call("ListCommandInvocations", &json!({"CommandId": id, "InstanceId": ids[5]}));
            assert_eq!(windows["CommandInvocations"][0]["StatusDetails"], "InvalidPlatform");
        }
    }
}

#[test]
fn more_targets_than_may_be_pending_are_refused_before_running() {
    let options = SsmOptions { pending_invocation_limit: Some(5), ..SsmOptions::exact() };
    let mut world = World::new(fleet(6, &steady(1)), options);
    let id = world.send(&json!({"Targets": [{"Key": "InstanceIds", "Values": world.ids()}]}));
    world.settle();
    assert_eq!(world.command(&id)["StatusDetails"], "LimitExceeded");
    assert_eq!(world.ssm.ledger().runs().len(), 0);
}

#[test]
fn documents_have_versions_and_formats() {
    let mut world = world();
    let content = "schemaVersion: '0.3'\nmainSteps:\n  - name: one\n    action: aws:sleep\n";
    let created = world.call(
        "CreateDocument",
        &json!({"Name": "Night", "Content": content, "DocumentType": "Automation", "DocumentFormat": "YAML"}),
    );
    assert_eq!(created["DocumentDescription"]["SchemaVersion"], "0.3");
    let again =
        json!({"Name": "Night", "Content": content, "DocumentType": "Automation", "DocumentFormat": "YAML"});
    assert_eq!(world.refusal("CreateDocument", &again).code, "DocumentAlreadyExists");
    let document = world.call("GetDocument", &json!({"Name": "Night"}));
    assert_eq!((text(&document["Content"]), &document["DocumentVersion"]), (content.to_owned(), &json!("1")));
    let as_json =
        text(&world.call("GetDocument", &json!({"Name": "Night", "DocumentFormat": "JSON"}))["Content"]);
    assert_eq!(
        serde_json::from_str::<Value>(&as_json).ok().map(|value| value["mainSteps"][0]["name"].clone()),
        Some(json!("one"))
    );
    assert!(
        world.ssm.register_document("Night", "schemaVersion: '0.3' # changed", "Automation", "YAML").is_ok()
    );
    let newest = world.call("GetDocument", &json!({"Name": "Night", "DocumentVersion": "$LATEST"}));
    assert_eq!(newest["DocumentVersion"], "2");
    assert_eq!(
        text(&world.call("GetDocument", &json!({"Name": "Night", "DocumentVersion": "1"}))["Content"]),
        content
    );
    assert_eq!(
        world.refusal("GetDocument", &json!({"Name": "Night", "DocumentVersion": "3"})).code,
        "InvalidDocumentVersion"
    );
    let send = json!({"DocumentName": "Night", "InstanceIds": [world.ids()[0]]});
    assert_eq!(world.refusal("SendCommand", &send).code, "InvalidDocument");
    let broken =
        world.refusal("CreateDocument", &json!({"Name": "Bad", "Content": "a: [", "DocumentFormat": "YAML"}));
    assert_eq!(broken.code, "InvalidDocumentContent");
    assert_eq!(world.refusal("DeleteInventory", &json!({})).code, "UnknownOperationException");
}

#[test]
fn a_command_document_of_ones_own_runs() {
    let mut world = world();
    let content = "schemaVersion: '2.2'\nparameters:\n  message:\n    type: String\nmainSteps:\n  - name: say\n    action: aws:runShellScript\n    inputs:\n      timeoutSeconds: '60'\n      runCommand: ['echo {{ message }}']\n";
    assert!(world.ssm.register_document("Say", content, "Command", "YAML").is_ok());
    let node = world.ids()[0].clone();
    let id =
        world.send(&json!({"DocumentName": "Say", "Parameters": {"message": ["hi"]}, "InstanceIds": [node]}));
    world.settle();
    let answer = world.call("GetCommandInvocation", &json!({"CommandId": id, "InstanceId": node}));
    assert_eq!((&answer["PluginName"], &answer["Status"]), (&json!("say"), &json!("Success")));
}
