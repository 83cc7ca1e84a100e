//! Halting sends and cancelling commands (protocols, P6).

use crate::advance::Performed;
use crate::error::{Known, known, words};
use crate::planted::{Bug, is_planted};
use crate::{Asking, Error, Operation, Orchestrator};
use fleetwright_engine::{ExecutionId, PendingKind, SendToken};
use fleetwright_fleet::CommandId;
use jiff::SignedDuration;

/// How soon CancelCommand is tried again where SSM does not know the command yet.
pub(crate) const CANCEL_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(5);
/// When a command that was told to stop is looked at, if nobody has settled it until then.
const HEARD_OUT_AFTER: SignedDuration = SignedDuration::from_mins(3);
/// How soon the cancel of a command too many is tried again.
const EXTRA_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(1);

impl Orchestrator {
    /// Lets no try of the send begin any more, and cancels what was sent. May be repeated freely; stays pending until
    /// nothing is left to do.
    pub(crate) async fn halt(&self, id: &ExecutionId, token: &SendToken) -> Result<Performed, Error> {
        let send = self.table.halt_send(id, token).await?;
        let done = match send.as_ref().and_then(|send| send.command_id().map(|command| (send, command))) {
            Some((send, command_id)) if send.cancelled_at.is_none() => {
                self.cancel(id, token, command_id).await?
            }
            Some(_) | None => true,
        };
        if !done {
            return Ok(Performed::Later(self.now() + CANCEL_AGAIN_AFTER));
        }
        self.table.performed(id, &PendingKind::Halt(token.clone()).key()).await?;
        Ok(Performed::More)
    }

    /// SSM does not know the command yet: it is looked at again in a moment.
    pub(crate) async fn cancel_later(&self, id: &ExecutionId) {
        self.wake(id, self.now() + CANCEL_AGAIN_AFTER).await;
    }

    /// Cancels a send's command. `false`: SSM does not know it yet. Its execution waits two minutes for what becomes of
    /// it; it is heard out all the same.
    pub(crate) async fn cancel(
        &self,
        id: &ExecutionId,
        token: &SendToken,
        command_id: &CommandId,
    ) -> Result<bool, Error> {
        if is_planted(Bug::CancelNotedFirst) {
            self.table.cancel_accepted(id, token, self.now()).await?;
        }
        if self.has_just_asked(Asking::Cancel, command_id) {
            return Ok(false);
        }
        let heard_out = self.table.hear_out(command_id, self.now() + HEARD_OUT_AFTER, self.now()).await;
        let accepted = self.cancel_command(command_id).await?;
        // What keeps it from being heard out must not keep it running; the cancel is made again with it.
        heard_out?;
        if accepted {
            self.table.cancel_accepted(id, token, self.now()).await?;
        }
        Ok(accepted)
    }

    /// Cancels a command of which the send knows nothing, and reports it: two may have run.
    pub(crate) async fn cancel_extra(
        &self,
        id: &ExecutionId,
        token: &SendToken,
        command_id: &CommandId,
    ) -> Result<(), Error> {
        tracing::error!(execution = %id, send = %token, command = %command_id, "duplicate command detected");
        self.table.report_extra_command(id, token, command_id).await?;
        let warning = format!("Duplicate command {command_id} was detected and cancelled; it may have run");
        self.table.warn(id, &warning).await?;
        if !self.cancel_command(command_id).await.unwrap_or(false) {
            // Most likely SSM does not show it yet: the send is watched, and the watch cancels it.
            self.table.watch_next(id, token, Some(self.now() + EXTRA_AGAIN_AFTER)).await?;
        }
        Ok(())
    }

    async fn cancel_command(&self, command_id: &CommandId) -> Result<bool, Error> {
        match self.ssm().cancel_command().command_id(command_id.as_str()).send().await {
            Ok(_) => Ok(true),
            Err(error) => match known(&error) {
                Known::Rejected if words(&error).0 == "InvalidCommandId" => {
                    Ok(is_planted(Bug::CancelTooEarlyIsDone))
                }
                Known::Rejected | Known::Throttled | Known::Unknown => {
                    Err(Error::of(Operation::CancelCommand, &error))
                }
            },
        }
    }
}
