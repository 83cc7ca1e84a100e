mod limits;

use std::collections::BTreeMap;

use super::{Fields, Reader};
use crate::{
    AlarmConfiguration, CloudWatchOutputConfig, Code, NotificationConfig, OrReference, RunCommand, Target,
    Template,
    source::node::{Content, Node},
};

const INPUTS: [&str; 18] = [
    "DocumentName",
    "DocumentVersion",
    "DocumentHash",
    "DocumentHashType",
    "InstanceIds",
    "Targets",
    "Parameters",
    "TimeoutSeconds",
    "MaxConcurrency",
    "MaxErrors",
    "Comment",
    "OutputS3BucketName",
    "OutputS3KeyPrefix",
    "OutputS3Region",
    "NotificationConfig",
    "ServiceRoleArn",
    "CloudWatchOutputConfig",
    "AlarmConfiguration",
];

pub(super) fn read(reader: &mut Reader, inputs: Fields<'_>, label: &str) -> Option<RunCommand> {
    inputs.only(reader, &INPUTS, "aws:runCommand");
    let document_name = text(reader, inputs, "DocumentName");
    if document_name.is_none() && inputs.get("DocumentName").is_none() {
        inputs.require(reader, "DocumentName", label);
    }
    if inputs.get("InstanceIds").is_none() && inputs.get("Targets").is_none() {
        let message = format!("{label} has neither InstanceIds nor Targets");
        reader.report(Code::MissingProperty, inputs.position, message);
    }
    if let (Some(_), Some(node)) = (inputs.get("InstanceIds"), inputs.get("Targets")) {
        let message = format!("{label} has InstanceIds and Targets: it takes one of them");
        reader.report(Code::InvalidValue, node.position, message);
    }
    limits::check(reader, inputs);
    let command = RunCommand {
        // Read on without it: there may be more to say.
        document_name: document_name.clone().unwrap_or_else(|| Template::of_system_text("", inputs.position)),
        document_version: text(reader, inputs, "DocumentVersion"),
        document_hash: text(reader, inputs, "DocumentHash"),
        document_hash_type: text(reader, inputs, "DocumentHashType"),
        instance_ids: inputs.get("InstanceIds").map(|node| reader.text_list(node)),
        targets: inputs.get("Targets").and_then(|node| targets(reader, node)),
        parameters: map_or_reference(reader, inputs, "Parameters", parameters),
        timeout_seconds: inputs.get("TimeoutSeconds").and_then(|node| reader.setting(node, "TimeoutSeconds")),
        max_concurrency: text(reader, inputs, "MaxConcurrency"),
        max_errors: text(reader, inputs, "MaxErrors"),
        comment: text(reader, inputs, "Comment"),
        output_s3_bucket_name: text(reader, inputs, "OutputS3BucketName"),
        output_s3_key_prefix: text(reader, inputs, "OutputS3KeyPrefix"),
        output_s3_region: text(reader, inputs, "OutputS3Region"),
        notification_config: map_or_reference(reader, inputs, "NotificationConfig", notification),
        service_role_arn: text(reader, inputs, "ServiceRoleArn"),
        cloud_watch_output_config: map_or_reference(reader, inputs, "CloudWatchOutputConfig", cloud_watch),
        alarm_configuration: map_or_reference(reader, inputs, "AlarmConfiguration", alarm),
    };
    document_name.map(|_| command)
}

/// A text that may have references. Numbers are texts left unquoted (`MaxErrors: 1`).
pub(super) fn text(reader: &mut Reader, fields: Fields<'_>, key: &str) -> Option<Template> {
    let node = fields.get(key)?;
    match &node.content {
        Content::Text(_) | Content::Number(_) | Content::Bool(_) => Some(reader.template(node)),
        Content::Null | Content::List(_) | Content::Map(_) => {
            reader.wrong_type(node, key, "text");
            None
        }
    }
}

/// A mapping, or a reference that stands for one.
fn map_or_reference<T>(
    reader: &mut Reader,
    inputs: Fields<'_>,
    key: &str,
    read: impl Fn(&mut Reader, Fields<'_>) -> T,
) -> Option<OrReference<T>> {
    let node = inputs.get(key)?;
    if let Some(template) = reference(reader, node) {
        return Some(OrReference::Template(template));
    }
    let fields = reader.map(node, key)?;
    Some(OrReference::Literal(read(reader, fields)))
}

fn reference(reader: &Reader, node: &Node) -> Option<Template> {
    let Content::Text(_) = &node.content else { return None };
    let template = reader.template(node);
    template.literal().is_none().then_some(template)
}

fn targets(reader: &mut Reader, node: &Node) -> Option<OrReference<Vec<Target>>> {
    if let Some(template) = reference(reader, node) {
        return Some(OrReference::Template(template));
    }
    let items = reader.list(node, "Targets")?;
    if items.iter().any(|item| reference(reader, item).is_some()) {
        // `["{{ Targets }}"]`: how many targets that is, and which, is known when it is looked up.
        return Some(OrReference::Template(reader.template(node)));
    }
    let targets = items.iter().filter_map(|item| target(reader, item)).collect();
    Some(OrReference::Literal(targets))
}

fn target(reader: &mut Reader, node: &Node) -> Option<Target> {
    let fields = reader.map(node, "a target")?;
    fields.only(reader, &["Key", "Values"], "a target");
    let key = fields.require(reader, "Key", "a target");
    let values = fields.require(reader, "Values", "a target");
    Some(Target { key: reader.template(key?), values: reader.text_list(values?) })
}

fn parameters(reader: &mut Reader, fields: Fields<'_>) -> BTreeMap<String, Template> {
    fields.entries.iter().map(|entry| (entry.key.clone(), reader.template(&entry.value))).collect()
}

fn notification(reader: &mut Reader, fields: Fields<'_>) -> NotificationConfig {
    let known = ["NotificationArn", "NotificationEvents", "NotificationType"];
    fields.only(reader, &known, "NotificationConfig");
    NotificationConfig {
        notification_arn: text(reader, fields, "NotificationArn"),
        notification_events: fields.get("NotificationEvents").map(|node| reader.text_list(node)),
        notification_type: text(reader, fields, "NotificationType"),
    }
}

fn cloud_watch(reader: &mut Reader, fields: Fields<'_>) -> CloudWatchOutputConfig {
    let known = ["CloudWatchLogGroupName", "CloudWatchOutputEnabled"];
    fields.only(reader, &known, "CloudWatchOutputConfig");
    CloudWatchOutputConfig {
        log_group_name: text(reader, fields, "CloudWatchLogGroupName"),
        output_enabled: fields
            .get("CloudWatchOutputEnabled")
            .and_then(|node| reader.setting(node, "CloudWatchOutputEnabled")),
    }
}

fn alarm(reader: &mut Reader, fields: Fields<'_>) -> AlarmConfiguration {
    fields.only(reader, &["IgnorePollAlarmFailure", "Alarms"], "AlarmConfiguration");
    let items = fields.get("Alarms").and_then(|node| reader.list(node, "Alarms")).unwrap_or_default();
    let mut alarms = Vec::new();
    for item in items {
        let Some(alarm) = reader.map(item, "an alarm") else { continue };
        alarms.extend(alarm.require(reader, "Name", "an alarm").map(|node| reader.template(node)));
    }
    AlarmConfiguration {
        ignore_poll_alarm_failure: fields
            .get("IgnorePollAlarmFailure")
            .and_then(|node| reader.setting(node, "IgnorePollAlarmFailure")),
        alarms,
    }
}
