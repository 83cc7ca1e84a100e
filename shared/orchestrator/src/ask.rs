//! Asking SSM about what has gone quiet: commands by id, and sends of unknown outcome by their mark (protocols, P3,
//! P6).

use crate::error::words;
use crate::observe::{Seen, report};
use crate::send::expires_after;
use crate::table::{CommandItem, Loaded};
use crate::{Error, Operation, Orchestrator};
use aws_sdk_ssm::types::{Command, CommandFilter, CommandFilterKey};
use fleetwright_engine::{ExecutionId, Send, SendToken};
use fleetwright_fleet::{CommandId, Fact, Subject, Terminal};
use jiff::{SignedDuration, Timestamp};

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
        let answer = self.ssm().list_commands().command_id(command_id.as_str()).send().await;
        match answer {
            Ok(page) => Ok(page.commands.unwrap_or_default().into_iter().next()),
            // SSM does not show it yet, or no more: absence is not evidence.
            Err(error) if words(&error).0 == "InvalidCommandId" => Ok(None),
            Err(error) => Err(Error::of(Operation::ListCommands, &error)),
        }
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
        let found = match self.marked(token, send.last_try_at).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(execution = %seen.execution, send = %token, %error, "no look");
                return Ok(());
            }
        };
        let Some((first, others)) = found.split_first() else { return self.looked(&send, seen).await };
        self.adopt(&send, first, loaded, seen).await?;
        for other in others {
            if let Some(id) = other.command_id.as_deref().and_then(|id| id.parse().ok()) {
                self.cancel_extra(&seen.execution, token, &id).await?;
            }
        }
        Ok(())
    }

    /// Commands with the send's mark around one of its tries, oldest first.
    pub(crate) async fn marked(&self, token: &SendToken, tried_at: Timestamp) -> Result<Vec<Command>, Error> {
        let filter = |key: CommandFilterKey, at: Timestamp| {
            // Whole seconds: SSM takes no fraction here (SSM API reference, CommandFilter).
            let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
            CommandFilter::builder()
                .key(key)
                .value(at.to_string())
                .build()
                .map_err(|e| Error::Ours(e.to_string()))
        };
        let after = filter(CommandFilterKey::InvokedAfter, tried_at - LOOK_BEFORE)?;
        let before = filter(CommandFilterKey::InvokedBefore, tried_at + LOOK_AFTER)?;
        let mut found = Vec::new();
        let mut next = None;
        for _ in 0..PAGES_MAX {
            let page = self
                .ssm()
                .list_commands()
                .filters(after.clone())
                .filters(before.clone())
                .max_results(PAGE)
                .set_next_token(next)
                .send()
                .await
                .map_err(|error| Error::of(Operation::ListCommands, &error))?;
            let ours = |c: &Command| c.comment.as_deref().and_then(Send::token_of).as_ref() == Some(token);
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
        if let Some(named) = self.record_on_send(&seen.execution, &send.token, &command_id).await? {
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
        let nodes = self.nodes_of(&seen.execution, &send.slice, &seen.observations.lists).await?;
        let expires = match self.list_command(command_id).await? {
            Some(command) => expires_after(&command, send.last_try_at),
            None => send.last_try_at + SignedDuration::from_hours(2),
        };
        self.record_on_command(&seen.execution, send, nodes.as_deref(), command_id, expires).await
    }

    /// Lists the windows of a watched send once more: a further command with its mark is cancelled and reported.
    pub(crate) async fn watch(
        &self,
        id: &ExecutionId,
        send: &Send,
        recorded: Option<&CommandId>,
    ) -> Result<(), Error> {
        for tried_at in &send.tried_at {
            for command in self.marked(&send.token, *tried_at).await? {
                let found: Option<CommandId> = command.command_id.as_deref().and_then(|id| id.parse().ok());
                if let Some(found) = found
                    && Some(&found) != recorded
                {
                    self.cancel_extra(id, &send.token, &found).await?;
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
