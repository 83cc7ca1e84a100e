//! `aws:runCommand` in all the ways people write it.

mod common;

use common::{accepted, places, refused, steps};
use fleetwright_runbook::{Action, Code, OrReference, Reference, RunCommand, into_texts};
use serde_json::{Value, json};

fn step(inputs: &str) -> String {
    let inputs: String = inputs.lines().map(|line| format!("  {line}\n")).collect();
    let text = steps(&[&format!("name: run\naction: aws:runCommand\ninputs:\n{inputs}")]);
    text.replace(
        "Wait: { type: Integer, default: 3 }",
        "Wait: { type: Integer }, Ids: { type: StringList }, Map: { type: StringMap }",
    )
}

fn command(inputs: &str) -> RunCommand {
    let runbook = accepted(&step(inputs));
    let Action::RunCommand(command) = runbook.first().action.clone() else { panic!("a command") };
    *command
}

fn lookup(reference: &Reference) -> Result<Value, String> {
    match reference.to_string().as_str() {
        "Ids" => Ok(json!(["i-1", "i-2"])),
        "Wait" => Ok(json!(60)),
        other => Err(other.to_owned()),
    }
}

#[test]
fn every_input_of_send_command_has_its_place() {
    let command = command(
        "DocumentName: AWS-RunShellScript\nDocumentVersion: $LATEST\nDocumentHash: abc\nDocumentHashType: Sha256\nTargets:\n- Key: tag:Role\n  Values: web\nParameters:\n  commands: [ \"echo {{ Wait }}\" ]\n  Operation: Scan\nTimeoutSeconds: \"{{ Wait }}\"\nMaxConcurrency: 10%\nMaxErrors: 1\nComment: hello\nOutputS3BucketName: bucket\nOutputS3KeyPrefix: prefix\nOutputS3Region: eu-west-1\nNotificationConfig:\n  NotificationArn: arn\n  NotificationEvents: All\n  NotificationType: Invocation\nServiceRoleArn: role\nCloudWatchOutputConfig:\n  CloudWatchLogGroupName: group\n  CloudWatchOutputEnabled: 'true'\nAlarmConfiguration:\n  IgnorePollAlarmFailure: true\n  Alarms: [ { Name: alarm } ]",
    );
    assert_eq!(command.document_name.literal(), Some(json!("AWS-RunShellScript")));
    let Some(OrReference::Literal(targets)) = &command.targets else { panic!("targets") };
    assert_eq!(targets[0].values.resolve(&lookup), Ok(vec!["web".to_owned()]));
    let Some(OrReference::Literal(parameters)) = &command.parameters else { panic!("parameters") };
    assert_eq!(parameters["commands"].resolve(&lookup).map(into_texts), Ok(vec!["echo 60".to_owned()]));
    assert_eq!(parameters["Operation"].resolve(&lookup).map(into_texts), Ok(vec!["Scan".to_owned()]));
    assert_eq!(command.timeout_seconds.as_ref().map(|setting| setting.resolve(&lookup)), Some(Ok(60)));
    assert_eq!(command.max_errors.as_ref().map(|text| text.resolve_text(&lookup)), Some(Ok("1".to_owned())));
    let Some(OrReference::Literal(config)) = &command.cloud_watch_output_config else { panic!("config") };
    assert_eq!(config.output_enabled, Some(OrReference::Literal(true)));
    let Some(OrReference::Literal(config)) = &command.notification_config else { panic!("config") };
    assert_eq!(config.notification_events.as_ref().map(|events| events.items.len()), Some(1));
    let Some(OrReference::Literal(config)) = &command.alarm_configuration else { panic!("config") };
    assert_eq!(config.alarms.len(), 1);
    let read: Vec<String> = Action::RunCommand(Box::new(command))
        .templates()
        .iter()
        .flat_map(|template| template.references())
        .map(Reference::to_string)
        .collect();
    assert_eq!(read, ["Wait", "Wait"]);
}

#[test]
fn instance_ids_are_spliced_however_they_are_written() {
    let table = [
        ("i-0", vec!["i-0"]),
        ("\"{{ Ids }}\"", vec!["i-1", "i-2"]),
        ("[ \"{{ Ids }}\" ]", vec!["i-1", "i-2"]),
        ("[ i-0, \"{{ Ids }}\", i-9 ]", vec!["i-0", "i-1", "i-2", "i-9"]),
        ("[]", vec![]),
    ];
    for (written, expected) in table {
        let command = command(&format!("DocumentName: x\nInstanceIds: {written}"));
        let ids = command.instance_ids.expect("ids").resolve(&lookup);
        assert_eq!(ids, Ok(expected.into_iter().map(str::to_owned).collect()), "{written}");
    }
}

#[test]
fn mappings_may_be_references() {
    let command = command(
        "DocumentName: x\nTargets: [ \"{{ Ids }}\" ]\nParameters: \"{{ Map }}\"\nNotificationConfig: \"{{ Map }}\"\nCloudWatchOutputConfig: \"{{ Map }}\"",
    );
    assert!(matches!(command.targets, Some(OrReference::Template(_))));
    assert!(matches!(command.parameters, Some(OrReference::Template(_))));
    let references = Action::RunCommand(Box::new(command))
        .templates()
        .iter()
        .flat_map(|template| template.references())
        .count();
    assert_eq!(references, 4);
}

#[test]
fn what_send_command_does_not_take_is_refused() {
    let table = [
        ("InstanceIds: i-0", vec![(Code::MissingProperty, 7, 5)]),
        ("DocumentName: x", vec![(Code::MissingProperty, 7, 5)]),
        ("DocumentName: []\nInstanceIds: i-0", vec![(Code::WrongType, 7, 19)]),
        ("DocumentName: x\nInstanceIds: i-0\nParameters: text", vec![(Code::WrongType, 9, 17)]),
        (
            "DocumentName: x\nInstanceIds: i-0\nParameters: \"{{ Gone }}\"",
            vec![(Code::UnknownReference, 9, 17)],
        ),
        ("DocumentName: x\nInstanceIds: i-0\nTimeoutSeconds: soon", vec![(Code::WrongType, 9, 21)]),
        (
            "DocumentName: x\nInstanceId: i-0",
            vec![(Code::MissingProperty, 7, 5), (Code::UnknownProperty, 8, 5)],
        ),
        ("DocumentName: x\nTargets: [ { Key: a } ]", vec![(Code::MissingProperty, 8, 16)]),
    ];
    for (inputs, expected) in table {
        assert_eq!(places(&refused(&step(inputs))), expected, "{inputs}");
    }
}

#[test]
fn a_setting_that_cannot_be_used_names_where_its_value_came_from() {
    let command = command("DocumentName: x\nInstanceIds: i-0\nTimeoutSeconds: \"{{ Wait }}\"");
    let timeout = command.timeout_seconds.expect("a timeout");
    let error = timeout.resolve(&|_: &Reference| Ok::<_, String>(json!("hunter2"))).expect_err("a text");
    let told = "9:21: {{ Wait }} gives no value that is a whole number, zero or more";
    assert_eq!(error.to_string(), told);
    assert!(!format!("{error:?}").contains("hunter2"));
}
