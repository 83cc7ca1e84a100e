//! Step executions, and DescribeAutomationStepExecutions.

use crate::{AlarmStateInformation, EpochSeconds, Parameters, Target, TargetLocation};
use std::collections::BTreeMap;

structures! {
    /// One run of one step. SSM API reference, StepExecution.
    StepExecution {
        /// The step's name.
        step_name: String,
        /// Its action, such as `aws:runCommand`.
        action: String,
        /// Seconds it may take.
        timeout_seconds: i64,
        /// `Abort`, `Continue` or `step:<name>`.
        on_failure: String,
        /// How often it is tried.
        max_attempts: i64,
        /// When it began.
        execution_start_time: EpochSeconds,
        /// When it ended.
        execution_end_time: EpochSeconds,
        /// A status as of an execution.
        step_status: String,
        /// What the action answered.
        response_code: String,
        /// The resolved inputs, each value as JSON text.
        inputs: BTreeMap<String, String>,
        /// What it gave.
        outputs: Parameters,
        /// What the action answered, as text.
        response: String,
        /// Why it failed.
        failure_message: String,
        /// What somebody should know although it didn't fail.
        warning_message: String,
        /// Where and how it failed.
        failure_details: FailureDetails,
        /// 36 characters.
        step_execution_id: String,
        /// Parameters that were given to the step by hand.
        overridden_parameters: Parameters,
        /// Whether the execution ends after it.
        is_end: bool,
        /// The step that follows on success.
        next_step: String,
        /// Whether its failure fails the execution.
        is_critical: bool,
        /// Steps that may follow.
        valid_next_steps: Vec<String>,
        /// Targets of the step.
        targets: Vec<Target>,
        /// Account and Region of the step.
        target_location: TargetLocation,
        /// The alarm that stopped it.
        triggered_alarms: Vec<AlarmStateInformation>,
        /// The loop it runs in.
        parent_step_details: ParentStepDetails,
    }

    /// SSM API reference, FailureDetails.
    FailureDetails {
        /// `InputValidation`, `PreVerification`, `Invocation`, `PostVerification`.
        failure_stage: String,
        /// `Action`, `Permission`, `Throttling`, `Verification`, `Internal`.
        failure_type: String,
        /// More about it.
        details: Parameters,
    }

    /// SSM API reference, ParentStepDetails.
    ParentStepDetails {
        /// The loop's step execution.
        step_execution_id: String,
        /// The loop's name.
        step_name: String,
        /// The loop's action.
        action: String,
        /// Which round, from 0.
        iteration: i64,
        /// The round's value.
        iterator_value: String,
    }

    /// SSM API reference, DescribeAutomationStepExecutions.
    DescribeAutomationStepExecutionsRequest {
        /// The execution. Required.
        automation_execution_id: String,
        /// 1 to 6, all of which a step must match.
        filters: Vec<StepExecutionFilter>,
        /// Where the last page ended.
        next_token: String,
        /// 1 to 50 per page.
        max_results: i64,
        /// Whether the newest comes first.
        reverse_order: bool,
    }

    /// SSM API reference, DescribeAutomationStepExecutions' result.
    DescribeAutomationStepExecutionsResult {
        /// The steps.
        step_executions: Vec<StepExecution>,
        /// Absent on the last page.
        next_token: String,
    }

    /// SSM API reference, StepExecutionFilter.
    StepExecutionFilter {
        /// `StartTimeBefore`, `StartTimeAfter`, `StepExecutionStatus`, `StepExecutionId`, `StepName`, `Action`, `ParentStep…`.
        key: String,
        /// Any of which matches.
        values: Vec<String>,
    }
}
