//! What runs print.

use super::command::{Command, Invocation};
use super::document::Step;
use super::status::StatusDetails;
use crate::fleet::{Node, Platform};

/// Standard output and standard error of a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Output {
    pub(super) standard: String,
    pub(super) error: String,
}

impl Output {
    /// Of a run that has ended.
    pub(super) fn of(command: &Command, one: &Invocation, node: &Node, seen: StatusDetails) -> Self {
        let behaviour = one.plan.as_ref().and_then(|plan| node.behaviours.get(plan.behaviour?));
        let failed = seen == StatusDetails::Failed;
        let stopped = matches!(seen, StatusDetails::ExecutionTimedOut | StatusDetails::Cancelled);
        let mut output = match kind(command) {
            Kind::Patch if failed => patch_failed(command, node),
            Kind::Patch if stopped => Self::default(),
            Kind::Patch => patched(command, one, node),
            Kind::Script => script(command, node, failed),
            Kind::Other => other(command, failed),
        };
        if let Some(standard) = behaviour.and_then(|behaviour| behaviour.output.as_deref()) {
            output.standard = fill(standard, command, one, node);
        }
        if let Some(error) = behaviour.and_then(|behaviour| behaviour.error.as_deref()).filter(|_| failed) {
            output.error = fill(error, command, one, node);
        } else if failed {
            output.error.push_str(&format!("failed to run commands: exit status {}", one.exit_code));
        } else if stopped {
            output.error = "failed to run commands: signal: killed".to_owned();
        }
        output
    }

    /// Of a step that is for another platform.
    pub(super) fn skipped(step: &Step, platform: Platform) -> Self {
        let only = step.platform.unwrap_or(platform).name();
        let standard = format!(
            "Step execution skipped due to unsatisfied preconditions: '\"StringEquals\": [platformType, {only}]'. Step name: {}",
            step.name
        );
        Self { standard, error: String::new() }
    }

    /// As CommandPlugin.Output has it.
    pub(super) fn joined(&self) -> String {
        match self.error.is_empty() {
            true => self.standard.clone(),
            false => format!("{}\n----------ERROR-------\n{}", self.standard, self.error),
        }
    }
}

/// The first characters, ending with `mark` if there were more.
pub(super) fn cut(text: &str, max: usize, mark: &str) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => {
            let kept = max.saturating_sub(mark.chars().count());
            text.chars().take(kept).chain(mark.chars()).collect()
        }
    }
}

enum Kind {
    Patch,
    Script,
    Other,
}

fn kind(command: &Command) -> Kind {
    if command.document.name.starts_with("AWS-RunPatchBaseline") {
        Kind::Patch
    } else if command
        .request
        .parameters
        .as_ref()
        .is_some_and(|parameters| parameters.contains_key("commands"))
    {
        Kind::Script
    } else {
        Kind::Other
    }
}

fn parameter<'a>(command: &'a Command, name: &str) -> &'a str {
    let values = command.request.parameters.as_ref().and_then(|parameters| parameters.get(name));
    values.and_then(|values| values.first()).map_or("", String::as_str)
}

/// Fills the placeholders of a fleet file's text.
fn fill(template: &str, command: &Command, one: &Invocation, node: &Node) -> String {
    let values = [
        ("node", node.id.to_string()),
        ("name", node.name.clone()),
        ("platform", node.platform.name().to_owned()),
        ("document", command.document.name.to_string()),
        ("operation", parameter(command, "Operation").to_owned()),
        ("exit_code", one.exit_code.to_string()),
        ("installed", one.installed.to_string()),
        ("missing", one.missing.to_string()),
    ];
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{{ {name} }}}}"), &value).replace(&format!("{{{{{name}}}}}"), &value);
    }
    text
}

/// What the patch baseline operations print at their end.
fn patched(command: &Command, one: &Invocation, node: &Node) -> Output {
    let operation = parameter(command, "Operation");
    let (manager, word) = match node.platform {
        Platform::Linux => ("yum", "Linux"),
        Platform::Windows => ("WindowsUpdate", "Windows"),
    };
    let standard = format!(
        "Patch Summary for {} ({word}, {manager})\nPatchGroup          : {}\nOperationType       : {operation}\n\
         InstalledCount      : {}\nMissingCount        : {}\nFailedCount         : 0\nRebootOption        : {}\n",
        node.id,
        node.tags.get("PatchGroup").map_or("", String::as_str),
        one.installed,
        one.missing,
        if parameter(command, "RebootOption") == "NoReboot" { "NoReboot" } else { "RebootIfNeeded" },
    );
    Output { standard, error: String::new() }
}

/// A failure that names no node, so that alike failures have alike outputs.
fn patch_failed(command: &Command, node: &Node) -> Output {
    let operation = parameter(command, "Operation");
    let error = match node.platform {
        Platform::Linux => {
            "Error: Failed to download metadata for repo 'amzn2-core': Cannot download repomd.xml: All mirrors were tried\n\
             ERROR:root:Unable to complete the package update.\n"
        }
        Platform::Windows => {
            "Invoke-PatchBaselineOperation : Exception Details: An error occurred when attempting to search Windows \
             Update.\nException Level 1:\n Error Message: Exception from HRESULT: 0x8024402C\n"
        }
    };
    Output { standard: format!("Running with operation {operation}.\n"), error: error.to_owned() }
}

/// A script prints what it echoes, and what a few well-known commands would.
fn script(command: &Command, node: &Node, failed: bool) -> Output {
    let lines = command.request.parameters.as_ref().and_then(|parameters| parameters.get("commands"));
    let mut standard = String::new();
    for line in lines.into_iter().flatten().flat_map(|text| text.lines()) {
        let line = line.trim();
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let printed = match first {
            "echo" | "Write-Output" | "Write-Host" => rest.trim_matches(['"', '\'']),
            "hostname" => &node.name,
            "uname" => "Linux",
            "systemctl" if rest.starts_with("is-active") => {
                if failed {
                    "inactive"
                } else {
                    "active"
                }
            }
            _ => continue,
        };
        standard.push_str(printed);
        standard.push('\n');
    }
    Output { standard, error: String::new() }
}

fn other(command: &Command, failed: bool) -> Output {
    let standard = match failed {
        true => String::new(),
        false => format!("{} completed.\n", command.document.name),
    };
    Output { standard, error: String::new() }
}
