//! Reading what a decision asks for, and nothing else.

use crate::commands::describe;
use crate::planted::{Bug, is_planted};
use crate::table::{CommandItem, Loaded};
use crate::{Allowance, Error, Orchestrator};
use aws_sdk_ssm::types::Command;
use fleetwright_engine::{
    ExecutionId, ListId, ListRef, Need, NodeList, Observations, Report, Send, SendToken, Slice,
};
use fleetwright_fleet::{Asked, CommandId, NodeId, SETTLE_LIMIT_S, Terminal};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What has been read for one decision.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) execution: ExecutionId,
    pub(crate) turn: Allowance,
    pub(crate) observations: Observations,
    pub(crate) commands: BTreeMap<CommandId, CommandItem>,
    /// Marked commands by the try around which they were listed: sends of one commit share a window.
    pub(crate) listed: BTreeMap<Timestamp, Vec<Command>>,
    /// The step that was open when the execution was read.
    pub(crate) open_step: Option<u32>,
}

impl Seen {
    pub(crate) fn new(
        execution: ExecutionId,
        hints: Vec<CommandItem>,
        turn: Allowance,
        resend_absent: bool,
    ) -> Self {
        let observations = Observations {
            scheduled: turn.scheduled,
            woken: turn.woken,
            resend_absent,
            ..Observations::default()
        };
        let commands = hints.into_iter().map(|item| (item.id.clone(), item)).collect();
        Self { execution, turn, observations, commands, listed: BTreeMap::new(), open_step: None }
    }

    /// Takes a send as it was read.
    pub(crate) fn take_send(&mut self, send: Send) {
        self.observations.sends.insert(send.token.clone(), send);
    }
}

impl Orchestrator {
    /// Loads the execution, its open step, and the sends that the commands just folded say are theirs.
    pub(crate) async fn load(&self, seen: &mut Seen) -> Result<Option<Loaded>, Error> {
        let owners: Vec<_> = seen.commands.values().filter_map(|item| item.owner.clone()).collect();
        let tokens: BTreeSet<SendToken> = owners.iter().map(|owner| owner.token.clone()).collect();
        let tokens: Vec<SendToken> = tokens.into_iter().collect();
        let step = owners.iter().map(|owner| owner.step).max();
        let Some((loaded, sends)) = self.table.load(&seen.execution, step, &tokens, self.now()).await? else {
            return Ok(None);
        };
        seen.observations.resumed_at = loaded.resumed_at;
        // Without its role it is set aside in a moment: nothing is done for it before.
        seen.open_step = loaded.execution.open_step().map(|step| step.ordinal);
        let Some(actor) = self.acting_as(loaded.execution.role.as_deref()) else { return Ok(Some(loaded)) };
        let sends: Vec<Send> = sends.into_iter().map(|item| item.send).collect();
        let folded: Vec<CommandItem> = seen.commands.values().cloned().collect();
        for item in folded {
            actor.adopt_folded(&loaded, &item, &sends, seen).await?;
        }
        for send in sends {
            let live = loaded.execution.live.contains_key(&send.token);
            if live && !seen.observations.sends.contains_key(&send.token) {
                seen.take_send(send);
            }
        }
        let chunked = seen.commands.values().any(|item| item.chunked);
        let settled = seen.commands.values().any(|item| item.command.settled.is_some());
        if chunked || settled {
            // What a fold answers is the base item alone.
            seen.commands.clear();
        }
        let reports: Vec<_> = seen.commands.values().filter_map(report_unsettled).collect();
        seen.observations.reports.extend(reports);
        Ok(Some(loaded))
    }

    /// A command counts for a send only if the send names it; if the send has none yet (a crash between the two
    /// halves of the record), that is recorded first, by the same write.
    async fn adopt_folded(
        &self,
        loaded: &Loaded,
        item: &CommandItem,
        sends: &[Send],
        seen: &mut Seen,
    ) -> Result<(), Error> {
        let Some(owner) = &item.owner else { return Ok(()) };
        let send = sends.iter().find(|send| send.token == owner.token);
        let unnamed = send.is_some_and(|send| send.command_id().is_none());
        if !unnamed || !loaded.execution.live.contains_key(&owner.token) {
            return Ok(());
        }
        let listed = self.list_command(&item.id).await?;
        if listed.is_none() {
            // The settle will say what SSM does not show yet.
            self.table.forget_description(&item.id).await?;
        }
        let description = listed.as_ref().map(describe);
        let named =
            self.record_on_send(&seen.execution, &owner.token, &item.id, description.as_ref()).await?;
        if let Some(send) = named {
            seen.take_send(send);
        }
        Ok(())
    }

    /// Reads what a decision lacks.
    pub(crate) async fn satisfy(
        &self,
        needs: &[Need],
        loaded: &Loaded,
        seen: &mut Seen,
    ) -> Result<(), Error> {
        let tokens: Vec<SendToken> = needs.iter().filter_map(need_send).collect();
        if !tokens.is_empty() {
            for item in self.table.sends(&seen.execution, &tokens).await? {
                seen.take_send(item.send);
            }
            let unread = tokens.iter().find(|token| !seen.observations.sends.contains_key(*token));
            if let Some(token) = unread {
                return Err(Error::Unreadable(format!(
                    "send {token} of execution {}: no item",
                    seen.execution
                )));
            }
        }
        let commands: Vec<CommandId> = needs.iter().filter_map(need_report).collect();
        if !commands.is_empty() {
            self.read_reports(&commands, loaded, seen).await?;
        }
        let settles: Vec<CommandId> = needs.iter().filter_map(need_settle).collect();
        if !settles.is_empty() {
            self.settle_all(&settles, seen).await?;
        }
        for need in needs {
            match need {
                Need::Send(_) | Need::Report(_) | Need::Settle(_) => {}
                Need::List(list) => {
                    let nodes = self.table.list(&seen.execution, list).await?;
                    seen.observations.lists.insert(list.id.clone(), nodes);
                }
                Need::Ask(token) => self.ask(token, seen).await?,
                Need::Find(token) => self.find(token, loaded, seen).await?,
            }
        }
        Ok(())
    }

    /// Reads commands and, where settled, their results. Half a record is completed.
    pub(crate) async fn read_reports(
        &self,
        ids: &[CommandId],
        loaded: &Loaded,
        seen: &mut Seen,
    ) -> Result<(), Error> {
        let mut commands = self.table.commands(ids).await?;
        // Of a command that is given up, what was reported of its nodes is all there will be.
        let given_up: Vec<CommandId> =
            commands.values().filter(|item| self.is_given_up(item)).map(|item| item.id.clone()).collect();
        commands.extend(self.table.whole_commands(&given_up).await?);
        for id in ids {
            let recorded = commands.get(id).is_some_and(|item| item.owner.is_some());
            if !recorded {
                let completed = self.complete_record(id, loaded, seen).await?;
                commands.insert(id.clone(), completed);
            }
        }
        let marks: Vec<_> = commands
            .values()
            .filter_map(|item| Some((item.id.clone(), item.command.settled.clone()?)))
            .collect();
        let mut settlements = self.table.settlements(&marks).await?;
        for (id, item) in commands {
            let settlement = settlements.remove(&id);
            seen.observations.reports.insert(id.clone(), report(&item, settlement)?);
            seen.commands.insert(id, item);
        }
        Ok(())
    }

    fn is_given_up(&self, item: &CommandItem) -> bool {
        let limit = SignedDuration::from_secs(SETTLE_LIMIT_S);
        let over = item.expires_after.is_some_and(|at| self.now() >= at + limit);
        item.chunked && over && !item.command.is_complete()
    }

    /// The nodes a send covers; none for Targets.
    pub(crate) async fn nodes_of(
        &self,
        execution: &ExecutionId,
        slice: &Slice,
        known: Lists<'_>,
    ) -> Result<Option<Vec<NodeId>>, Error> {
        let Slice::Nodes { list, offset, length } = slice else { return Ok(None) };
        let stretch = |nodes: &[NodeId], from: u64| -> Vec<NodeId> {
            let from = usize::try_from(from).unwrap_or(usize::MAX);
            nodes.iter().skip(from).take(usize::try_from(*length).unwrap_or(0)).cloned().collect()
        };
        if let Some(nodes) = known.find(list) {
            return Ok(Some(stretch(nodes, *offset)));
        }
        let (nodes, first) = self.table.list_stretch(execution, list, *offset, *length).await?;
        Ok(Some(stretch(&nodes, offset - first)))
    }
}

/// Node lists at hand: what this decision names, and what was read for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lists<'a> {
    pub(crate) fresh: &'a [NodeList],
    pub(crate) read: &'a BTreeMap<ListId, Vec<NodeId>>,
}

impl<'a> Lists<'a> {
    fn find(self, list: &ListRef) -> Option<&'a [NodeId]> {
        let fresh = self.fresh.iter().find(|fresh| fresh.reference == *list).map(|fresh| &fresh.nodes);
        fresh.or_else(|| self.read.get(&list.id)).map(Vec::as_slice)
    }
}

/// A report from a command item and its settle, if there is one.
pub(crate) fn report(
    item: &CommandItem,
    settlement: Option<fleetwright_fleet::Settlement>,
) -> Result<Report, Error> {
    let expires_after = item
        .expires_after
        .ok_or_else(|| Error::Unreadable(format!("command {}: nobody recorded it", item.id)))?;
    let mut command = item.command.clone();
    if let (true, Some(Asked::Nodes(asked))) = (is_planted(Bug::CommandSpeaksForNodes), &command.asked)
        && command.statuses.contains(&Terminal::Success)
    {
        command.nodes = BTreeMap::from([(Terminal::Success, asked.clone())]);
    }
    Ok(Report {
        command,
        settlement,
        expires_after,
        terminal_since: item.terminal_since,
        last_fact_at: item.last_fact_at,
    })
}

fn report_unsettled(item: &CommandItem) -> Option<(CommandId, Report)> {
    item.owner.as_ref()?;
    report(item, None).ok().map(|report| (item.id.clone(), report))
}

fn need_send(need: &Need) -> Option<SendToken> {
    match need {
        Need::Send(token) => Some(token.clone()),
        Need::Report(_) | Need::List(_) | Need::Settle(_) | Need::Ask(_) | Need::Find(_) => None,
    }
}

fn need_report(need: &Need) -> Option<CommandId> {
    match need {
        Need::Report(id) => Some(id.clone()),
        Need::Send(_) | Need::List(_) | Need::Settle(_) | Need::Ask(_) | Need::Find(_) => None,
    }
}

fn need_settle(need: &Need) -> Option<CommandId> {
    match need {
        Need::Settle(id) => Some(id.clone()),
        Need::Send(_) | Need::Report(_) | Need::List(_) | Need::Ask(_) | Need::Find(_) => None,
    }
}
