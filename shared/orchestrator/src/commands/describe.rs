//! What SSM says of a command, in the shape it is kept and shown in.

use crate::moment::moment;
use aws_sdk_ssm::primitives::DateTime;
use aws_sdk_ssm::types;
use fleetwright_engine::Send;
use fleetwright_fleet::{CommandId, NodeId};
use fleetwright_wire::{
    Alarm, AlarmConfiguration, AlarmStateInformation, CloudWatchOutputConfig, Command, EpochSeconds,
    NotificationConfig, Parameters, Target,
};
use jiff::Timestamp;

/// What SSM said of a command, and when it took the request.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub(crate) command: Command,
    pub(crate) requested_at: Timestamp,
}

impl Description {
    /// Of SSM's answer; `sent_at` stands where it does not say when.
    pub(crate) fn of(command: &types::Command, sent_at: Timestamp) -> Self {
        let told = command.requested_date_time.and_then(|at| moment(&at));
        Self { command: describe(command), requested_at: told.unwrap_or(sent_at) }
    }

    /// The command's id.
    pub(crate) fn id(&self) -> Option<CommandId> {
        self.command.command_id.as_deref()?.parse().ok()
    }

    /// The nodes it was sent to by id; none: by Targets.
    pub(crate) fn nodes(&self) -> Option<Vec<NodeId>> {
        let ids = self.command.instance_ids.as_ref().filter(|ids| !ids.is_empty())?;
        Some(ids.iter().filter_map(|id| id.parse().ok()).collect())
    }
}

/// A command in our own shape, with the author's comment instead of ours.
pub(crate) fn describe(command: &types::Command) -> Command {
    let command = command.clone();
    let parameters = command.parameters.map(|all| all.into_iter().collect::<Parameters>());
    Command {
        command_id: command.command_id,
        document_name: command.document_name,
        document_version: command.document_version,
        comment: command.comment.map(|comment| authors_comment(&comment)),
        expires_after: command.expires_after.and_then(epoch),
        parameters,
        instance_ids: command.instance_ids,
        targets: command.targets.map(|all| all.into_iter().map(target).collect()),
        requested_date_time: command.requested_date_time.and_then(epoch),
        status: command.status.map(|status| status.as_str().to_owned()),
        status_details: command.status_details,
        output_s3_region: command.output_s3_region,
        output_s3_bucket_name: command.output_s3_bucket_name,
        output_s3_key_prefix: command.output_s3_key_prefix,
        max_concurrency: command.max_concurrency,
        max_errors: command.max_errors,
        target_count: Some(i64::from(command.target_count)),
        completed_count: Some(i64::from(command.completed_count)),
        error_count: Some(i64::from(command.error_count)),
        delivery_timed_out_count: Some(i64::from(command.delivery_timed_out_count)),
        service_role: command.service_role,
        notification_config: command.notification_config.map(notifications),
        cloud_watch_output_config: command.cloud_watch_output_config.map(cloud_watch),
        timeout_seconds: command.timeout_seconds.map(i64::from),
        alarm_configuration: command.alarm_configuration.map(alarms),
        triggered_alarms: command.triggered_alarms.map(|all| all.into_iter().map(alarm_state).collect()),
    }
}

/// What a caller wrote, of a comment that may begin with our mark.
pub(super) fn authors_comment(comment: &str) -> String {
    match Send::token_of(comment) {
        Some(_) => comment.split_once(' ').map(|(_, rest)| rest.to_owned()).unwrap_or_default(),
        None => comment.to_owned(),
    }
}

fn epoch(at: DateTime) -> Option<EpochSeconds> {
    moment(&at).map(|at| EpochSeconds::from_millis(at.as_millisecond()))
}

fn target(target: types::Target) -> Target {
    Target { key: target.key, values: target.values }
}

fn notifications(config: types::NotificationConfig) -> NotificationConfig {
    let events =
        config.notification_events.map(|all| all.iter().map(|event| event.as_str().to_owned()).collect());
    NotificationConfig {
        notification_arn: config.notification_arn,
        notification_events: events,
        notification_type: config.notification_type.map(|kind| kind.as_str().to_owned()),
    }
}

pub(super) fn cloud_watch(config: types::CloudWatchOutputConfig) -> CloudWatchOutputConfig {
    CloudWatchOutputConfig {
        cloud_watch_log_group_name: config.cloud_watch_log_group_name,
        cloud_watch_output_enabled: Some(config.cloud_watch_output_enabled),
    }
}

fn alarms(config: types::AlarmConfiguration) -> AlarmConfiguration {
    let alarms = config.alarms.into_iter().map(|alarm| Alarm { name: Some(alarm.name) });
    AlarmConfiguration {
        ignore_poll_alarm_failure: Some(config.ignore_poll_alarm_failure),
        alarms: Some(alarms.collect()),
    }
}

fn alarm_state(alarm: types::AlarmStateInformation) -> AlarmStateInformation {
    AlarmStateInformation { name: Some(alarm.name), state: Some(alarm.state.as_str().to_owned()) }
}
