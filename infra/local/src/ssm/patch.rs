//! Patches: what AWS-RunPatchBaseline does to a node, and DescribeInstancePatchStates.

use super::Ssm;
use super::ledger::RunEnd;
use super::page::Cursor;
use super::time::epoch;
use super::validate::{Violations, request};
use crate::fleet::{Node, Patches, Platform};
use fleetwright_wire as wire;
use fleetwright_wire::{DescribeInstancePatchStatesRequest, DescribeInstancePatchStatesResult, ServiceError};

/// States of a node that are kept; reads may still see the older ones.
const KEPT: usize = 4;

/// What one patch operation found.
#[derive(Clone, Debug)]
pub(super) struct PatchState {
    /// When reads see it.
    from: i64,
    install: bool,
    began: i64,
    ended: i64,
    snapshot: String,
    override_list: String,
    no_reboot: bool,
    last_no_reboot_install: Option<i64>,
    patches: Patches,
}

impl Ssm {
    /// What the end of a run does to its node's patches.
    pub(super) fn apply(&mut self, c: usize, i: usize, end: RunEnd) {
        let lag = self.options.patch_state_lag.draw(&mut self.rng);
        let fresh_snapshot = self.uuid();
        let Some(command) = self.commands.get(c) else { return };
        let Some(invocation) = command.invocations.get(i) else { return };
        let Some(plan) = &invocation.plan else { return };
        let Some(node) = self.nodes.get_mut(invocation.node) else { return };
        let none = wire::Parameters::new();
        let (document, parameters) =
            (&command.document, command.request.parameters.as_ref().unwrap_or(&none));
        let patches = &mut node.node.patches;
        if !document.name.starts_with("AWS-RunPatchBaseline") {
            if end == RunEnd::Succeeded && reboots(parameters) {
                rebooted(patches);
            }
            return;
        }
        let text = |name: &str| document.value(parameters, name).unwrap_or_default();
        let (install, no_reboot) = (text("Operation") == "Install", text("RebootOption") == "NoReboot");
        match end {
            RunEnd::Succeeded if install => {
                installed(patches, plan.leaves_missing, no_reboot || plan.pending_reboot);
            }
            RunEnd::Failed(_) if install => one_failed(patches),
            RunEnd::Succeeded => {}
            RunEnd::Failed(_) | RunEnd::TimedOut | RunEnd::Killed => return,
        }
        let before = node.states.last();
        let last_no_reboot_install = before.and_then(|state| state.last_no_reboot_install);
        let given = Some(text("SnapshotId").to_owned()).filter(|given| given.len() == 36);
        node.states.push(PatchState {
            from: before.map_or(i64::MIN, |state| state.from).max(self.now + lag),
            install,
            began: invocation.began.unwrap_or(self.now),
            ended: self.now,
            snapshot: given.unwrap_or(fresh_snapshot),
            override_list: text("InstallOverrideList").to_owned(),
            no_reboot,
            last_no_reboot_install: if install && no_reboot {
                Some(self.now)
            } else {
                last_no_reboot_install
            },
            patches: node.node.patches,
        });
        if node.states.len() > KEPT {
            node.states.remove(0);
        }
    }

    /// SSM API reference, DescribeInstancePatchStates. Nodes that were never scanned are left out.
    pub(super) fn describe_patch_states(
        &self,
        body: &serde_json::Value,
    ) -> Result<DescribeInstancePatchStatesResult, ServiceError> {
        let request: DescribeInstancePatchStatesRequest = request(body)?;
        let mut violations = Violations::default();
        violations.required("instanceIds", request.instance_ids.as_ref());
        violations.node_ids(request.instance_ids.as_ref());
        violations.range("maxResults", request.max_results, 10, 100);
        violations.finish()?;
        let ids = request.instance_ids.unwrap_or_default();
        let scope = format!("DescribeInstancePatchStates {ids:?}");
        let from = self.cursor(request.next_token.as_deref(), &scope)?.map_or(0, |cursor| cursor.first);
        let size = usize::try_from(request.max_results.unwrap_or(50)).unwrap_or(50);
        let known = ids.iter().filter_map(|id| self.nodes.get(*self.by_id.get(id.as_str())?));
        let states = known.filter_map(|node| {
            let seen = node.states.iter().rfind(|state| state.from <= self.now)?;
            Some(seen.wire(&node.node))
        });
        let mut page: Vec<_> = states.skip(from).take(size + 1).collect();
        let more = page.len() > size;
        page.truncate(size);
        let next = more.then(|| self.token(Cursor { first: from + size, second: 0 }, &scope));
        Ok(DescribeInstancePatchStatesResult { instance_patch_states: Some(page), next_token: next })
    }
}

impl PatchState {
    fn wire(&self, node: &Node) -> wire::InstancePatchState {
        let Patches { missing, installed, failed, pending_reboot } = self.patches;
        let group = node.tags.get("PatchGroup").or_else(|| node.tags.get("Patch Group"));
        let (baseline, critical) = match node.platform {
            Platform::Linux => ("pb-0e392de35e7c563b7", missing.div_ceil(3)),
            Platform::Windows => ("pb-09ca3fb51f0412ec3", missing.div_ceil(4)),
        };
        let count = |number: u32| Some(i64::from(number));
        wire::InstancePatchState {
            instance_id: Some(node.id.to_string()),
            patch_group: Some(group.cloned().unwrap_or_default()),
            baseline_id: Some(baseline.to_owned()),
            snapshot_id: Some(self.snapshot.clone()),
            install_override_list: Some(self.override_list.clone()).filter(|list| !list.is_empty()),
            owner_information: Some(String::new()),
            installed_count: count(installed),
            installed_other_count: count(installed / 2),
            installed_pending_reboot_count: count(pending_reboot),
            installed_rejected_count: count(0),
            missing_count: count(missing),
            failed_count: count(failed),
            unreported_not_applicable_count: count(0),
            not_applicable_count: count(1200),
            available_security_update_count: count(0),
            operation_start_time: Some(epoch(self.began)),
            operation_end_time: Some(epoch(self.ended)),
            operation: Some(if self.install { "Install" } else { "Scan" }.to_owned()),
            last_no_reboot_install_operation_time: self.last_no_reboot_install.map(epoch),
            reboot_option: Some(if self.no_reboot { "NoReboot" } else { "RebootIfNeeded" }.to_owned()),
            critical_non_compliant_count: count(critical),
            security_non_compliant_count: count(missing + failed + pending_reboot - critical.min(missing)),
            other_non_compliant_count: count(0),
        }
    }
}

/// An installation that went well: all but `leaves` are in, at once or after a reboot.
fn installed(patches: &mut Patches, leaves: u32, waits: bool) {
    let leaves = leaves.min(patches.missing);
    let new = patches.missing - leaves + patches.failed;
    (patches.missing, patches.failed) = (leaves, 0);
    patches.pending_reboot += new;
    if !waits {
        rebooted(patches);
    }
}

/// An installation that didn't: one patch could not be installed, nothing else changed.
fn one_failed(patches: &mut Patches) {
    if patches.missing > 0 {
        patches.missing -= 1;
        patches.failed += 1;
    }
}

fn rebooted(patches: &mut Patches) {
    patches.installed += std::mem::take(&mut patches.pending_reboot);
}

/// Whether a script reboots its node.
fn reboots(parameters: &wire::Parameters) -> bool {
    let commands = parameters.get("commands").into_iter().flatten();
    let words = ["reboot", "shutdown -r", "Restart-Computer"];
    commands
        .into_iter()
        .any(|line| words.iter().any(|word| line.trim_start().trim_start_matches("sudo ").starts_with(word)))
}
