//! Commands that no execution sent: ours by request, and those of others. Nobody waits for them, so they are looked at
//! by themselves until they are settled. So are commands of executions that were told to stop, and took their time.

use super::Description;
use super::direct::FIRST_LOOK_AFTER;
use crate::ask::terminal_status;
use crate::reconcile::CLAIM;
use crate::send::expires_after;
use crate::settle::{Settled, is_out_of_time};
use crate::table::{CommandItem, Expiry, Loaded, Owner, RecentKey};
use crate::{Error, Orchestrator};
use fleetwright_engine::SendState;
use fleetwright_fleet::CommandId;
use jiff::{SignedDuration, Timestamp};

/// Somebody who has just sent it may not have recorded it yet.
const OTHERS_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// A running command is looked at again after half of the time it has run, within these.
const LOOK_AGAIN: [SignedDuration; 2] = [SignedDuration::from_secs(90), SignedDuration::from_mins(15)];
/// Nodes of a command that is settled by whoever hears of its end; more take too long there.
const NODES_AT_ONCE: u64 = 50;
/// A command that SSM does not show for so long is none.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

impl Orchestrator {
    /// After facts about a command that no execution is known to have sent. True: it may be settled at once.
    pub(crate) async fn take_ownerless(&self, item: &CommandItem) -> Result<bool, Error> {
        let now = self.now();
        match item.due {
            None if !item.described && self.config.track_others && item.command.settled.is_none() => {
                self.table.track(&item.id, now + OTHERS_AFTER).await?;
            }
            Some(due) if item.described && item.command.is_complete() => {
                if item.command.asked_count().is_some_and(|asked| asked <= NODES_AT_ONCE) {
                    return Ok(true);
                }
                // Reconcile reads so many pages; whoever has claimed it is at it already.
                if due > now + CLAIM {
                    self.table.move_command_due(&item.id, due, now).await?;
                }
            }
            Some(_) | None => {}
        }
        Ok(false)
    }

    /// Settles a command of few nodes that is over, if nobody else is at it. What is not settled now is due all the same.
    pub(crate) async fn settle_at_once(&self, item: &CommandItem, deadline: Timestamp) {
        if let Err(error) = self.claim_and_settle(item, deadline).await {
            tracing::warn!(command = %item.id, %error, "not settled");
        }
    }

    async fn claim_and_settle(&self, item: &CommandItem, deadline: Timestamp) -> Result<(), Error> {
        let (Some(due), claimed) = (item.due, self.now() + CLAIM) else { return Ok(()) };
        if !self.table.move_command_due(&item.id, due, claimed).await? {
            return Ok(());
        }
        let Some(command) = self.list_command(&item.id).await? else { return Ok(()) };
        match self.settle_listed(item, &command, None, deadline).await? {
            Settled::Yes(..) => Ok(()),
            Settled::NotYet(again) => {
                self.table.move_command_due(&item.id, claimed, again.at).await.map(drop)
            }
        }
    }

    /// Looks at a command that is due by itself; when it is due next, if at all.
    pub(crate) async fn look_at_command(
        &self,
        id: &CommandId,
        scheduled: Timestamp,
        deadline: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let Some(item) = self.table.whole_command(id).await? else { return Ok(None) };
        if item.command.settled.is_some() {
            return Ok(None);
        }
        if let Some(owner) = &item.owner {
            return self.hear_out(&item, owner, scheduled, deadline).await;
        }
        let Some(command) = self.list_command(id).await? else {
            let since = item.last_fact_at.or_else(|| item.place.as_deref().and_then(RecentKey::moment));
            if scheduled.duration_since(since.unwrap_or(scheduled)) <= GIVEN_UP_AFTER {
                return Ok(Some(scheduled + LOOK_AGAIN[1]));
            }
            // SSM forgets after 30 days; what was reported stands then.
            if item.described {
                self.settle_without_ssm(&item).await?;
            }
            return Ok(None);
        };
        let description = Description::of(&command, self.now());
        let item = if item.described {
            item
        } else {
            let expires = expires_after(Some(&command), description.requested_at);
            self.make_known(id, &description, expires).await?;
            self.table.whole_command(id).await?.unwrap_or(item)
        };
        if terminal_status(&command).is_none() {
            return Ok(Some(scheduled + look_again(scheduled.duration_since(description.requested_at))));
        }
        Ok(match self.settle_listed(&item, &command, None, deadline).await? {
            Settled::Yes(..) => None,
            Settled::NotYet(again) => Some(again.at.max(scheduled)),
        })
    }

    /// Looks at an execution's command that was told to stop: the execution has gone on without waiting for its end.
    async fn hear_out(
        &self,
        item: &CommandItem,
        owner: &Owner,
        scheduled: Timestamp,
        deadline: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let token = std::slice::from_ref(&owner.token);
        let loaded = self.table.load(&owner.execution, None, token, self.now()).await?;
        let Some((Loaded { execution, .. }, sends)) = loaded else { return Ok(None) };
        let Some(send) = sends.into_iter().map(|found| found.send).find(|send| send.halt) else {
            return Ok(None);
        };
        if send.state != SendState::Ended || execution.unsettled.contains_key(&owner.token) {
            return Ok(Some(scheduled + LOOK_AGAIN[0]));
        }
        let actor = self.acting_for(&owner.execution).await?;
        let command = actor.list_command(&item.id).await?;
        let is_over = command.as_ref().is_some_and(|command| terminal_status(command).is_some());
        let tried = scheduled.duration_since(send.last_try_at);
        if !is_over && tried <= GIVEN_UP_AFTER {
            return Ok(Some(scheduled + look_again(tried)));
        }
        // What runs on for longer than a day is over at its expiry.
        if !is_over && !is_out_of_time(item, self.now()) {
            return Ok(Some(scheduled + look_again(tried)));
        }
        // First, as for any report that comes after the step was closed: a crash between must not lose it.
        if execution.open_step().is_none_or(|step| step.ordinal != owner.step) {
            self.table.contradict(&owner.execution, owner.step, &item.id).await?;
        }
        let settled = match &command {
            Some(command) => actor.settle_listed(item, command, None, deadline).await?,
            None => actor.settle_without_ssm(item).await?,
        };
        Ok(match settled {
            Settled::Yes(..) => None,
            Settled::NotYet(again) => Some(again.at.max(scheduled + LOOK_AGAIN[0])),
        })
    }

    /// Keeps what SSM says of a command, lists it, and has it looked at.
    pub(super) async fn make_known(
        &self,
        id: &CommandId,
        description: &Description,
        expires: Expiry,
    ) -> Result<(), Error> {
        let now = self.now();
        self.table.describe(id, &description.command, now).await?;
        let due = now + FIRST_LOOK_AFTER;
        let nodes = description.nodes();
        let requested_at = description.requested_at;
        self.table.record_described(id, nodes.as_deref(), expires, requested_at, due, now).await.map(drop)
    }
}

fn look_again(ran: SignedDuration) -> SignedDuration {
    (ran / 2).clamp(LOOK_AGAIN[0], LOOK_AGAIN[1])
}
