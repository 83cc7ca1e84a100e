//! Settling: reading SSM for the authoritative result of a finished command (protocols, P5).

use crate::ask::terminal_status;
use crate::observe::Seen;
use crate::send::expires_after;
use crate::start::hex;
use crate::table::{CommandItem, INVOCATIONS_PER_PART, SettleCursor};
use crate::{Error, Operation, Orchestrator};
use aws_sdk_ssm::primitives::DateTime;
use aws_sdk_ssm::types::{Command, CommandInvocation, CommandPlugin};
use fleetwright_engine::SettleAgain;
use fleetwright_fleet::{
    CommandId, Fact, InvocationResult, NodeId, PatchState, PatchSummary, PluginResult, SettledMark,
    Settlement, Subject, Terminal,
};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Where SSM has not said all, it is asked again so long after it first called the command finished, in seconds; then
/// at each reconcile.
const AGAIN_AFTER_S: [i64; 3] = [2, 5, 15];
/// How often, after these, until the limit.
const AGAIN_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// A page of ListCommandInvocations, and ids of one DescribeInstancePatchStates (SSM API reference).
const PAGE: i32 = 50;
/// With less left a settle keeps its place and goes on by a wake.
const PAGE_TAKES: SignedDuration = SignedDuration::from_secs(15);
/// A place kept longer than this is no good any more: tokens expire, and more may have happened.
const CURSOR_GOOD_FOR: SignedDuration = SignedDuration::from_mins(2);
/// Settles that run at the same time.
const SETTLES_AT_ONCE: usize = 4;
/// After a settle that failed.
const AFTER_AN_ERROR: SignedDuration = SignedDuration::from_secs(15);
/// Two reads that show no invocation count as two only if they are so far apart.
const EMPTY_READS_APART: SignedDuration = SignedDuration::from_secs(2);
/// Documents whose patch states are read.
const PATCH_DOCUMENTS: &str = "AWS-RunPatchBaseline";

/// A settle under way.
struct Reading {
    generation: String,
    facts: usize,
    parts: u32,
    next_token: Option<String>,
    /// Not written yet.
    buffer: Vec<InvocationResult>,
    /// All that was read, for the decision at hand.
    settlement: Settlement,
}

impl Orchestrator {
    /// Settles commands and puts the answers into `seen`, or says there when to ask again. One that fails holds none
    /// of the others up.
    pub(crate) async fn settle_all(&self, ids: &[CommandId], seen: &mut Seen) -> Result<(), Error> {
        let mut items = Vec::new();
        for id in ids {
            let missing = || Error::Ours(format!("command {id} was not read before its settle"));
            items.push(match seen.commands.get(id) {
                Some(item) => item.clone(),
                None => self.table.whole_command(id).await?.ok_or_else(missing)?,
            });
        }
        let deadline = seen.turn.deadline;
        let settles =
            items.iter().map(async |item| (item.id.clone(), self.settle_item(item, deadline).await));
        let settled: Vec<_> = stream::iter(settles).buffer_unordered(SETTLES_AT_ONCE).collect().await;
        for (id, settled) in settled {
            self.take_settled(id, settled, seen)?;
        }
        Ok(())
    }

    fn take_settled(
        &self,
        id: CommandId,
        settled: Result<Settled, Error>,
        seen: &mut Seen,
    ) -> Result<(), Error> {
        match settled {
            Ok(Settled::Yes(mark, settlement)) => {
                let missing = || Error::Ours(format!("command {id} has no report"));
                let report = seen.observations.reports.get_mut(&id).ok_or_else(missing)?;
                report.command.settled = Some(mark);
                report.settlement = Some(*settlement);
            }
            Ok(Settled::NotYet(again)) => {
                seen.observations.settle_again.insert(id, again);
            }
            Err(error) => {
                tracing::warn!(command = %id, %error, "not settled");
                let again = SettleAgain { at: self.now() + AFTER_AN_ERROR, precisely: true };
                seen.observations.settle_again.insert(id, again);
            }
        }
        Ok(())
    }

    /// Reads SSM, and stores what it says if that is final or nothing more is waited for.
    pub(crate) async fn settle_item(
        &self,
        item: &CommandItem,
        deadline: Timestamp,
    ) -> Result<Settled, Error> {
        let Some(command) = self.list_command(&item.id).await? else {
            return self.settle_without_ssm(item).await;
        };
        let status = terminal_status(&command);
        let item = &self.note(item, &command, status).await?;
        let out_of_time = self.now() >= limit(item);
        if status.is_none() && !out_of_time {
            return Ok(Settled::NotYet(self.again(item, status)));
        }
        let Some(mut reading) = self.read_invocations(item, &command, deadline).await? else {
            return Ok(Settled::NotYet(SettleAgain { at: self.now(), precisely: true }));
        };
        let asked = item.command.asked_count().and_then(|count| usize::try_from(count).ok());
        let whole =
            reading.settlement.is_whole(asked) || self.is_believably_empty(item, &reading, asked).await?;
        if !whole && !out_of_time {
            return Ok(Settled::NotYet(self.again(item, status)));
        }
        // Last, and only of a whole read: a call for every fifty nodes.
        let stale_patches = self.read_patches(&mut reading, item, &command).await?;
        if stale_patches && !out_of_time {
            return Ok(Settled::NotYet(self.again(item, status)));
        }
        self.store(&item.id, reading).await
    }

    /// SSM does not show the command. When nothing more is waited for, what was reported stands and the rest is
    /// Unknown.
    async fn settle_without_ssm(&self, item: &CommandItem) -> Result<Settled, Error> {
        if self.now() < limit(item) {
            return Ok(Settled::NotYet(self.again(item, None)));
        }
        let settlement = Settlement {
            status: None,
            target_count: item.command.asked_count().unwrap_or(0),
            requested_at: self.now(),
            invocations: BTreeMap::new(),
            patch: None,
        };
        let reading = Reading {
            generation: self.entropy.uuid(),
            facts: item.command.facts(),
            parts: 0,
            next_token: None,
            buffer: Vec::new(),
            settlement,
        };
        self.store(&item.id, reading).await
    }

    /// SSM first called it finished now, if it has not before; and knows when it is over at the latest.
    async fn note(
        &self,
        item: &CommandItem,
        command: &Command,
        status: Option<Terminal>,
    ) -> Result<CommandItem, Error> {
        let mut item = item.clone();
        let expiry = expires_after(Some(command), self.now());
        if expiry.known && item.expires_after.is_some_and(|at| at != expiry.at) {
            self.table.correct_expiry(&item.id, expiry.at).await?;
            item.expires_after = Some(expiry.at);
        }
        if let Some(status) = status
            && !item.command.statuses.contains(&status)
        {
            let at = self.now();
            let fact = Fact { command_id: item.id.clone(), subject: Subject::Command, status, at };
            item.terminal_since = self.table.fold(&item.id, &[fact], at).await?.terminal_since;
        }
        Ok(item)
    }

    /// Reads every page of invocations. `None`: there was no time for all of them, and a wake will go on.
    async fn read_invocations(
        &self,
        item: &CommandItem,
        command: &Command,
        deadline: Timestamp,
    ) -> Result<Option<Reading>, Error> {
        let mut reading = self.begin(item, command).await?;
        loop {
            let token = reading.next_token.clone();
            let page = self
                .patiently(async || {
                    let page = self.ssm().list_command_invocations().command_id(item.id.as_str());
                    let page =
                        page.details(true).max_results(PAGE).set_next_token(token.clone()).send().await;
                    page.map_err(|error| Error::of(Operation::ListCommandInvocations, &error))
                })
                .await;
            let page = match page {
                Ok(page) => page,
                // What was read is kept: a fleet's pages are too many to begin anew for one that failed.
                Err(Error::Again(_)) if token.is_some() => {
                    self.keep_place(item, reading).await?;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            for invocation in page.command_invocations.unwrap_or_default() {
                let result = invocation_result(invocation)?;
                reading.buffer.push(result.clone());
                reading.settlement.invocations.insert(result.node.clone(), result);
            }
            reading.next_token = page.next_token;
            if reading.next_token.is_none() {
                return Ok(Some(reading));
            }
            if reading.buffer.len() >= INVOCATIONS_PER_PART {
                self.flush(&item.id, &mut reading).await?;
            }
            if deadline.duration_since(self.now()) < PAGE_TAKES {
                self.keep_place(item, reading).await?;
                return Ok(None);
            }
        }
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
            Some(cursor) if self.now().duration_since(cursor.at) < CURSOR_GOOD_FOR => {
                let written = self.table.invocations(&item.id, &cursor.generation, cursor.parts).await?;
                let invocations = written.into_iter().map(|i| (i.node.clone(), i)).collect();
                Ok(Reading {
                    generation: cursor.generation.clone(),
                    facts: cursor.facts,
                    parts: cursor.parts,
                    next_token: Some(cursor.next_token.clone()),
                    buffer: Vec::new(),
                    settlement: Settlement { invocations, ..settlement },
                })
            }
            Some(_) | None => Ok(Reading {
                generation: self.entropy.uuid(),
                facts: item.command.facts(),
                parts: 0,
                next_token: None,
                buffer: Vec::new(),
                settlement,
            }),
        }
    }

    async fn flush(&self, id: &CommandId, reading: &mut Reading) -> Result<(), Error> {
        let invocations = std::mem::take(&mut reading.buffer);
        if !invocations.is_empty() {
            self.table
                .write_invocations(id, &reading.generation, reading.parts, invocations, self.now())
                .await?;
            reading.parts += 1;
        }
        Ok(())
    }

    async fn keep_place(&self, item: &CommandItem, mut reading: Reading) -> Result<(), Error> {
        self.flush(&item.id, &mut reading).await?;
        let cursor = SettleCursor {
            generation: reading.generation,
            next_token: reading.next_token.unwrap_or_default(),
            parts: reading.parts,
            facts: reading.facts,
            at: self.now(),
        };
        self.table.keep_cursor(&item.id, &cursor).await?;
        Ok(())
    }

    /// Patch states of the nodes, for documents that patch. `true`: some are still from before the command.
    async fn read_patches(
        &self,
        reading: &mut Reading,
        item: &CommandItem,
        command: &Command,
    ) -> Result<bool, Error> {
        let document = command.document_name.as_deref().unwrap_or_default();
        let name = document.rsplit('/').next().unwrap_or_default();
        if !name.starts_with(PATCH_DOCUMENTS) {
            return Ok(false);
        }
        let partition = item.command.partition(Some(&reading.settlement));
        let nodes: Vec<NodeId> = partition.all().into_iter().cloned().collect();
        let mut states = Vec::new();
        for ids in nodes.chunks(usize::try_from(PAGE).unwrap_or(50)) {
            states.extend(self.patch_states(ids).await?);
        }
        let summary = PatchSummary::of(&nodes, &states, reading.settlement.requested_at);
        // A node that never ran the document keeps its older state for good: only those that ran are waited for.
        let stale = summary.unknown.iter().any(|node| {
            let invocation = reading.settlement.invocations.get(node);
            invocation.is_some_and(|i| i.status == Some(Terminal::Success))
        });
        reading.settlement.patch = Some(summary);
        Ok(stale)
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

    /// No invocation at all is final only where SSM says why, or in two reads (protocols, P5).
    async fn is_believably_empty(
        &self,
        item: &CommandItem,
        reading: &Reading,
        asked: Option<usize>,
    ) -> Result<bool, Error> {
        if !reading.settlement.invocations.is_empty() {
            return Ok(false);
        }
        if reading.settlement.status.is_some_and(Terminal::explains_no_invocation) {
            return Ok(true);
        }
        if asked.is_some_and(|asked| asked > 0) || reading.settlement.target_count > 0 {
            return Ok(false);
        }
        let reads = self.table.remember_empty_read(&item.id, self.now()).await?;
        let apart = reads.first().zip(reads.last()).map(|(first, last)| last.duration_since(*first));
        Ok(apart.is_some_and(|apart| apart >= EMPTY_READS_APART))
    }

    async fn store(&self, id: &CommandId, mut reading: Reading) -> Result<Settled, Error> {
        self.flush(id, &mut reading).await?;
        let head = Settlement { invocations: BTreeMap::new(), ..reading.settlement.clone() };
        self.table.write_settlement_head(id, &reading.generation, reading.parts, &head, self.now()).await?;
        let mark =
            SettledMark { generation: reading.generation, facts: reading.facts, parts: reading.parts + 1 };
        if self.table.mark_settled(id, &mark).await? {
            return Ok(Settled::Yes(mark, Box::new(reading.settlement)));
        }
        // Another handler's stands: what is read is what is named.
        let again = Settled::NotYet(SettleAgain { at: self.now(), precisely: true });
        let Some(standing) = self.table.whole_command(id).await?.and_then(|item| item.command.settled) else {
            return Ok(again);
        };
        let mut settlements = self.table.settlements(&[(id.clone(), standing.clone())]).await?;
        Ok(settlements.remove(id).map_or(again, |found| Settled::Yes(standing, Box::new(found))))
    }

    /// Counted from a moment that is stored, so that a command that runs on is not asked for every two seconds: since
    /// SSM called it finished, or since events last said something of it.
    fn again(&self, item: &CommandItem, status: Option<Terminal>) -> SettleAgain {
        let now = self.now();
        let since = if status.is_some() { item.terminal_since } else { item.last_fact_at };
        let soon = since.and_then(|since| {
            AGAIN_AFTER_S.iter().map(|s| since + SignedDuration::from_secs(*s)).find(|at| *at > now)
        });
        SettleAgain { at: soon.unwrap_or(now + AGAIN_EVERY), precisely: soon.is_some() }
    }
}

/// What a settle came to.
pub(crate) enum Settled {
    /// Stored, under this mark.
    Yes(SettledMark, Box<Settlement>),
    /// SSM has not said all; ask again then.
    NotYet(SettleAgain),
}

/// After this, what is missing is Unknown.
fn limit(item: &CommandItem) -> Timestamp {
    let limit = SignedDuration::from_secs(fleetwright_fleet::SETTLE_LIMIT_S);
    [item.terminal_since, item.expires_after]
        .into_iter()
        .flatten()
        .min()
        .map_or(Timestamp::MAX, |at| at + limit)
}

fn requested_at(command: &Command) -> Option<Timestamp> {
    Timestamp::from_millisecond(command.requested_date_time?.to_millis().ok()?).ok()
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
        status: coarse.and_then(|coarse| fine.or(Some(coarse))),
        plugins: plugins.collect(),
        shortened: false,
    })
}

fn plugin_result(plugin: CommandPlugin) -> PluginResult {
    let moment = |at: DateTime| Timestamp::from_millisecond(at.to_millis().ok()?).ok();
    let output = plugin.output.unwrap_or_default();
    PluginResult {
        name: plugin.name.unwrap_or_default(),
        status: plugin.status_details.unwrap_or_default(),
        response_code: plugin.response_code,
        output_sha256: hex(&Sha256::digest(output.as_bytes())),
        output,
        started_at: plugin.response_start_date_time.and_then(moment),
        ended_at: plugin.response_finish_date_time.and_then(moment),
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
        operation_ended_at: Timestamp::from_millisecond(state.operation_end_time.to_millis().ok()?).ok()?,
    })
}
