use super::*;
use crate::SendCommandRequest;
use serde_json::json;

const NODE: &str = "i-0123456789abcdef0";
const ID: &str = "8f7c1a52-3a0e-4b8e-9c53-6d2f7a1b0c9d";

fn refused(operation: &str, body: &Value) -> ServiceError {
    match read_request::<Value>(operation, body) {
        Err(error) => error,
        Ok(_) => panic!("{operation} {body} should have been refused"),
    }
}

#[test]
fn the_model_is_whole() {
    for shape in MODEL.shapes().values() {
        let inner: Vec<&String> = match shape {
            Shape::Structure { members, required } => {
                assert!(required.iter().all(|name| members.iter().any(|(member, _)| member == name)));
                members.iter().map(|(_, of)| of).collect()
            }
            Shape::List { member, .. } => vec![member],
            Shape::Map { key, value, .. } => vec![key, value],
            Shape::String(text) => {
                assert!(text.pattern.as_ref().is_none_or(shape::Pattern::is_readable), "{text:?}");
                Vec::new()
            }
            Shape::Integer(_) | Shape::Boolean => Vec::new(),
        };
        assert!(inner.iter().all(|name| MODEL.shapes().contains_key(*name)), "{inner:?}");
    }
    for shape in SECRET.iter().chain(&FILTER_KEYS) {
        assert!(MODEL.shapes().contains_key(*shape), "{shape}");
    }
    assert!(is_operation("SendAutomationSignal") && !is_operation("DeleteDocument"));
}

/// What the API reference says of members, one or two of every kind of constraint and of every operation: what just
/// fits, and what just does not.
#[test]
fn each_constraint_lets_through_what_just_fits() {
    let maps = |count: usize| -> Value { (0..count).map(|n| (format!("k{n}"), json!(["v"]))).collect() };
    let send = json!({ "DocumentName": "AWS-RunShellScript" });
    let execution = json!({ "AutomationExecutionId": ID });
    let invocation = json!({ "CommandId": ID, "InstanceId": NODE });
    let signal = json!({ "AutomationExecutionId": ID, "SignalType": "Approve" });
    let filters =
        |key: &str, value: &str, count: usize| json!(vec![json!({ key: "Status", value: "x" }); count]);
    let many = |key: &str, count: usize| json!(vec![json!({ "Key": key, "Values": ["x"] }); count]);
    let target_map = json!([{ "Node": ["v".repeat(50)] }]);
    let alarm = |name: &str| json!({ "Alarms": [{ "Name": name }] });
    let url = "https://bucket.s3.eu-central-1.amazonaws.com/x";
    let cases: &[(&str, &Value, &str, Value, Value)] = &[
        ("SendCommand", &send, "DocumentName", json!("a-b"), json!("ab")),
        ("SendCommand", &send, "DocumentName", json!("a".repeat(128)), json!("a".repeat(129))),
        ("SendCommand", &send, "DocumentVersion", json!("$LATEST"), json!("0")),
        ("SendCommand", &send, "DocumentHash", json!("a".repeat(256)), json!("a".repeat(257))),
        ("SendCommand", &send, "DocumentHashType", json!("Sha1"), json!("sha1")),
        ("SendCommand", &send, "InstanceIds", json!(vec![NODE; 50]), json!(vec![NODE; 51])),
        ("SendCommand", &send, "InstanceIds", json!(["i-01234567"]), json!(["i-012345678"])),
        ("SendCommand", &send, "InstanceIds", json!(["mi-0123456789abcdef0"]), json!(["mi-01234567"])),
        ("SendCommand", &send, "Targets", many("tag:Röle", 5), many("tag:Röle", 6)),
        ("SendCommand", &send, "Targets", many("tag:a b", 1), many("tag:a*b", 1)),
        ("SendCommand", &send, "TimeoutSeconds", json!(30), json!(29)),
        ("SendCommand", &send, "TimeoutSeconds", json!(2_592_000), json!(2_592_001)),
        ("SendCommand", &send, "Comment", json!("ä".repeat(100)), json!("ä".repeat(101))),
        ("SendCommand", &send, "OutputS3Region", json!("abc"), json!("ab")),
        ("SendCommand", &send, "OutputS3BucketName", json!("a".repeat(63)), json!("a".repeat(64))),
        ("SendCommand", &send, "OutputS3KeyPrefix", json!("a".repeat(500)), json!("a".repeat(501))),
        ("SendCommand", &send, "MaxConcurrency", json!("100%"), json!("101%")),
        ("SendCommand", &send, "MaxConcurrency", json!("1"), json!("0")),
        ("SendCommand", &send, "MaxErrors", json!("0%"), json!("-1")),
        ("SendCommand", &send, "MaxErrors", json!("1234567"), json!("12345678")),
        (
            "SendCommand",
            &send,
            "NotificationConfig",
            json!({ "NotificationEvents": ["All"] }),
            json!({ "NotificationEvents": ["all"] }),
        ),
        (
            "SendCommand",
            &send,
            "CloudWatchOutputConfig",
            json!({ "CloudWatchLogGroupName": "a" }),
            json!({ "CloudWatchLogGroupName": "" }),
        ),
        ("SendCommand", &send, "AlarmConfiguration", alarm("a"), alarm("  ")),
        ("SendCommand", &send, "AlarmConfiguration", alarm("a"), json!({ "Alarms": [] })),
        ("SendCommand", &send, "AlarmConfiguration", alarm("a"), json!({ "IgnorePollAlarmFailure": true })),
        ("CancelCommand", &invocation, "CommandId", json!(ID), json!("short")),
        ("CancelCommand", &invocation, "InstanceIds", json!([]), json!(["web-1"])),
        ("ListCommands", &json!({}), "MaxResults", json!(1), json!(0)),
        ("ListCommands", &json!({}), "MaxResults", json!(50), json!(51)),
        ("ListCommands", &json!({}), "Filters", filters("key", "value", 5), filters("key", "value", 6)),
        ("ListCommands", &json!({}), "Filters", filters("key", "value", 1), json!([])),
        ("ListCommands", &json!({}), "Filters", filters("key", "value", 1), filters("key", "other", 1)),
        ("ListCommandInvocations", &json!({}), "InstanceId", json!(NODE), json!("i-")),
        ("GetCommandInvocation", &invocation, "PluginName", json!("step"), json!("abc")),
        ("StartAutomationExecution", &send, "Parameters", maps(200), maps(201)),
        (
            "StartAutomationExecution",
            &send,
            "Parameters",
            json!({ "a": vec!["v".repeat(512); 51] }),
            json!({ "a": ["v".repeat(513)] }),
        ),
        ("StartAutomationExecution", &send, "Parameters", json!({}), json!({ "": [] })),
        ("StartAutomationExecution", &send, "ClientToken", json!(ID), json!(format!("g{}", &ID[1..]))),
        ("StartAutomationExecution", &send, "Mode", json!("Interactive"), json!("auto")),
        ("StartAutomationExecution", &send, "Targets", many("InstanceIds", 1), many("InstanceIds", 2)),
        ("StartAutomationExecution", &send, "TargetMaps", target_map, json!([{ "Node": ["v".repeat(51)] }])),
        (
            "StartAutomationExecution",
            &send,
            "TargetLocations",
            json!([{ "Regions": ["a"] }]),
            json!([{ "Regions": [] }]),
        ),
        ("StartAutomationExecution", &send, "TargetLocationsURL", json!(url), json!("http://x")),
        (
            "StartAutomationExecution",
            &send,
            "Tags",
            json!([{ "Key": "a", "Value": "" }]),
            json!([{ "Key": "a" }]),
        ),
        ("StopAutomationExecution", &execution, "Type", json!("Complete"), json!("Halt")),
        ("SendAutomationSignal", &signal, "SignalType", json!("Revoke"), json!("Go")),
        (
            "SendAutomationSignal",
            &signal,
            "Payload",
            json!({ "Comment": ["v".repeat(512)] }),
            json!({ "Comment": [""] }),
        ),
        (
            "SendAutomationSignal",
            &signal,
            "Payload",
            json!({ "k".repeat(50): [] }),
            json!({ "k".repeat(51): [] }),
        ),
        ("SendAutomationSignal", &signal, "Payload", maps(200), maps(201)),
        ("SendAutomationSignal", &signal, "Payload", maps(1), json!({})),
        (
            "SendAutomationSignal",
            &signal,
            "Payload",
            json!({ "a": vec!["v"; 50] }),
            json!({ "a": vec!["v"; 51] }),
        ),
        ("GetAutomationExecution", &execution, "AutomationExecutionId", json!(ID), json!(format!("{ID}0"))),
        ("DescribeAutomationExecutions", &json!({}), "Filters", many("TagKey", 10), many("TagKey", 11)),
        ("DescribeAutomationStepExecutions", &execution, "Filters", many("Action", 6), many("Action", 7)),
        ("DescribeAutomationStepExecutions", &execution, "MaxResults", json!(50), json!(51)),
    ];
    for (operation, base, member, fits, breaks) in cases {
        let with = |value: &Value| {
            let mut body = (*base).clone();
            body[*member] = value.clone();
            body
        };
        let outcome = read_request::<Value>(operation, &with(fits));
        assert!(outcome.is_ok(), "{operation} {member} {fits}: {outcome:?}");
        let error = refused(operation, &with(breaks));
        assert_eq!(error.code, "ValidationException", "{operation} {member} {breaks}: {error}");
        let path = below("", member);
        assert!(error.message.contains(&format!("at '{path}")), "{path}: {error}");
    }
}

#[test]
fn what_is_wrong_is_told_in_ssms_words() {
    let error = refused("GetCommandInvocation", &json!({ "CommandId": "x" }));
    assert_eq!(
        error.message,
        "2 validation errors detected: Value 'x' at 'commandId' failed to satisfy constraint: Member must have \
         length greater than or equal to 36; Value null at 'instanceId' failed to satisfy constraint: Member must \
         not be null"
    );
    let body = json!({ "DocumentName": "abc", "NotificationConfig": { "NotificationType": "command" } });
    assert_eq!(
        refused("SendCommand", &body).message,
        "1 validation error detected: Value 'command' at 'notificationConfig.notificationType' failed to satisfy \
         constraint: Member must satisfy enum value set: [Command, Invocation]"
    );
    let body = json!({ "DocumentName": "abc", "InstanceIds": [NODE, "web"] });
    assert_eq!(
        refused("SendCommand", &body).message,
        format!(
            "1 validation error detected: Value '[{NODE}, web]' at 'instanceIds' failed to satisfy constraint: Member \
             must satisfy constraint: [Member must satisfy regular expression pattern: \
             {}]",
            r"(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)"
        )
    );
    let filters = json!({ "Filters": [{ "key": "Status", "value": "Success" }, { "key": "Status" }] });
    let error = refused("ListCommands", &filters);
    assert!(error.message.contains("Value null at 'filters.2.member.value'"), "{error}");
}

#[test]
fn another_type_is_no_request_at_all_and_secrets_are_not_shown() {
    for (body, words) in [
        (json!({ "DocumentName": 7 }), "NUMBER_VALUE can not be converted to a String at 'documentName'"),
        (json!({ "TimeoutSeconds": "60" }), "STRING_VALUE can not be converted to an Integer"),
        (json!({ "TimeoutSeconds": 60.5 }), "NUMBER_VALUE can not be converted to an Integer"),
        (json!({ "InstanceIds": "all" }), "Expected list or null at 'instanceIds'"),
        (json!({ "InstanceIds": [null] }), "NULL_VALUE can not be converted to a String"),
        (json!({ "Targets": [[]] }), "Expected map or null at 'targets.1.member'"),
        (json!({ "Parameters": { "Password": "hunter2!" } }), "Expected list or null at 'parameters'"),
        (json!([]), "Expected map or null"),
        (json!("hunter2!"), "Expected map or null"),
    ] {
        let error = refused("SendCommand", &body);
        assert_eq!(error.code, "SerializationException", "{body}");
        assert!(error.message.starts_with(words) && !error.message.contains("hunter2!"), "{error}");
    }
    let secret = json!({ "DocumentName": "abc", "Parameters": { "Password": ["hunter2!".repeat(65)] } });
    let error = refused("StartAutomationExecution", &secret);
    assert!(
        error.message.contains("Value at 'parameters' failed to satisfy constraint: Map value must"),
        "{error}"
    );
    assert!(!error.message.contains("hunter2!"), "{error}");
}

#[test]
fn null_is_absent_and_unknown_members_are_left_alone() {
    let body = json!({ "DocumentName": "abc", "Comment": null, "Novelty": { "a": 1 } });
    let request: SendCommandRequest = read_request("SendCommand", &body).expect("a request");
    assert_eq!(request.document_name.as_deref(), Some("abc"));
    assert!(read_request::<Value>("ListCommands", &Value::Null).is_ok());
    assert_eq!(refused("DeleteDocument", &json!({})).code, "UnknownOperationException");
}
