//! An invocation as responses tell it, and GetCommandInvocation.

use super::Ssm;
use super::command::{Command, Invocation, no_cloud_watch, no_notifications};
use super::document::Step;
use super::output::{Output, cut};
use super::status::StatusDetails;
use super::time::{elapsed, epoch, iso};
use crate::fleet::Node;
use fleetwright_wire as wire;
use fleetwright_wire::{GetCommandInvocationRequest, GetCommandInvocationResult, ServiceError, read_request};

/// SSM API reference, CommandPlugin.Output, and GetCommandInvocationResult's two contents.
const PLUGIN_OUTPUT: usize = 2500;
const STANDARD_OUTPUT: usize = 24_000;
const STANDARD_ERROR: usize = 8000;

/// What a reader knows of one step on one node.
struct StepView {
    details: StatusDetails,
    response_code: i64,
    began: Option<i64>,
    ended: Option<i64>,
    output: Output,
}

impl Ssm {
    /// An invocation as ListCommandInvocations tells it.
    pub(super) fn invocation(
        &self,
        c: usize,
        i: usize,
        seen: StatusDetails,
        details: bool,
    ) -> Option<wire::CommandInvocation> {
        let command = self.commands.get(c)?;
        let one = command.invocations.get(i)?;
        let node = &self.nodes.get(one.node)?.node;
        let request = &command.request;
        let plugins = match details {
            true => {
                command.document.steps.iter().map(|step| plugin(command, one, node, step, seen)).collect()
            }
            false => Vec::new(),
        };
        let last = command.document.steps.last().map_or("", |step| &step.name);
        let (output_url, error_url) = urls(command, node, last, &self.options.region, seen);
        Some(wire::CommandInvocation {
            command_id: Some(command.id.to_string()),
            instance_id: Some(node.id.to_string()),
            instance_name: Some(node.name.clone()),
            comment: Some(request.comment.clone().unwrap_or_default()),
            document_name: Some(command.document.name.to_string()),
            document_version: Some(request.document_version.clone().unwrap_or_else(|| "$DEFAULT".to_owned())),
            requested_date_time: Some(epoch(command.requested_at)),
            status: Some(seen.status().to_owned()),
            status_details: Some(seen.name().to_owned()),
            trace_output: None,
            standard_output_url: Some(output_url),
            standard_error_url: Some(error_url),
            command_plugins: Some(plugins),
            service_role: Some(request.service_role_arn.clone().unwrap_or_default()),
            notification_config: Some(request.notification_config.clone().unwrap_or_else(no_notifications)),
            cloud_watch_output_config: Some(
                request.cloud_watch_output_config.clone().unwrap_or_else(no_cloud_watch),
            ),
        })
    }

    /// SSM API reference, GetCommandInvocation.
    pub(super) fn get_command_invocation(
        &self,
        body: &serde_json::Value,
    ) -> Result<GetCommandInvocationResult, ServiceError> {
        let request: GetCommandInvocationRequest = read_request("GetCommandInvocation", body)?;
        let absent = || ServiceError::invocation_does_not_exist("");
        let id = request.command_id.as_deref().unwrap_or_default();
        let node_id = request.instance_id.as_deref().unwrap_or_default();
        let command = self.by_command.get(id).and_then(|c| self.commands.get(*c)).ok_or_else(absent)?;
        let node = self.by_id.get(node_id).copied().ok_or_else(absent)?;
        let one =
            command.invocations.iter().find(|one| one.node == node && !one.hidden).ok_or_else(absent)?;
        let seen = one.seen(self.now).ok_or_else(absent)?;
        let node = &self.nodes.get(node).ok_or_else(absent)?.node;
        let step = step(command, request.plugin_name.as_deref())?;
        Ok(self.result(command, one, node, step, seen))
    }

    fn result(
        &self,
        command: &Command,
        one: &Invocation,
        node: &Node,
        step: &Step,
        seen: StatusDetails,
    ) -> GetCommandInvocationResult {
        let view = view(command, one, node, step, seen);
        let took = view.began.zip(view.ended).map(|(began, ended)| elapsed(ended - began));
        let (output_url, error_url) = urls(command, node, &step.name, &self.options.region, seen);
        GetCommandInvocationResult {
            command_id: Some(command.id.to_string()),
            instance_id: Some(node.id.to_string()),
            comment: Some(command.request.comment.clone().unwrap_or_default()),
            document_name: Some(command.document.name.to_string()),
            document_version: Some(
                command.request.document_version.clone().unwrap_or_else(|| "$DEFAULT".to_owned()),
            ),
            plugin_name: Some(step.name.clone()),
            response_code: Some(view.response_code),
            execution_start_date_time: Some(view.began.map(iso).unwrap_or_default()),
            execution_elapsed_time: Some(took.unwrap_or_default()),
            execution_end_date_time: Some(view.ended.map(iso).unwrap_or_default()),
            status: Some(seen.status().to_owned()),
            status_details: Some(seen.name().to_owned()),
            standard_output_content: Some(cut(
                &view.output.standard,
                STANDARD_OUTPUT,
                "\n---Output truncated---",
            )),
            standard_output_url: Some(output_url),
            standard_error_content: Some(cut(&view.output.error, STANDARD_ERROR, "\n---Error truncated----")),
            standard_error_url: Some(error_url),
            cloud_watch_output_config: Some(
                command.request.cloud_watch_output_config.clone().unwrap_or_else(no_cloud_watch),
            ),
        }
    }
}

/// The step a request names: by its name, and without one only if there is no choice.
fn step<'a>(command: &'a Command, name: Option<&str>) -> Result<&'a Step, ServiceError> {
    let steps = &command.document.steps;
    let found = match name {
        Some(name) => steps.iter().find(|step| step.name == name),
        None => steps.first().filter(|_| steps.len() == 1),
    };
    found.ok_or_else(|| ServiceError::invalid_plugin_name(""))
}

/// What a reader knows who sees these details.
fn view(command: &Command, one: &Invocation, node: &Node, step: &Step, seen: StatusDetails) -> StepView {
    let none =
        StepView { details: seen, response_code: -1, began: None, ended: None, output: Output::default() };
    // -1 means "not started or not received": the agent does answer for a run that a cancel stopped.
    let stopped = seen == StatusDetails::Cancelled && one.began.is_some();
    let answered = stopped
        || matches!(seen, StatusDetails::Success | StatusDetails::Failed | StatusDetails::ExecutionTimedOut);
    if !answered {
        let running = matches!(seen, StatusDetails::InProgress | StatusDetails::Cancelling);
        return StepView { began: one.began.filter(|_| running), ..none };
    }
    if !step.runs_on(node.platform) {
        let output = Output::skipped(step, node.platform);
        return StepView {
            details: StatusDetails::Success,
            response_code: 0,
            output,
            began: one.began,
            ended: one.began,
        };
    }
    let last = command.document.steps.iter().rfind(|step| step.runs_on(node.platform));
    let decides = last.is_some_and(|last| last.name == step.name);
    if !decides {
        return StepView {
            details: StatusDetails::Success,
            response_code: 0,
            began: one.began,
            ended: one.began,
            ..none
        };
    }
    StepView {
        details: seen,
        response_code: i64::from(one.exit_code),
        began: one.began,
        ended: one.ended,
        output: Output::of(command, one, node, seen),
    }
}

fn plugin(
    command: &Command,
    one: &Invocation,
    node: &Node,
    step: &Step,
    seen: StatusDetails,
) -> wire::CommandPlugin {
    let view = view(command, one, node, step, seen);
    let request = &command.request;
    wire::CommandPlugin {
        name: Some(step.name.clone()),
        // The list of a plugin's statuses has no Cancelling.
        status: Some(
            if seen == StatusDetails::Cancelling { "InProgress" } else { view.details.status() }.to_owned(),
        ),
        status_details: Some(view.details.name().to_owned()),
        response_code: Some(view.response_code),
        response_start_date_time: view.began.map(epoch),
        response_finish_date_time: view.ended.map(epoch),
        output: Some(cut(&view.output.joined(), PLUGIN_OUTPUT, "--output truncated--")),
        standard_output_url: Some(String::new()),
        standard_error_url: Some(String::new()),
        output_s3_region: request.output_s3_region.clone(),
        output_s3_bucket_name: Some(request.output_s3_bucket_name.clone().unwrap_or_default()),
        output_s3_key_prefix: Some(request.output_s3_key_prefix.clone().unwrap_or_default()),
    }
}

/// Where the whole outputs are: nowhere without a bucket or before the end.
fn urls(command: &Command, node: &Node, step: &str, region: &str, seen: StatusDetails) -> (String, String) {
    let bucket = command.request.output_s3_bucket_name.as_deref().unwrap_or_default();
    if bucket.is_empty() || !seen.terminal() {
        return (String::new(), String::new());
    }
    let prefix = command.request.output_s3_key_prefix.as_deref().unwrap_or_default().trim_end_matches('/');
    let slash = if prefix.is_empty() { "" } else { "/" };
    let step = step.replace(':', "");
    let folder = format!(
        "https://s3.{region}.amazonaws.com/{bucket}/{prefix}{slash}{}/{}/{step}",
        command.id, node.id
    );
    (format!("{folder}/stdout"), format!("{folder}/stderr"))
}
