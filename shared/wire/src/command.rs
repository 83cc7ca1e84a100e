//! SendCommand, CancelCommand, ListCommands, and the structures they share with other operations.

use crate::{EpochSeconds, Parameters};
use serde::{Deserialize, Serialize};

structures! {
    /// SSM API reference, SendCommand.
    SendCommandRequest {
        /// Nodes by id, at most 50; or `targets`.
        instance_ids: Vec<String>,
        /// Nodes by tag, resource group or id; at most 5, all of which a node must match.
        targets: Vec<Target>,
        /// Name or ARN of the document. Required.
        document_name: String,
        /// `$DEFAULT`, `$LATEST` or a number.
        document_version: String,
        /// Digest the document's content must have.
        document_hash: String,
        /// `Sha256` or `Sha1`.
        document_hash_type: String,
        /// Seconds, 30 to 2,592,000, within which a node must have begun; later it doesn't run there any more.
        timeout_seconds: i64,
        /// The caller's note, at most 100 characters; returned by reads.
        comment: String,
        /// The document's parameters.
        parameters: Parameters,
        /// Ignored by SSM, which finds the bucket's Region itself.
        output_s3_region: String,
        /// Bucket that gets the whole outputs.
        output_s3_bucket_name: String,
        /// Folder in that bucket.
        output_s3_key_prefix: String,
        /// Nodes at the same time: a number or a percentage. 50 if absent.
        max_concurrency: String,
        /// Errors that are tolerated: a number or a percentage. 0 if absent.
        max_errors: String,
        /// The role SSM publishes notifications with.
        service_role_arn: String,
        /// Which changes are published, and where.
        notification_config: NotificationConfig,
        /// Whether outputs go to CloudWatch Logs.
        cloud_watch_output_config: CloudWatchOutputConfig,
        /// An alarm that stops the command.
        alarm_configuration: AlarmConfiguration,
    }

    /// SSM API reference, SendCommand's result.
    SendCommandResult {
        /// The command that was made.
        command: Command,
    }

    /// What a command goes to. SSM API reference, Target.
    Target {
        /// `InstanceIds`, `tag:<key>`, `tag-key`, `resource-groups:Name`; for automations also `ParameterValues` and others.
        key: String,
        /// The values, any of which matches.
        values: Vec<String>,
    }

    /// SSM API reference, NotificationConfig.
    NotificationConfig {
        /// ARN of an SNS topic (not FIFO).
        notification_arn: String,
        /// `All`, `InProgress`, `Success`, `TimedOut`, `Cancelled`, `Failed`.
        notification_events: Vec<String>,
        /// `Command` (one message per change of the command) or `Invocation` (one per change on a node).
        notification_type: String,
    }

    /// SSM API reference, CloudWatchOutputConfig.
    CloudWatchOutputConfig {
        /// Log group; `/aws/ssm/<document>` if absent.
        cloud_watch_log_group_name: String,
        /// Whether outputs are sent at all.
        cloud_watch_output_enabled: bool,
    }

    /// SSM API reference, AlarmConfiguration.
    AlarmConfiguration {
        /// Whether to go on if the alarm cannot be read.
        ignore_poll_alarm_failure: bool,
        /// The alarm (exactly one). Required.
        alarms: Vec<Alarm>,
    }

    /// SSM API reference, Alarm.
    Alarm {
        /// The CloudWatch alarm's name. Required.
        name: String,
    }

    /// SSM API reference, AlarmStateInformation.
    AlarmStateInformation {
        /// The alarm's name.
        name: String,
        /// `UNKNOWN` or `ALARM`.
        state: String,
    }

    /// SSM API reference, Command.
    Command {
        /// 36 characters.
        command_id: String,
        /// The document's name, never an ARN.
        document_name: String,
        /// The version that was asked for.
        document_version: String,
        /// The caller's note.
        comment: String,
        /// When invocations that have not ended become DeliveryTimedOut: requested + TimeoutSeconds + execution timeout.
        expires_after: EpochSeconds,
        /// The document's parameters as given.
        parameters: Parameters,
        /// Nodes as given; empty for `targets`.
        instance_ids: Vec<String>,
        /// Targets as given.
        targets: Vec<Target>,
        /// When SSM took the request.
        requested_date_time: EpochSeconds,
        /// `Pending`, `InProgress`, `Success`, `Cancelled`, `Failed`, `TimedOut`, `Cancelling`.
        status: String,
        /// The finer status, such as `DeliveryTimedOut` or `Incomplete`; not a closed set.
        status_details: String,
        /// Ignored by SSM.
        output_s3_region: String,
        /// Bucket for outputs.
        output_s3_bucket_name: String,
        /// Folder for outputs.
        output_s3_key_prefix: String,
        /// Nodes at the same time, as given.
        max_concurrency: String,
        /// Tolerated errors, as given.
        max_errors: String,
        /// Number of nodes; 0 until targets are resolved.
        target_count: i64,
        /// Nodes with a terminal status.
        completed_count: i64,
        /// Nodes with Failed or ExecutionTimedOut.
        error_count: i64,
        /// Nodes with DeliveryTimedOut.
        delivery_timed_out_count: i64,
        /// The role for notifications.
        service_role: String,
        /// Where changes are published.
        notification_config: NotificationConfig,
        /// Whether outputs go to CloudWatch Logs.
        cloud_watch_output_config: CloudWatchOutputConfig,
        /// Seconds within which a node must have begun.
        timeout_seconds: i64,
        /// An alarm that stops the command.
        alarm_configuration: AlarmConfiguration,
        /// The alarm that did.
        triggered_alarms: Vec<AlarmStateInformation>,
    }

    /// SSM API reference, CancelCommand.
    CancelCommandRequest {
        /// The command. Required.
        command_id: String,
        /// Nodes to cancel on; all if absent.
        instance_ids: Vec<String>,
    }

    /// SSM API reference, CancelCommand's result: empty.
    CancelCommandResult {}

    /// SSM API reference, ListCommands.
    ListCommandsRequest {
        /// Only this command.
        command_id: String,
        /// Only commands sent to this node.
        instance_id: String,
        /// 1 to 50 per page.
        max_results: i64,
        /// Where the last page ended.
        next_token: String,
        /// 1 to 5, all of which a command must match.
        filters: Vec<CommandFilter>,
    }

    /// SSM API reference, ListCommands' result.
    ListCommandsResult {
        /// Newest first.
        commands: Vec<Command>,
        /// Absent on the last page.
        next_token: String,
    }
}

/// SSM API reference, CommandFilter: the one structure of SSM with lower-case members.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CommandFilter {
    /// `InvokedAfter`, `InvokedBefore`, `Status`, `ExecutionStage`, `DocumentName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The value: a time as ISO 8601, a status, `Executing` or `Complete`, a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}
