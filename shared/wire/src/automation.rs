//! StartAutomationExecution, StopAutomationExecution and GetAutomationExecution.

use crate::{
    AlarmConfiguration, AlarmStateInformation, EpochSeconds, Parameters, StepExecution, Tag, Target,
};
use std::collections::BTreeMap;

/// One row of a target map: values by parameter name. SSM API reference, TargetMap.
pub type TargetMap = BTreeMap<String, Vec<String>>;

structures! {
    /// SSM API reference, StartAutomationExecution.
    StartAutomationExecutionRequest {
        /// Name or ARN of the runbook. Required.
        document_name: String,
        /// `$DEFAULT`, `$LATEST` or a number.
        document_version: String,
        /// The runbook's parameters, each a list of texts.
        parameters: Parameters,
        /// A UUID: the same start twice is one execution.
        client_token: String,
        /// `Auto` or `Interactive`.
        mode: String,
        /// The parameter that takes each target.
        target_parameter_name: String,
        /// At most one.
        targets: Vec<Target>,
        /// Parameter values per child; not with `targets`.
        target_maps: Vec<TargetMap>,
        /// Children at the same time. 10 if absent.
        max_concurrency: String,
        /// Children that may fail. 0 if absent.
        max_errors: String,
        /// Accounts and Regions to run in.
        target_locations: Vec<TargetLocation>,
        /// Tags of the execution.
        tags: Vec<Tag>,
        /// An alarm that stops it.
        alarm_configuration: AlarmConfiguration,
        /// Presigned address of a file of target locations.
        #[serde(rename = "TargetLocationsURL")]
        target_locations_url: String,
    }

    /// SSM API reference, StartAutomationExecution's result.
    StartAutomationExecutionResult {
        /// 36 characters.
        automation_execution_id: String,
    }

    /// SSM API reference, StopAutomationExecution.
    StopAutomationExecutionRequest {
        /// The execution. Required.
        automation_execution_id: String,
        /// `Cancel` (if absent) or `Complete`.
        #[serde(rename = "Type")]
        kind: String,
    }

    /// SSM API reference, StopAutomationExecution's result: empty.
    StopAutomationExecutionResult {}

    /// SSM API reference, SendAutomationSignal.
    SendAutomationSignalRequest {
        /// The execution. Required.
        automation_execution_id: String,
        /// `Approve`, `Reject`, `StartStep`, `StopStep`, `Resume` or `Revoke`. Required.
        signal_type: String,
        /// `Comment`, `StepName` or `StepExecutionId`, as the type takes it.
        payload: Parameters,
    }

    /// SSM API reference, SendAutomationSignal's result: empty.
    SendAutomationSignalResult {}

    /// SSM API reference, GetAutomationExecution.
    GetAutomationExecutionRequest {
        /// The execution. Required.
        automation_execution_id: String,
    }

    /// SSM API reference, GetAutomationExecution's result.
    GetAutomationExecutionResult {
        /// The execution.
        automation_execution: AutomationExecution,
    }

    /// One run of a runbook. SSM API reference, AutomationExecution.
    AutomationExecution {
        /// 36 characters.
        automation_execution_id: String,
        /// The runbook's name.
        document_name: String,
        /// The version that runs.
        document_version: String,
        /// When it began.
        execution_start_time: EpochSeconds,
        /// When it ended.
        execution_end_time: EpochSeconds,
        /// `Pending`, `InProgress`, `Waiting`, `Success`, `TimedOut`, `Cancelling`, `Cancelled`, `Failed`, …
        automation_execution_status: String,
        /// Its steps, in the order of their execution.
        step_executions: Vec<StepExecution>,
        /// Whether there are more steps than told here.
        step_executions_truncated: bool,
        /// The parameters it runs with.
        parameters: Parameters,
        /// What its document declares as outputs.
        outputs: Parameters,
        /// Why it failed.
        failure_message: String,
        /// What somebody should know although it didn't fail.
        warning_message: String,
        /// `Auto` or `Interactive`.
        mode: String,
        /// The execution that started it.
        parent_automation_execution_id: String,
        /// ARN of who started it.
        executed_by: String,
        /// The step it is at.
        current_step_name: String,
        /// That step's action.
        current_action: String,
        /// The parameter that takes each target.
        target_parameter_name: String,
        /// Targets as given.
        targets: Vec<Target>,
        /// Target maps as given.
        target_maps: Vec<TargetMap>,
        /// What the targets turned out to be.
        resolved_targets: ResolvedTargets,
        /// Children at the same time.
        max_concurrency: String,
        /// Children that may fail.
        max_errors: String,
        /// The target of a child.
        target: String,
        /// Accounts and Regions.
        target_locations: Vec<TargetLocation>,
        /// Steps by outcome.
        progress_counters: ProgressCounters,
        /// An alarm that stops it.
        alarm_configuration: AlarmConfiguration,
        /// The alarm that did.
        triggered_alarms: Vec<AlarmStateInformation>,
        /// Address of a file of target locations.
        #[serde(rename = "TargetLocationsURL")]
        target_locations_url: String,
        /// `ChangeRequest` or `AccessRequest`.
        automation_subtype: String,
        /// When it is to begin.
        scheduled_time: EpochSeconds,
        /// Runbooks of a change request.
        runbooks: Vec<Runbook>,
        /// OpsItem of a change request.
        ops_item_id: String,
        /// Association that started it.
        association_id: String,
        /// Name of a change request.
        change_request_name: String,
        /// Its variables.
        variables: Parameters,
        /// Children by outcome.
        targets_summary: TargetsSummary,
    }

    /// SSM API reference, ResolvedTargets.
    ResolvedTargets {
        /// The values.
        parameter_values: Vec<String>,
        /// Whether there are more.
        truncated: bool,
    }

    /// SSM API reference, ProgressCounters.
    ProgressCounters {
        /// All steps.
        total_steps: i64,
        /// Steps that succeeded.
        success_steps: i64,
        /// Steps that failed.
        failed_steps: i64,
        /// Steps that were cancelled.
        cancelled_steps: i64,
        /// Steps that timed out.
        timed_out_steps: i64,
    }

    /// SSM API reference, TargetsSummary.
    TargetsSummary {
        /// All targets.
        total_count: i64,
        /// Targets that were begun.
        started_count: i64,
        /// Targets that have ended.
        completed_count: i64,
        /// Targets that succeeded.
        successful_count: i64,
        /// Targets that failed.
        failed_count: i64,
    }

    /// SSM API reference, Runbook (of a change request).
    Runbook {
        /// Name or ARN. Required.
        document_name: String,
        /// Its version.
        document_version: String,
        /// Its parameters.
        parameters: Parameters,
        /// The parameter that takes each target.
        target_parameter_name: String,
        /// Its targets.
        targets: Vec<Target>,
        /// Its target maps.
        target_maps: Vec<TargetMap>,
        /// Children at the same time.
        max_concurrency: String,
        /// Children that may fail.
        max_errors: String,
        /// Accounts and Regions.
        target_locations: Vec<TargetLocation>,
    }

    /// SSM API reference, TargetLocation.
    TargetLocation {
        /// Accounts to run in.
        accounts: Vec<String>,
        /// Regions to run in.
        regions: Vec<String>,
        /// Locations at the same time.
        target_location_max_concurrency: String,
        /// Locations that may fail.
        target_location_max_errors: String,
        /// The role there.
        execution_role_name: String,
        /// An alarm that stops it.
        target_location_alarm_configuration: AlarmConfiguration,
        /// Whether organizational units below count too.
        include_child_organization_units: bool,
        /// Accounts to leave out.
        exclude_accounts: Vec<String>,
        /// Targets there.
        targets: Vec<Target>,
        /// Targets at the same time.
        targets_max_concurrency: String,
        /// Targets that may fail.
        targets_max_errors: String,
    }
}
