//! What the results API answers: executions, steps, nodes, groups, timelines.
//!
//! SSM has no shapes for these. Names are SSM's where it has them; moments are RFC 3339, durations are seconds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Declares results: PascalCase members; optional ones are not written when absent.
macro_rules! results {
    ($(
        $(#[$meta:meta])*
        $name:ident { $( $(#[$member_meta:meta])* $member:ident: $kind:ty, )* }
    )*) => { $(
        $(#[$meta])*
        #[serde_with::skip_serializing_none]
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "described", derive(utoipa::ToSchema))]
        #[serde(rename_all = "PascalCase")]
        pub struct $name { $(
            $(#[$member_meta])*
            pub $member: $kind,
        )* }
    )* };
}

/// What became of a node in a step, or of all of them: SSM's many statuses in five classes that partition the targets,
/// and what is not over yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "described", derive(utoipa::ToSchema))]
pub enum NodeOutcome {
    /// Ran, and ended well.
    Success,
    /// Ran, and ended badly. Events say no more than Failed: until SSM is read, also what ended so without having run.
    Failed,
    /// Ran into its execution timeout.
    TimedOut,
    /// May have run: delivery timed out, undeliverable, or SSM never said.
    Unknown,
    /// Never started.
    NotRun,
    /// Not over yet.
    InProgress,
}

results! {
    /// An execution.
    Execution {
        /// Its id.
        execution_id: String,
        /// The runbook's name.
        document_name: String,
        /// The runbook's version.
        document_version: String,
        /// `InProgress`, `Waiting`, `Cancelling`, `Success`, `Failed`, `TimedOut`, `Cancelled`.
        status: String,
        /// When it was started.
        #[cfg_attr(feature = "described", schema(value_type = String, format = DateTime))]
        started_at: Timestamp,
        /// When it ended.
        #[cfg_attr(feature = "described", schema(value_type = Option<String>, format = DateTime))]
        ended_at: Option<Timestamp>,
        /// Who started it: an ARN.
        executed_by: String,
        /// The step it is at.
        current_step: Option<String>,
        /// Why it failed.
        failure_message: Option<String>,
        /// Why it was set aside and waits for a person.
        parked: Option<String>,
        /// What a person should know.
        warnings: Vec<String>,
    }

    /// An execution with what went in and came out.
    ExecutionDetail {
        /// The execution.
        execution: Execution,
        /// Its parameters.
        parameters: BTreeMap<String, Vec<String>>,
        /// Its outputs.
        outputs: BTreeMap<String, Vec<String>>,
    }

    /// A page of executions, the newest first.
    ExecutionList {
        /// The executions.
        executions: Vec<Execution>,
        /// Where the next page begins.
        next_token: Option<String>,
    }

    /// Nodes by outcome.
    NodeCounts {
        /// Ran, and ended well.
        success: u64,
        /// Ran, and ended badly.
        failed: u64,
        /// Ran into their execution timeout.
        timed_out: u64,
        /// May have run.
        unknown: u64,
        /// Never started.
        not_run: u64,
        /// Not over yet; of a command by Targets only once SSM has named them.
        in_progress: u64,
    }

    /// The round of a loop that a step ran in.
    Round {
        /// The loop's step.
        step_name: String,
        /// Counted from 1.
        iteration: u64,
        /// What the loop iterates over.
        value: Option<String>,
    }

    /// A step execution.
    Step {
        /// Counted from 0 in the order steps began; names it in the other resources.
        ordinal: u32,
        /// Its name.
        step_name: String,
        /// Its action, such as `aws:runCommand`.
        action: String,
        /// Its status in SSM's words.
        status: String,
        /// When it began.
        #[cfg_attr(feature = "described", schema(value_type = String, format = DateTime))]
        started_at: Timestamp,
        /// When it ended.
        #[cfg_attr(feature = "described", schema(value_type = Option<String>, format = DateTime))]
        ended_at: Option<Timestamp>,
        /// The round of the loop around it.
        round: Option<Round>,
        /// Which attempt it is at, or ended with, from 1.
        attempt: u32,
        /// The step that came after it.
        next_step: Option<String>,
        /// Why it failed.
        failure_message: Option<String>,
        /// Its nodes by outcome; none for a step without nodes.
        counts: Option<NodeCounts>,
        /// Its commands.
        command_ids: Vec<String>,
        /// Commands of which SSM said something else after the step was closed.
        contradicted_by: Vec<String>,
        /// Its outputs.
        outputs: BTreeMap<String, Vec<String>>,
    }

    /// A page of steps, in the order they began.
    StepList {
        /// The steps.
        steps: Vec<Step>,
        /// Where the next page begins.
        next_token: Option<String>,
    }

    /// A step with nodes, in numbers.
    StepSummary {
        /// Names the step.
        ordinal: u32,
        /// Its name.
        step_name: String,
        /// The round of the loop around it.
        round: Option<Round>,
        /// Its status in SSM's words.
        status: String,
        /// When it began.
        #[cfg_attr(feature = "described", schema(value_type = String, format = DateTime))]
        started_at: Timestamp,
        /// When it ended.
        #[cfg_attr(feature = "described", schema(value_type = Option<String>, format = DateTime))]
        ended_at: Option<Timestamp>,
        /// How many nodes it is for, where that is known.
        targets: Option<u64>,
        /// Its nodes by outcome. Of a closed step the counts it was closed with.
        counts: NodeCounts,
    }

    /// An execution's steps that have nodes, in numbers.
    Summary {
        /// The execution.
        execution_id: String,
        /// Its status.
        status: String,
        /// Its steps with nodes, in the order they began.
        steps: Vec<StepSummary>,
    }

    /// What a step did on a node.
    NodeResult {
        /// The step.
        step_name: String,
        /// Names the step.
        ordinal: u32,
        /// The node.
        instance_id: String,
        /// What became of it.
        outcome: NodeOutcome,
        /// SSM's finer status, once settled.
        status_details: Option<String>,
        /// The exit code; -1: not started, or not received.
        response_code: Option<i32>,
        /// The command.
        command_id: Option<String>,
        /// The document's step that speaks for the node: the first that did not end well, else the last.
        plugin_name: Option<String>,
        /// When that began on the node.
        #[cfg_attr(feature = "described", schema(value_type = Option<String>, format = DateTime))]
        started_at: Option<Timestamp>,
        /// When it ended there.
        #[cfg_attr(feature = "described", schema(value_type = Option<String>, format = DateTime))]
        ended_at: Option<Timestamp>,
        /// How long the command took on the node, in seconds: from the first of its steps to the last.
        duration_s: Option<f64>,
        /// The first part of its output, as SSM lists it.
        output: String,
        /// Whether there was more of it than is kept.
        output_shortened: bool,
        /// Where the whole standard output is.
        standard_output_url: Option<String>,
        /// Where the whole standard error is.
        standard_error_url: Option<String>,
    }

    /// A page of nodes.
    NodeList {
        /// The nodes, step by step, the worst outcome first; or the slowest first, if asked for. Pages of a step that is
        /// not over go by node id, so that new results hide none and show none twice; within a page the worst comes
        /// first.
        nodes: Vec<NodeResult>,
        /// Where the next page begins.
        next_token: Option<String>,
    }

    /// Nodes of a step that ended alike and said the same.
    Group {
        /// The step.
        step_name: String,
        /// Names the step.
        ordinal: u32,
        /// What became of them.
        outcome: NodeOutcome,
        /// SSM's finer status.
        status_details: Option<String>,
        /// Their exit code.
        response_code: Option<i32>,
        /// How many they are.
        count: u64,
        /// The first of them by id, at most 50.
        instance_ids: Vec<String>,
        /// One of them, whose output follows.
        sample_instance_id: String,
        /// What it said, as it said it.
        sample_output: String,
    }

    /// Nodes grouped by step, outcome, exit code and normalised output.
    GroupList {
        /// In the order of the steps; of a step the largest first.
        groups: Vec<Group>,
        /// Where the next page begins.
        next_token: Option<String>,
    }

    /// A command in numbers.
    CommandSummary {
        /// The command.
        command_id: String,
        /// Its document.
        document_name: String,
        /// SSM's status.
        status: String,
        /// SSM's finer status.
        status_details: String,
        /// When SSM took the request.
        #[cfg_attr(feature = "described", schema(value_type = String, format = DateTime))]
        requested_at: Timestamp,
        /// Whether SSM was read for its authoritative result.
        settled: bool,
        /// The execution that sent it, if one did.
        execution_id: Option<String>,
        /// The step that sent it.
        step_name: Option<String>,
        /// How many nodes it is for, where that is known.
        targets: Option<u64>,
        /// Its nodes by outcome.
        counts: NodeCounts,
    }

    /// What a command did on a node.
    NodeCommand {
        /// The command.
        command_id: String,
        /// Its document.
        document_name: String,
        /// When SSM took the request.
        #[cfg_attr(feature = "described", schema(value_type = String, format = DateTime))]
        requested_at: Timestamp,
        /// The execution that sent it, if one did.
        execution_id: Option<String>,
        /// The step that sent it.
        step_name: Option<String>,
        /// What became of it on the node.
        outcome: NodeOutcome,
        /// SSM's finer status, once settled.
        status_details: Option<String>,
        /// The exit code; -1: not started, or not received.
        response_code: Option<i32>,
        /// How long it took on the node, in seconds.
        duration_s: Option<f64>,
    }

    /// What a node went through, the newest first.
    NodeHistory {
        /// The node.
        instance_id: String,
        /// Its commands.
        commands: Vec<NodeCommand>,
        /// Where the next page begins.
        next_token: Option<String>,
    }

    /// Something that happened in an execution.
    TimelineEvent {
        /// When.
        #[cfg_attr(feature = "described", schema(value_type = String, format = DateTime))]
        at: Timestamp,
        /// What.
        kind: TimelineKind,
        /// The step it is about.
        step_name: Option<String>,
        /// The command it is about.
        command_id: Option<String>,
        /// How many nodes it is about.
        nodes: Option<u64>,
        /// What it came to, in SSM's words.
        status: Option<String>,
    }

    /// An execution from its start on.
    Timeline {
        /// The execution.
        execution_id: String,
        /// The oldest first.
        events: Vec<TimelineEvent>,
        /// Whether it has more steps or commands than one answer tells of.
        truncated: bool,
    }

    /// Whether executions are looked after.
    Health {
        /// The moment, by the clock of the host that answers.
        #[cfg_attr(feature = "described", schema(value_type = String, format = DateTime))]
        now: Timestamp,
        /// When reconcile last began, as its schedule has it; none if it never did.
        #[cfg_attr(feature = "described", schema(value_type = Option<String>, format = DateTime))]
        last_reconcile_at: Option<Timestamp>,
        /// The same by the clock of the host it ran on.
        #[cfg_attr(feature = "described", schema(value_type = Option<String>, format = DateTime))]
        last_reconcile_handled_at: Option<Timestamp>,
        /// Since when what is overdue longest (an execution, a send, a command by itself) waits for reconcile; none if
        /// nothing does.
        #[cfg_attr(feature = "described", schema(value_type = Option<String>, format = DateTime))]
        oldest_due_at: Option<Timestamp>,
    }

    /// An error of the results API, in the words of SSM's.
    Problem {
        /// The error's name.
        code: String,
        /// What is wrong.
        message: String,
    }
}

/// What happens in an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "described", derive(utoipa::ToSchema))]
pub enum TimelineKind {
    /// It was started.
    ExecutionStarted,
    /// A step began.
    StepStarted,
    /// SSM took a command of it.
    CommandSent,
    /// The first node of a command ended.
    FirstNodeEnded,
    /// The last node of a command ended.
    LastNodeEnded,
    /// A step ended.
    StepEnded,
    /// It ended.
    ExecutionEnded,
}
