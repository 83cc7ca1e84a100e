//! DescribeAutomationExecutions.

use crate::{
    AlarmConfiguration, AlarmStateInformation, EpochSeconds, Parameters, ResolvedTargets, Runbook, Target,
};
use std::collections::BTreeMap;

structures! {
    /// SSM API reference, DescribeAutomationExecutions.
    DescribeAutomationExecutionsRequest {
        /// 1 to 10, all of which an execution must match.
        filters: Vec<AutomationExecutionFilter>,
        /// 1 to 50 per page.
        max_results: i64,
        /// Where the last page ended.
        next_token: String,
    }

    /// SSM API reference, DescribeAutomationExecutions' result.
    DescribeAutomationExecutionsResult {
        /// The newest first.
        automation_execution_metadata_list: Vec<AutomationExecutionMetadata>,
        /// Absent on the last page.
        next_token: String,
    }

    /// SSM API reference, AutomationExecutionFilter.
    AutomationExecutionFilter {
        /// `DocumentNamePrefix`, `ExecutionStatus`, `ExecutionId`, `StartTimeBefore`, `StartTimeAfter`, …
        key: String,
        /// Any of which matches.
        values: Vec<String>,
    }

    /// An execution in a list. SSM API reference, AutomationExecutionMetadata.
    AutomationExecutionMetadata {
        /// Its id.
        automation_execution_id: String,
        /// The runbook.
        document_name: String,
        /// Its version.
        document_version: String,
        /// Its status.
        automation_execution_status: String,
        /// When it began.
        execution_start_time: EpochSeconds,
        /// When it ended.
        execution_end_time: EpochSeconds,
        /// Who started it.
        executed_by: String,
        /// Where its log is.
        log_file: String,
        /// Its outputs.
        outputs: Parameters,
        /// `Auto` or `Interactive`.
        mode: String,
        /// The execution that started it.
        parent_automation_execution_id: String,
        /// The step under way.
        current_step_name: String,
        /// Its action.
        current_action: String,
        /// Why it failed.
        failure_message: String,
        /// The parameter that targets go to.
        target_parameter_name: String,
        /// The targets.
        targets: Vec<Target>,
        /// Maps of targets.
        target_maps: Vec<BTreeMap<String, Vec<String>>>,
        /// What the targets were found to be.
        resolved_targets: ResolvedTargets,
        /// How many targets at a time.
        max_concurrency: String,
        /// How many may fail.
        max_errors: String,
        /// Its target.
        target: String,
        /// `Local` or `CrossAccount`.
        automation_type: String,
        /// Alarms that stop it.
        alarm_configuration: AlarmConfiguration,
        /// Alarms that did.
        triggered_alarms: Vec<AlarmStateInformation>,
        /// Where its target locations are.
        #[serde(rename = "TargetLocationsURL")]
        target_locations_url: String,
        /// `ChangeRequest` or `AccessRequest`.
        automation_subtype: String,
        /// When it is to start.
        scheduled_time: EpochSeconds,
        /// The runbooks of a change request.
        runbooks: Vec<Runbook>,
        /// The OpsItem it belongs to.
        ops_item_id: String,
        /// The association that started it.
        association_id: String,
        /// The change request.
        change_request_name: String,
    }
}
