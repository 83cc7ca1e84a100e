//! Asking SSM about what has gone quiet: commands by id, and sends of unknown outcome by their mark (protocols, P3,
//! P6).

use crate::commands::{Description, describe};
use crate::error::words;
use crate::observe::{Lists, Seen, report};
use crate::planted::{Bug, is_planted};
use crate::send::expires_after;
use crate::table::{CommandItem, Loaded};
use crate::{Error, Operation, Orchestrator};
use aws_sdk_ssm::types::{Command, CommandFilter, CommandFilterKey};
use fleetwright_engine::{ExecutionId, Send, SendToken};
use fleetwright_fleet::{CommandId, Fact, Subject, Terminal};
use jiff::{SignedDuration, Timestamp};
use std::collections::btree_map::Entry;

/// The window of a look: from a minute before the try (clocks differ) to two after.
const LOOK_BEFORE: SignedDuration = SignedDuration::from_mins(1);
const LOOK_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// ListCommands' page (SSM API reference).
const PAGE: i32 = 50;
/// Pages of one look; more commands in three minutes than that is no look.
const PAGES_MAX: usize = 200;

impl Orchestrator {
    /// Asks SSM whether a send's command is over, and folds the answer like an event's.
    pub(crate) async fn ask(&self, token: &SendToken, seen: &mut Seen) -> Result<(), Error> {
        seen.observations.asked.insert(token.clone());
        let Some(send) = seen.observations.sends.get(token).cloned() else { return Ok(()) };
        let Some(command_id) = send.command_id().cloned() else { return Ok(()) };
        let Some(command) = self.list_command(&command_id).await? else {
            return self.looked(&send, seen).await;
        };
        match terminal_status(&command) {
            None => self.looked(&send, seen).await,
            Some(status) => {
                let fact = Fact {
                    command_id: command_id.clone(),
                    subject: Subject::Command,
                    status,
                    at: self.now(),
                };
                self.table.fold(&command_id, &[fact], self.now()).await?;
                self.refresh(&command_id, seen).await
            }
        }
    }

    /// Reads a command again after something was folded into it.
    pub(crate) async fn refresh(&self, command_id: &CommandId, seen: &mut Seen) -> Result<(), Error> {
        if let Some(item) = self.table.whole_command(command_id).await? {
            let known = seen.observations.reports.get(command_id).and_then(|r| r.settlement.clone());
            seen.observations.reports.insert(command_id.clone(), report(&item, known)?);
            seen.commands.insert(command_id.clone(), item);
        }
        Ok(())
    }

    async fn looked(&self, send: &Send, seen: &mut Seen) -> Result<(), Error> {
        if let Some(scheduled) = seen.turn.scheduled
            && let Some(send) = self.table.add_look(&seen.execution, send, scheduled).await?
        {
            seen.take_send(send);
        }
        Ok(())
    }

    pub(crate) async fn list_command(&self, command_id: &CommandId) -> Result<Option<Command>, Error> {
        self.patiently(async || {
            match self.ssm().list_commands().command_id(command_id.as_str()).send().await {
                Ok(page) => Ok(page.commands.unwrap_or_default().into_iter().next()),
                // SSM does not show it yet, or no more: absence is not evidence.
                Err(error) if words(&error).0 == "InvalidCommandId" => Ok(None),
                Err(error) => Err(Error::of(Operation::ListCommands, &error)),
            }
        })
        .await
    }

    /// Looks for the command of a send whose last try has no outcome. Every page in one go: throttled, failed or cut
    /// short is no look.
    pub(crate) async fn find(
        &self,
        token: &SendToken,
        loaded: &Loaded,
        seen: &mut Seen,
    ) -> Result<(), Error> {
        seen.observations.asked.insert(token.clone());
        let Some(send) = seen.observations.sends.get(token).cloned() else { return Ok(()) };
        let found = match self.listed_for(&send, seen).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(execution = %seen.execution, send = %token, %error, "no look");
                return if is_planted(Bug::FailedLookCounts) {
                    self.looked(&send, seen).await
                } else {
                    Ok(())
                };
            }
        };
        let Some((first, others)) = found.split_first() else { return self.looked(&send, seen).await };
        self.adopt(&send, first, loaded, seen).await?;
        for other in others {
            if let Some(id) = other.command_id.as_deref().and_then(|id| id.parse().ok()) {
                // Another handler may have recorded just this one.
                self.record_on_send(&seen.execution, token, &id, Some(&describe(other))).await?;
            }
        }
        Ok(())
    }

    /// The commands of a send around its last try. Sends of one commit have the same window: it is listed once.
    async fn listed_for(&self, send: &Send, seen: &mut Seen) -> Result<Vec<Command>, Error> {
        let listed = match seen.listed.entry(send.last_try_at) {
            Entry::Occupied(listed) => listed.into_mut(),
            Entry::Vacant(missing) => missing.insert(self.list_marked(send.last_try_at).await?),
        };
        Ok(listed.iter().filter(|command| is_marked(command, &send.token)).cloned().collect())
    }

    /// All commands of ours around a try, oldest first.
    pub(crate) async fn list_marked(&self, tried_at: Timestamp) -> Result<Vec<Command>, Error> {
        let margin = if is_planted(Bug::WindowWithoutMargin) { SignedDuration::ZERO } else { LOOK_BEFORE };
        let after = window(CommandFilterKey::InvokedAfter, tried_at - margin)?;
        let before = window(CommandFilterKey::InvokedBefore, tried_at + LOOK_AFTER)?;
        let mut found: Vec<Command> = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page = self
                .patiently(async || {
                    let page = self.ssm().list_commands().filters(after.clone()).filters(before.clone());
                    let page = page.max_results(PAGE).set_next_token(next.clone()).send().await;
                    page.map_err(|error| Error::of(Operation::ListCommands, &error))
                })
                .await?;
            let ours = |c: &Command| c.comment.as_deref().and_then(Send::token_of).is_some();
            found.extend(page.commands.unwrap_or_default().into_iter().filter(ours));
            next = page.next_token;
            if next.is_none() {
                found.sort_by_key(|command| command.requested_date_time.map(|at| at.as_nanos()));
                return Ok(found);
            }
        }
        Err(Error::Again("ListCommands has too many pages".to_owned()))
    }

    async fn adopt(
        &self,
        send: &Send,
        command: &Command,
        loaded: &Loaded,
        seen: &mut Seen,
    ) -> Result<(), Error> {
        let Some(command_id) = command.command_id.as_deref().and_then(|id| id.parse().ok()) else {
            return Err(Error::Unreadable("ListCommands' answer: CommandId".to_owned()));
        };
        if let Some(named) =
            self.record_on_send(&seen.execution, &send.token, &command_id, Some(&describe(command))).await?
        {
            tracing::info!(execution = %seen.execution, send = %send.token, command = %command_id, "adopted");
            seen.take_send(named);
            self.read_reports(std::slice::from_ref(&command_id), loaded, seen).await?;
        }
        Ok(())
    }

    /// Completes the other half of a record: the send names a command whose item knows no owner.
    pub(crate) async fn complete_record(
        &self,
        command_id: &CommandId,
        loaded: &Loaded,
        seen: &Seen,
    ) -> Result<CommandItem, Error> {
        let names = |send: &&Send| send.command_id() == Some(command_id);
        let Some(send) = seen.observations.sends.values().find(names) else {
            let id = &loaded.execution.id;
            return Err(Error::Unreadable(format!("command {command_id} of execution {id}: no item")));
        };
        let known = Lists { fresh: &[], read: &seen.observations.lists };
        let nodes = self.nodes_of(&seen.execution, &send.slice, known).await?;
        let listed = self.list_command(command_id).await?;
        let expires = expires_after(listed.as_ref(), send.last_try_at);
        let requested_at = listed.map(|command| Description::of(&command, send.last_try_at).requested_at);
        self.record_on_command(&seen.execution, send, nodes.as_deref(), command_id, expires, requested_at)
            .await
    }

    /// Lists the windows of a watched send once more: what is found is the send's command if it has none yet; a further
    /// one is cancelled and reported.
    pub(crate) async fn watch(
        &self,
        id: &ExecutionId,
        send: &Send,
        recorded: Option<&CommandId>,
    ) -> Result<(), Error> {
        let last_only = is_planted(Bug::LastWindowWatched);
        for tried_at in send.tried_at.iter().filter(|at| !last_only || **at == send.last_try_at) {
            let listed = self.list_marked(*tried_at).await?;
            for command in listed.iter().filter(|command| is_marked(command, &send.token)) {
                let found: Option<CommandId> = command.command_id.as_deref().and_then(|id| id.parse().ok());
                if let Some(found) = found
                    && Some(&found) != recorded
                {
                    self.record_on_send(id, &send.token, &found, Some(&describe(command))).await?;
                }
            }
        }
        Ok(())
    }
}

/// SSM's word on a command as a whole, the finer one where it is terminal.
pub(crate) fn terminal_status(command: &Command) -> Option<Terminal> {
    let coarse = Terminal::from_wire(command.status.as_ref()?.as_str())?;
    Some(command.status_details.as_deref().and_then(Terminal::from_wire).unwrap_or(coarse))
}

fn is_marked(command: &Command, token: &SendToken) -> bool {
    let marked = command.comment.as_deref().and_then(Send::token_of);
    marked.as_ref() == Some(token) || (is_planted(Bug::AnyMarkAdopted) && marked.is_some())
}

fn window(key: CommandFilterKey, at: Timestamp) -> Result<CommandFilter, Error> {
    // Whole seconds: SSM takes no fraction here (SSM API reference, CommandFilter).
    let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
    let filter = CommandFilter::builder().key(key).value(at.to_string()).build();
    filter.map_err(|error| Error::Ours(error.to_string()))
}
