//! Notifications and events with SSM's exact field names (User Guide, monitoring-sns-examples and
//! monitoring-systems-manager-event-examples).

use fleetwright_fleet::{Fact, Subject, Terminal, parse_event, parse_notification};
use serde_json::json;

const COMMAND: &str = "a8c7e76f-15f1-4c33-9052-0123456789ab";
const NODE: &str = "i-02573cafcf0123456";

fn fact(status: Terminal, node: Option<&str>, at: &str) -> Fact {
    let subject = node.map_or(Subject::Command, |node| Subject::Node(node.parse().expect("a node id")));
    let command_id = COMMAND.parse().expect("a command id");
    Fact { command_id, subject, status, at: at.parse().expect("a timestamp") }
}

#[test]
fn a_command_notification_speaks_of_the_command() {
    let message = format!(
        r#"{{"commandId":"{COMMAND}","documentName":"AWS-RunPowerShellScript",
        "instanceIds":["{NODE}","i-98765432"],"requestedDateTime":"2019-04-25T17:57:09.17Z",
        "expiresAfter":"2019-04-25T19:07:09.17Z","outputS3BucketName":"","outputS3KeyPrefix":"",
        "status":"Success","eventTime":"2019-04-25T17:57:09.236Z"}}"#
    );
    let read = parse_notification(&message).expect("reads");
    assert_eq!(read, Some(fact(Terminal::Success, None, "2019-04-25T17:57:09.236Z")));
}

#[test]
fn an_invocation_notification_speaks_of_its_node_and_fractions_have_any_digits() {
    let message = format!(
        r#"{{"commandId":"{COMMAND}","documentName":"AWS-RunPowerShellScript","instanceId":"{NODE}",
        "requestedDateTime":"2019-04-25T18:06:05.032Z","status":"TimedOut","eventTime":"2019-04-25T18:06:05.1Z"}}"#
    );
    let read = parse_notification(&message).expect("reads");
    assert_eq!(read, Some(fact(Terminal::TimedOut, Some(NODE), "2019-04-25T18:06:05.1Z")));
}

#[test]
fn a_status_that_is_not_terminal_is_no_fact() {
    let message = format!(
        r#"{{"commandId":"{COMMAND}","instanceId":"{NODE}","status":"InProgress","eventTime":"2019-04-25T18:06:05Z"}}"#
    );
    assert_eq!(parse_notification(&message).expect("reads"), None);
}

#[test]
fn events_speak_of_the_command_or_of_one_node() {
    let event = |detail_type: &str, detail| {
        json!({ "version": "0", "id": "51c0891d", "detail-type": detail_type, "source": "aws.ssm",
            "account": "123456789012", "time": "2024-07-10T21:51:32Z", "region": "us-east-2",
            "resources": [format!("arn:aws:ec2:us-east-2:123456789012:instance/{NODE}")], "detail": detail })
    };
    let command = event(
        "EC2 Command Status-change Notification",
        json!({ "command-id": COMMAND, "document-name": "AWS-RunShellScript",
            "expire-after": "2024-07-14T22:01:30.049Z", "parameters": { "commands": ["date"] },
            "requested-date-time": "2024-07-10T21:51:30.049Z", "status": "Failed" }),
    );
    assert_eq!(
        parse_event(&command).expect("reads"),
        Some(fact(Terminal::Failed, None, "2024-07-10T21:51:32Z"))
    );
    let invocation = event(
        "EC2 Command Invocation Status-change Notification",
        json!({ "command-id": COMMAND, "document-name": "AWS-RunShellScript", "instance-id": NODE,
            "requested-date-time": "2024-07-10T21:51:30.049Z", "status": "Success" }),
    );
    assert_eq!(
        parse_event(&invocation).expect("reads"),
        Some(fact(Terminal::Success, Some(NODE), "2024-07-10T21:51:32Z"))
    );
    assert_eq!(
        parse_event(&event("EC2 Instance State-change Notification", json!({}))).expect("reads"),
        None
    );
}

#[test]
fn what_is_ours_is_no_notification_whatever_else_it_says() {
    let ours = format!(
        r#"{{"fleetwright":"start","commandId":"{COMMAND}","status":"Success","eventTime":"2019-04-25T18:06:05Z"}}"#
    );
    assert!(parse_notification(&ours).expect_err("it is ours").to_string().contains("`fleetwright`"));
}

#[test]
fn what_is_malformed_is_refused_and_the_place_is_named() {
    let missing = parse_notification(r#"{"instanceId":"i-02573cafcf0123456","status":"Success"}"#);
    assert!(missing.expect_err("no command id").to_string().contains("missing field `commandId`"));
    let ill_formed = format!(
        r#"{{"commandId":"{COMMAND}","instanceId":"web-1","status":"Success","eventTime":"2019-04-25T18:06:05Z"}}"#
    );
    assert!(parse_notification(&ill_formed).expect_err("no node id").to_string().contains("\"web-1\""));
    let nameless = json!({ "detail-type": "EC2 Command Invocation Status-change Notification",
        "time": "2024-07-10T21:51:32Z", "detail": { "command-id": COMMAND, "status": "Success" } });
    assert!(parse_event(&nameless).expect_err("no node").to_string().contains("instance-id"));
}
