//! ListCommandInvocations and GetCommandInvocation.

use crate::{CloudWatchOutputConfig, CommandFilter, EpochSeconds, NotificationConfig};

structures! {
    /// SSM API reference, ListCommandInvocations.
    ListCommandInvocationsRequest {
        /// Only this command's.
        command_id: String,
        /// Only this node's.
        instance_id: String,
        /// 1 to 50 per page.
        max_results: i64,
        /// Where the last page ended.
        next_token: String,
        /// 1 to 5, all of which an invocation must match; without ExecutionStage.
        filters: Vec<CommandFilter>,
        /// Whether to tell each step's result and output.
        details: bool,
    }

    /// SSM API reference, ListCommandInvocations' result.
    ListCommandInvocationsResult {
        /// One per node.
        command_invocations: Vec<CommandInvocation>,
        /// Absent on the last page.
        next_token: String,
    }

    /// One command on one node. SSM API reference, CommandInvocation.
    CommandInvocation {
        /// The command.
        command_id: String,
        /// The node.
        instance_id: String,
        /// The node's name: its Name tag, or its computer name.
        instance_name: String,
        /// The caller's note.
        comment: String,
        /// The document's name.
        document_name: String,
        /// The version that was asked for.
        document_version: String,
        /// When the command was requested.
        requested_date_time: EpochSeconds,
        /// `Pending`, `InProgress`, `Delayed`, `Success`, `Cancelled`, `TimedOut`, `Failed`, `Cancelling`.
        status: String,
        /// The finer status, such as `Undeliverable` or `Terminated`; not a closed set.
        status_details: String,
        /// The agent's own trace, at most 2,500 characters.
        trace_output: String,
        /// Where the whole standard output is.
        standard_output_url: String,
        /// Where the whole standard error is.
        standard_error_url: String,
        /// The steps; only with Details.
        command_plugins: Vec<CommandPlugin>,
        /// The role for notifications.
        service_role: String,
        /// Where changes are published.
        notification_config: NotificationConfig,
        /// Whether outputs go to CloudWatch Logs.
        cloud_watch_output_config: CloudWatchOutputConfig,
    }

    /// One step on one node. SSM API reference, CommandPlugin.
    CommandPlugin {
        /// The step's name.
        name: String,
        /// `Pending`, `InProgress`, `Success`, `TimedOut`, `Cancelled`, `Failed`.
        status: String,
        /// The finer status.
        status_details: String,
        /// The exit code; -1 before the step has ended.
        response_code: i64,
        /// When the step began.
        response_start_date_time: EpochSeconds,
        /// When it ended.
        response_finish_date_time: EpochSeconds,
        /// Standard output and standard error, at most 2,500 characters.
        output: String,
        /// Where the whole standard output is.
        standard_output_url: String,
        /// Where the whole standard error is.
        standard_error_url: String,
        /// Ignored by SSM.
        output_s3_region: String,
        /// Bucket for outputs.
        output_s3_bucket_name: String,
        /// Folder for outputs.
        output_s3_key_prefix: String,
    }

    /// SSM API reference, GetCommandInvocation.
    GetCommandInvocationRequest {
        /// The command. Required.
        command_id: String,
        /// The node. Required.
        instance_id: String,
        /// The step's name; required if the document has more than one.
        plugin_name: String,
    }

    /// SSM API reference, GetCommandInvocation's result.
    GetCommandInvocationResult {
        /// The command.
        command_id: String,
        /// The node.
        instance_id: String,
        /// The caller's note.
        comment: String,
        /// The document's name.
        document_name: String,
        /// The version that was asked for.
        document_version: String,
        /// The step.
        plugin_name: String,
        /// The exit code; -1 if the step has not begun or no answer was received.
        response_code: i64,
        /// When the step began, as ISO 8601 text; empty before.
        execution_start_date_time: String,
        /// How long it took, as ISO 8601 duration.
        execution_elapsed_time: String,
        /// When it ended, as ISO 8601 text; empty before.
        execution_end_date_time: String,
        /// The invocation's status.
        status: String,
        /// The finer status.
        status_details: String,
        /// The first 24,000 characters; empty before the end.
        standard_output_content: String,
        /// Where the whole of it is.
        standard_output_url: String,
        /// The first 8,000 characters; empty before the end.
        standard_error_content: String,
        /// Where the whole of it is.
        standard_error_url: String,
        /// Whether outputs go to CloudWatch Logs.
        cloud_watch_output_config: CloudWatchOutputConfig,
    }
}
