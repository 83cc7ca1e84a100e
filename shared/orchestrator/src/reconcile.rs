//! Reconcile: finding by reading what no event told us (protocols, P6). Runs every minute; its clock is its schedule.

use crate::advance::Why;
use crate::planted::{Bug, is_planted};
use crate::table::{Due, DueFor};
use crate::{Allowance, Error, Orchestrator};
use fleetwright_engine::{ExecutionId, SendToken, WATCH_AFTER};
use fleetwright_fleet::CommandId;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::Ordering;

/// A claim holds others off for so long.
pub(crate) const CLAIM: SignedDuration = SignedDuration::from_mins(2);
/// No further item is begun with less time left.
const ITEM_TAKES: SignedDuration = SignedDuration::from_secs(20);
/// Calls of SSM in one tick after which no further execution is begun: people share its rate.
const SSM_CALLS_MAX: u32 = 40;
/// A command too many that could not be cancelled for so long is left to people: it is reported.
const WATCH_GIVES_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What a tick came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Items that were due.
    pub nominated: usize,
    /// Items worked on.
    pub worked: usize,
    /// Items whose work failed; they are due again.
    pub failed: usize,
}

/// What a due item is.
enum DueItem {
    Execution(ExecutionId),
    Send(ExecutionId, SendToken),
    /// A command that no execution sent, or that is heard out.
    Command(CommandId),
    /// A request to our SendCommand.
    Direct(String),
}

impl Orchestrator {
    /// One tick. `scheduled` is the time the schedule says it is.
    pub async fn reconcile(&self, scheduled: Timestamp, deadline: Timestamp) -> Reconciled {
        let turn = Allowance { deadline, scheduled: Some(scheduled), woken: false };
        self.ssm_calls.store(0, Ordering::Relaxed);
        let mut done = Reconciled::default();
        self.beat(scheduled).await;
        // Another shard first each minute: a full tick must not starve the last ones.
        let minute = scheduled.as_second() / 60;
        let shards = |of: DueFor| {
            let first = u8::try_from(minute % i64::from(of.shards())).unwrap_or(0);
            (0..of.shards()).map(move |shard| (of, (first + shard) % of.shards()))
        };
        for (of, shard) in DueFor::ALL.into_iter().flat_map(shards) {
            let nominated = match self.table.nominated(of, shard, scheduled).await {
                Ok(nominated) => nominated,
                Err(error) => {
                    tracing::warn!(shard, %error, "a shard was not read");
                    done.failed += 1;
                    continue;
                }
            };
            for due in nominated {
                done.nominated += 1;
                let spent = self.ssm_calls.load(Ordering::Relaxed) >= SSM_CALLS_MAX;
                if spent || turn.left(self.now()) < ITEM_TAKES {
                    return done;
                }
                match self.reconcile_item(&due, scheduled, turn).await {
                    Ok(worked) => done.worked += usize::from(worked),
                    Err(error) => {
                        tracing::warn!(item = %due.pk, %error, "not reconciled");
                        done.failed += 1;
                    }
                }
            }
        }
        done
    }

    async fn reconcile_item(&self, due: &Due, scheduled: Timestamp, turn: Allowance) -> Result<bool, Error> {
        let item = read_due(due)?;
        let claimed = scheduled + CLAIM;
        if !self.table.claim(due, claimed).await? {
            return Ok(false);
        }
        match item {
            DueItem::Execution(id) => {
                let advanced = match self.advance_from(&id, turn, Why::Look, Vec::new()).await {
                    // The others have set when it is due.
                    Err(Error::Contended(_)) => return Ok(true),
                    advanced => advanced?,
                };
                if !advanced.committed {
                    let due = advanced.due.filter(|_| !is_planted(Bug::DueForgotten));
                    self.table.set_due(&id, claimed, due).await?;
                }
            }
            DueItem::Send(id, token) => self.reconcile_watch(&id, &token, due, claimed).await?,
            DueItem::Command(id) => {
                let next = self.look_at_command(&id, scheduled, turn.deadline).await?;
                self.table.move_due(&due.pk, &due.sk, claimed, next).await?;
            }
            DueItem::Direct(key) => {
                self.look_for_direct(&key, (&due.pk, &due.sk), claimed, scheduled).await?;
            }
        }
        Ok(true)
    }

    /// Lists a send's windows once more. Whoever could not cancel what it found has set an earlier time, which stands,
    /// but not for ever.
    async fn reconcile_watch(
        &self,
        id: &ExecutionId,
        token: &SendToken,
        due: &Due,
        claimed: Timestamp,
    ) -> Result<(), Error> {
        for item in self.table.sends(id, std::slice::from_ref(token)).await? {
            if due.at > item.send.last_try_at + WATCH_GIVES_UP_AFTER {
                return self.table.watch_next(id, token, None).await;
            }
            let actor = self.acting_for(id).await?;
            actor.watch(id, &item.send, item.recorded.as_ref()).await?;
            let times = WATCH_AFTER.iter().map(|after| item.send.last_try_at + *after);
            let next = times.into_iter().find(|at| *at > due.at);
            self.table.move_due(&due.pk, &due.sk, claimed, next).await?;
        }
        Ok(())
    }
}

fn read_due(due: &Due) -> Result<DueItem, Error> {
    let unreadable = || Error::Unreadable(format!("due item {} {}", due.pk, due.sk));
    if let Some(id) = due.pk.strip_prefix("CMD#") {
        return Ok(DueItem::Command(id.parse().map_err(|_| unreadable())?));
    }
    if let Some(key) = due.pk.strip_prefix("DIRECT#") {
        return Ok(DueItem::Direct(key.to_owned()));
    }
    let id = ExecutionId::new(due.pk.strip_prefix("EXEC#").ok_or_else(unreadable)?);
    match due.sk.strip_prefix("SEND#") {
        None => Ok(DueItem::Execution(id)),
        Some(token) => Ok(DueItem::Send(id, SendToken::parse(token).ok_or_else(unreadable)?)),
    }
}
