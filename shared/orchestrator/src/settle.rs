//! Settling: reading SSM for the authoritative result of a finished command (protocols, P5).

use crate::ask::terminal_status;
use crate::observe::Seen;
use crate::table::{CommandItem, INVOCATIONS_PER_PART, SettleCursor};
use crate::{Error, Operation, Orchestrator};
use aws_sdk_ssm::types::{Command, CommandInvocation};
use fleetwright_fleet::{
    Asked, CommandId, Fact, InvocationResult, NodeId, PatchState, PatchSummary, PluginResult, SettledMark,
    Settlement, Subject, Terminal,
};
use jiff::{SignedDuration, Timestamp};

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
    /// Settles a command and puts the answer into `seen`, or says there when to ask again.
    pub(crate) async fn settle(&self, command_id: &CommandId, seen: &mut Seen) -> Result<(), Error> {
        let missing = || Error::Ours(format!("command {command_id} was not read before its settle"));
        let item = match seen.commands.get(command_id) {
            Some(item) => item.clone(),
            None => self.table.whole_command(command_id).await?.ok_or_else(missing)?,
        };
        match self.settle_item(&item, seen.turn.deadline).await? {
            Settled::Yes(mark, settlement) => {
                let report = seen.observations.reports.get_mut(command_id).ok_or_else(missing)?;
                report.command.settled = Some(mark);
                report.settlement = Some(*settlement);
            }
            Settled::NotYet(at) => {
                seen.observations.settle_again.insert(command_id.clone(), at);
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
        let item = self.note_terminal(item, status).await?;
        let Some(mut reading) = self.read_invocations(&item, &command, deadline).await? else {
            return Ok(Settled::NotYet(self.now()));
        };
        let asked = match &item.command.asked {
            Some(Asked::Nodes(nodes)) => Some(nodes.len()),
            Some(Asked::Targets) | None => None,
        };
        let stale_patches = self.read_patches(&mut reading, &item, &command).await?;
        let whole = reading.settlement.is_whole(asked) && !stale_patches;
        let believable = self.is_believably_empty(&item, &reading, asked).await?;
        if (whole && believable) || self.now() >= limit(&item) {
            return self.store(&item.id, reading).await;
        }
        Ok(Settled::NotYet(self.again_at(&item, status)))
    }

    /// SSM does not show the command. When nothing more is waited for, what was reported stands and the rest is Unknown.
    async fn settle_without_ssm(&self, item: &CommandItem) -> Result<Settled, Error> {
        if self.now() < limit(item) {
            return Ok(Settled::NotYet(self.again_at(item, None)));
        }
        let settlement = Settlement {
            status: None,
            target_count: item.command.asked_count().unwrap_or(0),
            requested_at: self.now(),
            invocations: std::collections::BTreeMap::new(),
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

    /// SSM first called it finished now, if it has not before.
    async fn note_terminal(
        &self,
        item: &CommandItem,
        status: Option<Terminal>,
    ) -> Result<CommandItem, Error> {
        match status {
            Some(status) if !item.command.statuses.contains(&status) => {
                let fact =
                    Fact { command_id: item.id.clone(), subject: Subject::Command, status, at: self.now() };
                let now = self.now();
                let folded = self.table.fold(&item.id, &[fact], now).await?;
                Ok(CommandItem { terminal_since: folded.terminal_since, ..item.clone() })
            }
            Some(_) | None => Ok(item.clone()),
        }
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
            let page = self
                .ssm()
                .list_command_invocations()
                .command_id(item.id.as_str())
                .details(true)
                .max_results(PAGE)
                .set_next_token(reading.next_token.take())
                .send()
                .await
                .map_err(|error| Error::of(Operation::ListCommandInvocations, &error))?;
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
            invocations: std::collections::BTreeMap::new(),
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
        if let Some(owner) = &item.owner {
            self.wake(&owner.execution, self.now()).await;
        }
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
        let mut next = None;
        loop {
            let page = self
                .ssm()
                .describe_instance_patch_states()
                .set_instance_ids(Some(nodes.iter().map(ToString::to_string).collect()))
                .set_next_token(next)
                .send()
                .await
                .map_err(|error| Error::of(Operation::DescribeInstancePatchStates, &error))?;
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
        let explained = reading.settlement.status.is_some_and(Terminal::explains_no_invocation);
        if !reading.settlement.invocations.is_empty() || explained {
            return Ok(true);
        }
        if asked.is_some_and(|asked| asked > 0) || reading.settlement.target_count > 0 {
            return Ok(false);
        }
        Ok(self.table.remember_empty_read(&item.id, &reading.generation).await? >= 2)
    }

    async fn store(&self, id: &CommandId, mut reading: Reading) -> Result<Settled, Error> {
        self.flush(id, &mut reading).await?;
        let head =
            Settlement { invocations: std::collections::BTreeMap::new(), ..reading.settlement.clone() };
        self.table.write_settlement_head(id, &reading.generation, reading.parts, &head, self.now()).await?;
        let mark =
            SettledMark { generation: reading.generation, facts: reading.facts, parts: reading.parts + 1 };
        self.table.mark_settled(id, &mark).await?;
        Ok(Settled::Yes(mark, Box::new(reading.settlement)))
    }

    fn again_at(&self, item: &CommandItem, status: Option<Terminal>) -> Timestamp {
        let now = self.now();
        let since = item.terminal_since.filter(|_| status.is_some()).unwrap_or(now);
        let soon = AGAIN_AFTER_S.iter().map(|s| since + SignedDuration::from_secs(*s)).find(|at| *at > now);
        soon.unwrap_or(now + AGAIN_EVERY)
    }
}

/// What a settle came to.
pub(crate) enum Settled {
    /// Stored, under this mark.
    Yes(SettledMark, Box<Settlement>),
    /// SSM has not said all; ask again then.
    NotYet(Timestamp),
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
    let plugins = invocation.command_plugins.unwrap_or_default().into_iter().map(|plugin| PluginResult {
        name: plugin.name.unwrap_or_default(),
        status: plugin.status_details.unwrap_or_default(),
        response_code: plugin.response_code,
        output: plugin.output.unwrap_or_default(),
    });
    Ok(InvocationResult {
        node,
        // The detail says more, but only the coarse status says whether it is over.
        status: coarse.and_then(|coarse| fine.or(Some(coarse))),
        plugins: plugins.collect(),
        shortened: false,
    })
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
