use super::support::{ROLE, TOPIC, World, fleet, steady};
use fleetwright_local::ssm::{Notifications, Outcome, Published, SsmOptions};
use serde_json::{Value, json};

fn config(kind: &str, events: &[&str]) -> Value {
    json!({"NotificationArn": TOPIC, "NotificationEvents": events, "NotificationType": kind})
}

fn messages(published: &[Published]) -> Vec<Value> {
    let sns = published.iter().filter_map(|one| match one {
        Published::Sns { topic_arn, message, .. } => {
            assert_eq!(topic_arn, TOPIC);
            serde_json::from_str(message).ok()
        }
        Published::Event { .. } => None,
    });
    sns.collect()
}

fn events(published: &[Published]) -> Vec<Value> {
    let events = published.iter().filter_map(|one| match one {
        Published::Event { event, .. } => Some(event.clone()),
        Published::Sns { .. } => None,
    });
    events.collect()
}

#[test]
fn messages_of_a_command_have_the_documented_fields() {
    let mut world = World::exact(2, &steady(10));
    world.pass(170);
    let ids = world.ids();
    let id = world.send(&json!({
        "InstanceIds": ids, "NotificationConfig": config("Command", &["All"]), "ServiceRoleArn": ROLE,
        "OutputS3BucketName": "amzn-s3-demo-bucket", "OutputS3KeyPrefix": "runcommand", "TimeoutSeconds": 600,
    }));
    let sent = messages(&world.settle());
    assert_eq!(
        sent[0],
        json!({
            "commandId": id, "documentName": "AWS-RunShellScript", "instanceIds": ids,
            "requestedDateTime": "2026-01-01T00:00:00.17Z", "expiresAfter": "2026-01-01T01:10:00.17Z",
            "outputS3BucketName": "amzn-s3-demo-bucket", "outputS3KeyPrefix": "runcommand",
            "status": "InProgress", "eventTime": "2026-01-01T00:00:00.17Z",
        })
    );
    assert_eq!(
        (&sent[1]["status"], &sent[1]["eventTime"]),
        (&json!("Success"), &json!("2026-01-01T00:00:10.17Z"))
    );
    assert_eq!(sent.len(), 2);
}

#[test]
fn messages_by_targets_name_no_nodes() {
    let mut world = World::exact(2, &steady(10));
    world.send(&json!({
        "Targets": [{"Key": "InstanceIds", "Values": world.ids()}],
        "NotificationConfig": config("Command", &["Success"]), "ServiceRoleArn": ROLE,
    }));
    let sent = messages(&world.settle());
    assert_eq!(sent.len(), 1);
    assert_eq!((&sent[0]["instanceIds"], &sent[0]["outputS3BucketName"]), (&json!([]), &json!("")));
}

#[test]
fn messages_of_invocations_have_the_documented_fields() {
    let mut world = World::exact(3, &steady(10));
    world.pass(32);
    let ids = world.ids();
    world.ssm.script(&ids[1], "*", Outcome::Failed(3));
    let id = world.send(&json!({
        "InstanceIds": ids, "MaxErrors": "3", "NotificationConfig": config("Invocation", &["Success", "Failed"]),
        "ServiceRoleArn": ROLE,
    }));
    let sent = messages(&world.settle());
    assert_eq!(
        sent[0],
        json!({
            "commandId": id, "documentName": "AWS-RunShellScript", "instanceId": ids[0],
            "requestedDateTime": "2026-01-01T00:00:00.032Z", "status": "Success", "eventTime": "2026-01-01T00:00:10.032Z",
        })
    );
    let statuses: Vec<&Value> = sent.iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["Success", "Failed", "Success"]);
}

#[test]
fn events_have_the_documented_envelope_and_detail() {
    let mut world = World::exact(1, &steady(2));
    world.pass(49);
    let node = world.ids()[0].clone();
    let id = world.send(&json!({"InstanceIds": [node]}));
    let mut sent = events(&world.settle());
    assert_eq!(sent.len(), 4);
    for event in &mut sent {
        assert_eq!(event["id"].as_str().map(str::len), Some(36));
        event["id"] = json!("");
    }
    let arn = format!("arn:aws:ec2:us-east-1:123456789012:instance/{node}");
    assert_eq!(
        sent[2],
        json!({
            "version": "0", "id": "", "detail-type": "EC2 Command Invocation Status-change Notification",
            "source": "aws.ssm", "account": "123456789012", "time": "2026-01-01T00:00:02Z", "region": "us-east-1",
            "resources": [arn],
            "detail": {
                "command-id": id, "document-name": "AWS-RunShellScript", "instance-id": node,
                "requested-date-time": "2026-01-01T00:00:00.049Z", "status": "Success",
            },
        })
    );
    assert_eq!(
        sent[3],
        json!({
            "version": "0", "id": "", "detail-type": "EC2 Command Status-change Notification",
            "source": "aws.ssm", "account": "123456789012", "time": "2026-01-01T00:00:02Z", "region": "us-east-1",
            "resources": [arn],
            "detail": {
                "command-id": id, "document-name": "AWS-RunShellScript", "expire-after": "2026-01-01T02:00:00.049Z",
                "parameters": {"commands": ["echo hello"]}, "requested-date-time": "2026-01-01T00:00:00.049Z",
                "status": "Success",
            },
        })
    );
}

#[test]
fn events_get_lost_and_doubled() {
    for (loss, duplication, expected) in [(1.0, 0.0, 0), (0.0, 1.0, 8), (1.0, 1.0, 0), (0.0, 0.0, 4)] {
        let options = SsmOptions { event_loss: loss, event_duplication: duplication, ..SsmOptions::exact() };
        let mut world = World::new(fleet(1, &steady(2)), options);
        world.send(&json!({"InstanceIds": world.ids()}));
        assert_eq!(events(&world.settle()).len(), expected, "{loss} {duplication}");
    }
}

#[test]
fn what_no_document_promises_can_be_left_out_or_named() {
    for (unstarted, finer, expected) in [
        (true, false, vec!["InProgress", "Failed"]),
        (true, true, vec!["InProgress", "Undeliverable"]),
        (false, false, vec!["InProgress"]),
    ] {
        let notifications = Notifications {
            unstarted,
            details_in_events: finer,
            command_events: true,
            ..Notifications::default()
        };
        let options = SsmOptions { notifications, ..SsmOptions::exact() };
        let mut world = World::new(fleet(1, &steady(2)), options);
        let ids = world.ids();
        world.ssm.script(&ids[0], "*", Outcome::Undeliverable { runs: false });
        world.send(&json!({"InstanceIds": ids}));
        let mut sent = events(&world.settle());
        assert_eq!(sent.pop().map(|event| event["detail"]["status"].clone()), Some(json!("Failed")));
        let statuses: Vec<&Value> = sent.iter().map(|event| &event["detail"]["status"]).collect();
        assert_eq!(statuses, expected);
    }
}
