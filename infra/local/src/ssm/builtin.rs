//! Documents that every account has: their parameters and steps as AWS publishes them, their scripts left out.

use serde_json::{Value, json};

/// Name and content of each.
pub(super) fn documents() -> Vec<(&'static str, Value)> {
    let mut documents = scripts();
    documents.extend(patching());
    documents.extend(packages());
    documents.extend(windows());
    documents
}

fn required(kind: &str, description: &str) -> Value {
    json!({"type": kind, "description": description})
}

fn optional(default: &str, description: &str) -> Value {
    json!({"type": "String", "default": default, "description": description})
}

fn choice(default: Option<&str>, allowed: &[&str], description: &str) -> Value {
    let mut parameter = json!({"type": "String", "allowedValues": allowed, "description": description});
    if let (Some(default), Some(members)) = (default, parameter.as_object_mut()) {
        members.insert("default".to_owned(), json!(default));
    }
    parameter
}

fn execution_timeout() -> Value {
    optional("3600", "Seconds after which the run is stopped, at most 172800.")
}

fn script(action: &str, description: &str) -> Value {
    json!({
        "schemaVersion": "1.2",
        "description": description,
        "parameters": {
            "commands": required("StringList", "Commands to run."),
            "workingDirectory": optional("", "Where to run them."),
            "executionTimeout": execution_timeout(),
        },
        "runtimeConfig": { action: { "properties": [{
            "id": "0.aws:script", "runCommand": "{{ commands }}",
            "workingDirectory": "{{ workingDirectory }}", "timeoutSeconds": "{{ executionTimeout }}",
        }]}},
    })
}

fn step(name: &str, action: &str, platform: Option<&str>, timeout: &str) -> Value {
    let mut step = json!({"name": name, "action": action, "inputs": {"timeoutSeconds": timeout}});
    if let (Some(platform), Some(members)) = (platform, step.as_object_mut()) {
        members.insert("precondition".to_owned(), json!({"StringEquals": ["platformType", platform]}));
    }
    step
}

fn document(description: &str, parameters: Value, steps: &[Value]) -> Value {
    let mut document = json!({"schemaVersion": "2.2", "description": description, "mainSteps": steps});
    if let Some(members) = document.as_object_mut() {
        members.insert("parameters".to_owned(), parameters);
    }
    document
}

fn scripts() -> Vec<(&'static str, Value)> {
    let remote = json!({
        "sourceType": choice(None, &["GitHub", "S3", "Git", "HTTP"], "Where the script is."),
        "sourceInfo": json!({"type": "StringMap", "default": {}, "description": "How to get it."}),
        "commandLine": optional("", "How to run it."),
        "workingDirectory": optional("", "Where to run it."),
        "executionTimeout": execution_timeout(),
    });
    let remote_steps = [
        step("downloadContent", "aws:downloadContent", None, "{{ executionTimeout }}"),
        step("runPowerShellScript", "aws:runPowerShellScript", Some("Windows"), "{{ executionTimeout }}"),
        step("runShellScript", "aws:runShellScript", Some("Linux"), "{{ executionTimeout }}"),
    ];
    vec![
        (
            "AWS-RunShellScript",
            script("aws:runShellScript", "Run a shell script or specify the commands to run."),
        ),
        (
            "AWS-RunPowerShellScript",
            script(
                "aws:runPowerShellScript",
                "Run a PowerShell script or specify the paths to scripts to run.",
            ),
        ),
        (
            "AWS-RunRemoteScript",
            document("Execute scripts stored in a remote location.", remote, &remote_steps),
        ),
    ]
}

fn patching() -> Vec<(&'static str, Value)> {
    let parameters = json!({
        "Operation": choice(None, &["Scan", "Install"], "Scan or install."),
        "AssociationId": optional("", "Association of a baseline of its own."),
        "SnapshotId": optional("", "Snapshot of the baseline."),
        "InstallOverrideList": optional("", "List of patches instead of the baseline."),
        "BaselineOverride": optional("", "Baselines instead of the default ones."),
        "RebootOption": choice(Some("RebootIfNeeded"), &["RebootIfNeeded", "NoReboot"], "Whether to reboot."),
        "StepTimeoutSeconds": optional("7200", "Seconds after which the run is stopped."),
    });
    let steps = [
        step("PatchWindows", "aws:runPowerShellScript", Some("Windows"), "{{ StepTimeoutSeconds }}"),
        step("PatchLinux", "aws:runShellScript", Some("Linux"), "{{ StepTimeoutSeconds }}"),
    ];
    let mut hooks = parameters.clone();
    if let Some(members) = hooks.as_object_mut() {
        for name in ["PreInstallHookDocName", "PostInstallHookDocName", "OnExitHookDocName"] {
            members.insert(name.to_owned(), optional("AWS-Noop", "Document to run at that moment."));
        }
    }
    let description =
        "Scans for or installs patches from a patch baseline to a Linux or Windows operating system.";
    vec![
        ("AWS-RunPatchBaseline", document(description, parameters, &steps)),
        ("AWS-RunPatchBaselineWithHooks", document(description, hooks, &steps)),
    ]
}

fn packages() -> Vec<(&'static str, Value)> {
    let agent = json!({
        "version": optional("", "Version to install; the latest if empty."),
        "allowDowngrade": choice(Some("false"), &["true", "false"], "Whether an older one may be installed."),
    });
    let package = json!({
        "action": choice(None, &["Install", "Uninstall"], "Install or uninstall."),
        "installationType": choice(Some("Uninstall and reinstall"), &["Uninstall and reinstall", "In-place update"], "How."),
        "name": required("String", "The package."),
        "version": optional("", "Its version; the latest if empty."),
        "additionalArguments": json!({"type": "StringMap", "default": {}, "description": "For the package's scripts."}),
    });
    let inventory = json!({
        "applications": optional("Enabled", "Collect applications."),
        "awsComponents": optional("Enabled", "Collect AWS components."),
        "networkConfig": optional("Enabled", "Collect network configuration."),
        "windowsUpdates": optional("Enabled", "Collect Windows updates."),
        "services": optional("Enabled", "Collect Windows services."),
        "files": optional("", "Collect files."),
    });
    vec![
        (
            "AWS-UpdateSSMAgent",
            document(
                "Update the Amazon SSM Agent.",
                agent,
                &[step("updateSsmAgent", "aws:updateSsmAgent", None, "3600")],
            ),
        ),
        (
            "AWS-ConfigureAWSPackage",
            document(
                "Install or uninstall a Distributor package.",
                package,
                &[step("configurePackage", "aws:configurePackage", None, "3600")],
            ),
        ),
        (
            "AWS-GatherSoftwareInventory",
            document(
                "Collect inventory.",
                inventory,
                &[step("collectSoftwareInventoryItems", "aws:softwareInventory", None, "3600")],
            ),
        ),
    ]
}

fn windows() -> Vec<(&'static str, Value)> {
    let updates = json!({
        "Action": choice(Some("Install"), &["Install", "Uninstall"], "Install or uninstall."),
        "AllowReboot": choice(Some("True"), &["True", "False"], "Whether to reboot."),
        "IncludeKbs": optional("", "Only these."),
        "ExcludeKbs": optional("", "Not these."),
        "Categories": optional("", "Only of these categories."),
        "SeverityLevels": optional("", "Only of these severities."),
        "executionTimeout": execution_timeout(),
    });
    let join = json!({
        "directoryId": required("String", "The directory."),
        "directoryName": required("String", "Its name."),
        "directoryOU": optional("", "The organizational unit."),
        "dnsIpAddresses": json!({"type": "StringList", "default": [], "description": "Its name servers."}),
    });
    vec![
        (
            "AWS-InstallWindowsUpdates",
            document("Install Windows updates.", updates.clone(), &[updates_step("{{ executionTimeout }}")]),
        ),
        (
            "AWS-InstallMissingWindowsUpdates",
            document(
                "Install Windows updates that are missing.",
                json!({"UpdateLevel": optional("All", "Which.")}),
                &[updates_step("3600")],
            ),
        ),
        (
            "AWS-JoinDirectoryServiceDomain",
            document("Join a domain.", join, &[step("domainJoin", "aws:domainJoin", None, "3600")]),
        ),
    ]
}

fn updates_step(timeout: &str) -> Value {
    step("installWindowsUpdates", "aws:runPowerShellScript", Some("Windows"), timeout)
}
