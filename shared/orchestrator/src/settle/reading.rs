//! Reading what SSM says of a finished command: every page of invocations, and patch states.

use crate::ask::terminal_status;
use crate::moment::moment;
use crate::planted::{Bug, is_planted};
use crate::start::hex;
use crate::table::{CommandItem, INVOCATIONS_PER_PART, Parts, SettleCursor};
use crate::{Error, Operation, Orchestrator};
use aws_sdk_ssm::types::{Command, CommandInvocation, CommandPlugin};
use fleetwright_fleet::{
    CommandId, InvocationResult, InvocationShown, NodeId, PatchState, PatchSummary, PluginResult, Settlement,
    Terminal,
};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A page of ListCommandInvocations, and ids of one DescribeInstancePatchStates (SSM API reference).
const PAGE: i32 = 50;
/// With less left a settle keeps its place and goes on by a wake.
const PAGE_TAKES: SignedDuration = SignedDuration::from_secs(15);
/// A place kept longer than this is no good any more: tokens expire, and more may have happened.
const CURSOR_GOOD_FOR: SignedDuration = SignedDuration::from_mins(2);
/// Documents whose patch states are read.
const PATCH_DOCUMENTS: &str = "AWS-RunPatchBaseline";

/// A settle under way.
pub(super) struct Reading {
    pub(super) generation: String,
    pub(super) facts: usize,
    pub(super) parts: u32,
    /// Where the next page begins; `None` before the first.
    pub(super) next_token: Option<String>,
    /// No page is left.
    pub(super) has_all_pages: bool,
    /// When SSM last gave a page: a place is good for a while after that.
    pub(super) last_page_at: Timestamp,
    /// Not written yet.
    pub(super) buffer: Parts,
    /// Patch states of nodes that SSM names no invocation of, if there are such nodes.
    pub(super) unnamed: Option<PatchSummary>,
    /// All that was read, for the decision at hand.
    pub(super) settlement: Settlement,
}

impl Reading {
    /// A settle that begins, or one that reads nothing.
    pub(super) fn new(generation: String, facts: usize, settlement: Settlement, now: Timestamp) -> Self {
        Self {
            generation,
            facts,
            parts: 0,
            next_token: None,
            has_all_pages: false,
            last_page_at: now,
            buffer: Parts::default(),
            unnamed: None,
            settlement,
        }
    }

    fn take(&mut self, page: InvocationPage, now: Timestamp) {
        if let Some(patch) = page.patch {
            self.buffer.patch.get_or_insert_default().add(&patch);
            self.settlement.patch.get_or_insert_default().add(&patch);
        }
        for result in page.invocations {
            self.settlement.invocations.insert(result.node.clone(), result.clone());
            self.buffer.invocations.push(result);
        }
        self.has_all_pages = page.next_token.is_none();
        self.next_token = page.next_token;
        self.last_page_at = now;
    }
}

/// A page of invocations, and the patch states of their nodes if the command patches.
struct InvocationPage {
    invocations: Vec<InvocationResult>,
    patch: Option<PatchSummary>,
    next_token: Option<String>,
}

impl Orchestrator {
    /// Reads every page of invocations, and what is not told with them. `None`: there was no time for all of it, and a wake
    /// will go on. `out_of_time`: nothing more is waited for.
    pub(super) async fn read_invocations(
        &self,
        item: &CommandItem,
        command: &Command,
        out_of_time: bool,
        deadline: Timestamp,
    ) -> Result<Option<Reading>, Error> {
        let mut reading = self.begin(item, command).await?;
        while !reading.has_all_pages {
            match self.read_page(item, command, &reading, out_of_time).await {
                Ok(page) => reading.take(page, self.now()),
                // What was read is kept: a fleet's pages are too many to begin anew for one that failed.
                Err(error @ Error::Again(_)) if reading.next_token.is_some() => {
                    self.keep_place(item, reading).await?;
                    return Err(error);
                }
                Err(error) => return Err(error),
            }
            if !reading.has_all_pages && reading.buffer.invocations.len() >= INVOCATIONS_PER_PART {
                self.flush(&item.id, &mut reading).await?;
            }
            // What comes after the pages takes its time as well, if there are many.
            let more = !reading.has_all_pages || reading.settlement.invocations.len() > INVOCATIONS_PER_PART;
            if more && deadline.duration_since(self.now()) < PAGE_TAKES {
                self.keep_place(item, reading).await?;
                return Ok(None);
            }
        }
        Ok(Some(reading))
    }

    async fn read_page(
        &self,
        item: &CommandItem,
        command: &Command,
        reading: &Reading,
        out_of_time: bool,
    ) -> Result<InvocationPage, Error> {
        let page = self
            .patiently(async || {
                let page = self.ssm().list_command_invocations().command_id(item.id.as_str());
                let page = page.details(true).max_results(PAGE);
                let page = page.set_next_token(reading.next_token.clone()).send().await;
                page.map_err(|error| Error::of(Operation::ListCommandInvocations, &error))
            })
            .await?;
        let invocations = page.command_invocations.unwrap_or_default();
        let invocations = invocations.into_iter().map(invocation_result).collect::<Result<Vec<_>, _>>()?;
        let patch = if is_patching(command) {
            let nodes: Vec<NodeId> = invocations.iter().map(|result| result.node.clone()).collect();
            let since = reading.settlement.requested_at;
            Some(self.patch_summary(item, &nodes, since, out_of_time).await?)
        } else {
            None
        };
        Ok(InvocationPage { invocations, patch, next_token: page.next_token })
    }

    /// Begins anew, or goes on where a settle stopped a moment ago.
    async fn begin(&self, item: &CommandItem, command: &Command) -> Result<Reading, Error> {
        let settlement = Settlement {
            status: terminal_status(command),
            target_count: u64::try_from(command.target_count).unwrap_or(0),
            requested_at: requested_at(command).unwrap_or_else(|| self.now()),
            invocations: BTreeMap::new(),
            patch: None,
        };
        match &item.cursor {
            // Only one goes on from a place: two would write over each other's results.
            Some(cursor)
                if self.now().duration_since(cursor.at) < CURSOR_GOOD_FOR
                    && self.table.take_cursor(&item.id, cursor).await? =>
            {
                let Parts { invocations, patch } =
                    self.table.parts(&item.id, &cursor.generation, cursor.parts).await?;
                let invocations = invocations.into_iter().map(|i| (i.node.clone(), i)).collect();
                let settlement = Settlement { invocations, patch, ..settlement };
                Ok(Reading {
                    parts: cursor.parts,
                    next_token: Some(cursor.next_token.clone()).filter(|token| !token.is_empty()),
                    has_all_pages: cursor.next_token.is_empty(),
                    ..Reading::new(cursor.generation.clone(), cursor.facts, settlement, cursor.at)
                })
            }
            Some(_) | None => {
                Ok(Reading::new(self.entropy.uuid(), item.command.facts(), settlement, self.now()))
            }
        }
    }

    /// Writes what has been read since the last part.
    pub(super) async fn flush(&self, id: &CommandId, reading: &mut Reading) -> Result<(), Error> {
        let part = std::mem::take(&mut reading.buffer);
        if !part.invocations.is_empty() {
            self.table.write_part(id, &reading.generation, reading.parts, part, self.now()).await?;
            reading.parts += 1;
        }
        Ok(())
    }

    async fn keep_place(&self, item: &CommandItem, mut reading: Reading) -> Result<(), Error> {
        self.flush(&item.id, &mut reading).await?;
        let cursor = SettleCursor {
            generation: reading.generation,
            // Empty after the last page.
            next_token: reading.next_token.unwrap_or_default(),
            parts: reading.parts,
            facts: reading.facts,
            at: reading.last_page_at,
        };
        self.table.keep_cursor(&item.id, &cursor).await?;
        Ok(())
    }

    /// Patch states of the nodes that SSM names no invocation of, for documents that patch. `true`: states of nodes that it
    /// names are still from before the command.
    pub(super) async fn read_unnamed_patches(
        &self,
        reading: &mut Reading,
        item: &CommandItem,
        command: &Command,
        out_of_time: bool,
    ) -> Result<bool, Error> {
        if !is_patching(command) {
            return Ok(false);
        }
        let invocations = &reading.settlement.invocations;
        // A node that never ran the document keeps its older state for good: only those that ran are waited for.
        let has_run =
            |node: &NodeId| invocations.get(node).is_some_and(|i| i.status == Some(Terminal::Success));
        let stale = reading.settlement.patch.iter().flat_map(|patch| &patch.unknown).any(has_run);
        let partition = item.command.partition(Some(&reading.settlement));
        let nodes = partition.all().into_iter();
        let unnamed: Vec<NodeId> = nodes.filter(|node| !invocations.contains_key(*node)).cloned().collect();
        let since = reading.settlement.requested_at;
        let summary = self.patch_summary(item, &unnamed, since, out_of_time).await?;
        let mut all = reading.settlement.patch.take().unwrap_or_default();
        all.add(&summary);
        reading.settlement.patch = Some(all.sorted());
        reading.unnamed = (!unnamed.is_empty()).then_some(summary);
        Ok(stale)
    }

    async fn patch_summary(
        &self,
        item: &CommandItem,
        nodes: &[NodeId],
        since: Timestamp,
        out_of_time: bool,
    ) -> Result<PatchSummary, Error> {
        let mut states = Vec::new();
        for ids in nodes.chunks(usize::try_from(PAGE).unwrap_or(50)) {
            match self.patch_states(ids).await {
                Ok(found) => states.extend(found),
                // What SSM does not tell in time is unknown.
                Err(error) if out_of_time => tracing::warn!(command = %item.id, %error, "no patch states"),
                Err(error) => return Err(error),
            }
        }
        Ok(PatchSummary::of(nodes, &states, since))
    }

    async fn patch_states(&self, nodes: &[NodeId]) -> Result<Vec<PatchState>, Error> {
        let mut states = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let token = next.clone();
            let page = self
                .patiently(async || {
                    let ids = nodes.iter().map(ToString::to_string).collect();
                    let page = self.ssm().describe_instance_patch_states().set_instance_ids(Some(ids));
                    let page = page.set_next_token(token.clone()).send().await;
                    page.map_err(|error| Error::of(Operation::DescribeInstancePatchStates, &error))
                })
                .await?;
            states.extend(page.instance_patch_states.unwrap_or_default().iter().filter_map(patch_state));
            next = page.next_token;
            if next.is_none() {
                return Ok(states);
            }
        }
    }
}

/// Whether its document is one whose patch states are read.
fn is_patching(command: &Command) -> bool {
    let document = command.document_name.as_deref().unwrap_or_default();
    document.rsplit('/').next().unwrap_or_default().starts_with(PATCH_DOCUMENTS)
}

fn requested_at(command: &Command) -> Option<Timestamp> {
    moment(&command.requested_date_time?)
}

fn invocation_result(invocation: CommandInvocation) -> Result<InvocationResult, Error> {
    let unreadable = |what: &str| Error::Unreadable(format!("ListCommandInvocations' answer: {what}"));
    let node =
        invocation.instance_id.and_then(|id| id.parse().ok()).ok_or_else(|| unreadable("InstanceId"))?;
    let coarse = invocation.status.as_ref().and_then(|status| Terminal::from_wire(status.as_str()));
    let fine = invocation.status_details.as_deref().and_then(Terminal::from_wire);
    let plugins = invocation.command_plugins.unwrap_or_default().into_iter().map(plugin_result);
    Ok(InvocationResult {
        node,
        // The detail says more, but only the coarse status says whether it is over.
        status: coarse.and_then(|coarse| fine.filter(|_| !is_planted(Bug::DetailsIgnored)).or(Some(coarse))),
        shown: InvocationShown {
            instance_name: invocation.instance_name.unwrap_or_default(),
            status: invocation.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
            status_details: invocation.status_details.unwrap_or_default(),
            standard_output_url: invocation.standard_output_url.unwrap_or_default(),
            standard_error_url: invocation.standard_error_url.unwrap_or_default(),
        },
        plugins: plugins.collect(),
        shortened: false,
    })
}

fn plugin_result(plugin: CommandPlugin) -> PluginResult {
    let output = plugin.output.unwrap_or_default();
    PluginResult {
        name: plugin.name.unwrap_or_default(),
        status: plugin.status_details.unwrap_or_default(),
        coarse_status: plugin.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        response_code: plugin.response_code,
        output_sha256: hex(&Sha256::digest(output.as_bytes())),
        output,
        started_at: plugin.response_start_date_time.and_then(|at| moment(&at)),
        ended_at: plugin.response_finish_date_time.and_then(|at| moment(&at)),
        standard_output_url: plugin.standard_output_url.filter(|url| !url.is_empty()),
        standard_error_url: plugin.standard_error_url.filter(|url| !url.is_empty()),
    }
}

fn patch_state(state: &aws_sdk_ssm::types::InstancePatchState) -> Option<PatchState> {
    let count = |count: i32| u32::try_from(count).unwrap_or(0);
    Some(PatchState {
        node: state.instance_id.parse().ok()?,
        missing: count(state.missing_count),
        failed: count(state.failed_count),
        pending_reboot: count(state.installed_pending_reboot_count.unwrap_or(0)),
        operation_ended_at: moment(&state.operation_end_time)?,
    })
}
