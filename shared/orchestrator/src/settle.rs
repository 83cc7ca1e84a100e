//! Settling: reading SSM for the authoritative result of a finished command (protocols, P5).

mod claim;
mod reading;

use crate::ask::terminal_status;
use crate::commands::describe;
use crate::observe::Seen;
use crate::planted::{Bug, is_planted};
use crate::send::expires_after;
use crate::table::{CommandItem, Owner, RecentKey, SettledHead, ToSettle};
use crate::{Asking, Error, Orchestrator};
use aws_sdk_ssm::types::Command;
use fleetwright_engine::SettleAgain;
use fleetwright_fleet::{CommandId, Fact, SettledMark, Settlement, Subject, Terminal};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use reading::Reading;
use std::collections::BTreeMap;

/// Where SSM has not said all, it is asked again so long after it first called the command finished, in seconds; then
/// at each reconcile.
const AGAIN_AFTER_S: [i64; 3] = [2, 5, 15];
/// How long each of these times lasts: wakes come up to a second late.
const TIME_LASTS: SignedDuration = SignedDuration::from_millis(1_900);
/// How often, after these, until the limit.
const AGAIN_EVERY: SignedDuration = SignedDuration::from_mins(1);
/// Settles that run at the same time.
const SETTLES_AT_ONCE: usize = 4;
/// Where SSM answers nothing at all, what was reported stands so long after the first read that failed when nothing more
/// was waited for.
const SILENCE_MAX: SignedDuration = SignedDuration::from_hours(1);
/// Reads in one go, where reports come in meanwhile that contradict each other.
const READS_MAX: usize = 3;
/// Two reads that show no invocation count as two only if they are so far apart.
const EMPTY_READS_APART: SignedDuration = SignedDuration::from_secs(2);

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
        let (turn, deadline) = (seen.turn, seen.turn.deadline);
        let settles = items.iter().map(async |item| {
            let closed = item.owner.as_ref().filter(|owner| seen.open_step != Some(owner.step));
            let settled = match turn.scheduled {
                None if !self.is_time_for(item) => Ok(Settled::NotYet(self.again(item))),
                Some(_) | None => self.settle_alone(item, closed, deadline).await,
            };
            (item.id.clone(), settled)
        });
        let settled: Vec<_> = stream::iter(settles).buffered(SETTLES_AT_ONCE).collect().await;
        for (item, (id, settled)) in items.iter().zip(settled) {
            self.take_settled(id, item, settled, seen)?;
        }
        Ok(())
    }

    fn take_settled(
        &self,
        id: CommandId,
        item: &CommandItem,
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
                let again = self.again(item);
                seen.observations.settle_again.insert(id, again);
            }
        }
        Ok(())
    }

    /// Reads SSM, and stores what it says if that is final or nothing more is waited for. An error is final only if the
    /// first was an hour ago: a call that failed once says nothing of the command.
    /// `closed`: whose step was closed before, and may have counted other than SSM does.
    pub(crate) async fn settle_item(
        &self,
        item: &CommandItem,
        closed: Option<&Owner>,
        deadline: Timestamp,
    ) -> Result<Settled, Error> {
        match self.read_and_store(item, closed, deadline).await {
            // What was settled stands until SSM has been read again: a report that contradicts it waits for that.
            Err(error) if item.command.settled.is_some() => Err(error),
            Err(error) if is_out_of_time(item, self.now()) => {
                let silent_since = self.table.remember_silence(&item.id, self.now()).await?;
                if self.now().duration_since(silent_since) < SILENCE_MAX {
                    return Err(error);
                }
                tracing::warn!(command = %item.id, %error, "settled without SSM");
                self.settle_without_ssm(item).await
            }
            settled => settled,
        }
    }

    async fn read_and_store(
        &self,
        item: &CommandItem,
        closed: Option<&Owner>,
        deadline: Timestamp,
    ) -> Result<Settled, Error> {
        match self.list_command(&item.id).await? {
            Some(command) => self.settle_listed(item, &command, closed, deadline).await,
            None => self.settle_without_ssm(item).await,
        }
    }

    /// The same for a command that SSM has just listed. An error is never final.
    pub(crate) async fn settle_listed(
        &self,
        item: &CommandItem,
        command: &Command,
        closed: Option<&Owner>,
        deadline: Timestamp,
    ) -> Result<Settled, Error> {
        let mut item = self.note(item, command, terminal_status(command)).await?;
        for _ in 0..READS_MAX {
            match self.settle_noted(&item, command, closed, deadline).await? {
                Stored::Outdated(newer) => item = *newer,
                Stored::As(settled) => return Ok(settled),
            }
        }
        Ok(Settled::NotYet(SettleAgain { at: self.now(), precisely: true }))
    }

    async fn settle_noted(
        &self,
        item: &CommandItem,
        command: &Command,
        closed: Option<&Owner>,
        deadline: Timestamp,
    ) -> Result<Stored, Error> {
        let not_yet = |again| Ok(Stored::As(Settled::NotYet(again)));
        let status = terminal_status(command);
        let out_of_time = self.now() >= limit(item);
        if status.is_none() && !out_of_time {
            return not_yet(self.again(item));
        }
        let read = self.read_invocations(item, command, out_of_time, deadline).await?;
        let Some(mut reading) = read else {
            return not_yet(SettleAgain { at: self.now(), precisely: true });
        };
        let asked = item.command.asked_count().and_then(|count| usize::try_from(count).ok());
        let whole = reading.settlement.is_whole(asked)
            || is_planted(Bug::PartIsWhole)
            || self.is_believably_empty(item, &reading, asked).await?;
        if !whole && !out_of_time {
            return not_yet(self.again(item));
        }
        let stale_patches = self.read_unnamed_patches(&mut reading, item, command, out_of_time).await?;
        if stale_patches && !out_of_time {
            return not_yet(self.again(item));
        }
        self.keep_description(item, command).await?;
        if let Some(owner) = closed.filter(|_| says_more(item, &reading)) {
            // First: a crash between must not lose it.
            self.table.contradict(&owner.execution, owner.step, &item.id).await?;
        }
        self.store(&item.id, reading, Some(head(command))).await
    }

    /// What a crash kept from being written when the command was recorded.
    async fn keep_description(&self, item: &CommandItem, command: &Command) -> Result<(), Error> {
        match &item.owner {
            Some(owner) if !item.described => {
                self.table.describe_send(&owner.execution, &owner.token, &describe(command)).await
            }
            Some(_) | None => Ok(()),
        }
    }

    /// SSM does not show the command, or no more. When nothing more is waited for, what it said before stands; if it
    /// never said anything, what was reported stands and the rest is Unknown.
    pub(crate) async fn settle_without_ssm(&self, item: &CommandItem) -> Result<Settled, Error> {
        if self.now() < limit(item) && !is_planted(Bug::NotShownIsGone) {
            return Ok(Settled::NotYet(self.again(item)));
        }
        if let Some(before) = &item.command.settled {
            let mark = SettledMark { facts: item.command.facts(), ..before.clone() };
            let mut settlements = self.table.settlements(&[(item.id.clone(), mark.clone())]).await?;
            let missing = || Error::Unreadable(format!("results of command {}", item.id));
            let settlement = settlements.remove(&item.id).ok_or_else(missing)?;
            let to = ToSettle { mark: &mark, head: None, requested_at: settlement.requested_at };
            self.table.mark_settled(&item.id, to).await?;
            return Ok(Settled::Yes(mark, Box::new(settlement)));
        }
        let settlement = Settlement {
            status: None,
            target_count: item.command.asked_count().unwrap_or(0),
            requested_at: item.place.as_deref().and_then(RecentKey::moment).unwrap_or_else(|| self.now()),
            invocations: BTreeMap::new(),
            patch: None,
        };
        let reading = Reading::new(self.entropy.uuid(), item.command.facts(), settlement, self.now());
        match self.store(&item.id, reading, None).await? {
            Stored::As(settled) => Ok(settled),
            Stored::Outdated(_) => Ok(Settled::NotYet(SettleAgain { at: self.now(), precisely: true })),
        }
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

    async fn store(
        &self,
        id: &CommandId,
        mut reading: Reading,
        head: Option<SettledHead>,
    ) -> Result<Stored, Error> {
        if is_planted(Bug::MarkBeforeResults) {
            let parts = reading.parts + 1 + u32::from(!reading.buffer.invocations.is_empty());
            let mark = SettledMark { generation: reading.generation.clone(), facts: reading.facts, parts };
            let requested_at = reading.settlement.requested_at;
            self.table.mark_settled(id, ToSettle { mark: &mark, head: head.as_ref(), requested_at }).await?;
        }
        self.flush(id, &mut reading).await?;
        let unnamed = reading.unnamed.take();
        let last = Settlement { invocations: BTreeMap::new(), ..reading.settlement.clone() };
        let generation = reading.generation.clone();
        reading.parts += self
            .table
            .write_settlement_head(id, &generation, reading.parts, last, unnamed, self.now())
            .await?;
        let requested_at = reading.settlement.requested_at;
        // Before the mark: a crash between has it written again.
        let invocations = reading.settlement.invocations.values();
        self.table.write_history(id, requested_at, invocations, self.now()).await?;
        let mark = SettledMark { generation, facts: reading.facts, parts: reading.parts };
        let to = ToSettle { mark: &mark, head: head.as_ref(), requested_at };
        if let Some(base) = self.table.mark_settled(id, to).await? {
            // Who reported something meanwhile found a command that was not settled, and left it to this.
            let newer = match base.chunked {
                true => self.table.whole_command(id).await?.unwrap_or(base),
                false => base,
            };
            return Ok(match newer.command.outdates(&mark) {
                true => Stored::Outdated(Box::new(newer)),
                false => Stored::As(Settled::Yes(mark, Box::new(reading.settlement))),
            });
        }
        // Another handler's stands: what is read is what is named.
        let again = Settled::NotYet(SettleAgain { at: self.now(), precisely: true });
        let Some(standing) = self.table.whole_command(id).await?.and_then(|item| item.command.settled) else {
            return Ok(Stored::As(again));
        };
        let mut settlements = self.table.settlements(&[(id.clone(), standing.clone())]).await?;
        let found = settlements.remove(id);
        Ok(Stored::As(found.map_or(again, |found| Settled::Yes(standing, Box::new(found)))))
    }

    /// Whether somebody who comes by an event or a wake asks SSM: at each of its times, however many come by. A host whose
    /// clock is behind asks.
    fn is_time_for(&self, item: &CommandItem) -> bool {
        // A settle that was cut for want of time goes on whenever somebody comes.
        if item.cursor.is_some() {
            return !self.has_just_asked(Asking::Settle, &item.id);
        }
        let now = self.now();
        let times = [0].into_iter().chain(AGAIN_AFTER_S).map(SignedDuration::from_secs);
        let mut since = [item.terminal_since, item.last_fact_at].into_iter().flatten().peekable();
        let is_time = since.peek().is_none()
            || since.any(|since| {
                let passed = now.duration_since(since);
                passed.is_negative() || times.clone().any(|time| (time..time + TIME_LASTS).contains(&passed))
            });
        is_time && !self.has_just_asked(Asking::Settle, &item.id)
    }

    /// Counted from a moment that is stored, so that a command that runs on is not asked for every two seconds: since
    /// SSM called it finished, or since events last said something of it.
    fn again(&self, item: &CommandItem) -> SettleAgain {
        let now = self.now();
        let since = [item.terminal_since, item.last_fact_at].into_iter().flatten();
        let times = since.flat_map(|since| AGAIN_AFTER_S.map(|s| since + SignedDuration::from_secs(s)));
        let soon = times.filter(|at| *at > now).min();
        SettleAgain { at: soon.unwrap_or(now + AGAIN_EVERY), precisely: soon.is_some() }
    }
}

/// SSM's own words and numbers.
fn head(command: &Command) -> SettledHead {
    SettledHead {
        status: command.status.as_ref().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        status_details: command.status_details.clone().unwrap_or_default(),
        target_count: i64::from(command.target_count),
        completed_count: i64::from(command.completed_count),
        error_count: i64::from(command.error_count),
        delivery_timed_out_count: i64::from(command.delivery_timed_out_count),
    }
}

/// Whether SSM says other than events did, or said anything where they had not said all: then a step that was closed
/// before may have counted other than SSM does.
fn says_more(item: &CommandItem, reading: &Reading) -> bool {
    let told = item.command.partition(None);
    !(item.command.is_plain_success() && told == item.command.partition(Some(&reading.settlement)))
}

/// What storing a read came to.
enum Stored {
    /// It stands, or another does.
    As(Settled),
    /// It stands, and is outdated by what was reported while SSM was read.
    Outdated(Box<CommandItem>),
}

/// What a settle came to.
pub(crate) enum Settled {
    /// Stored, under this mark.
    Yes(SettledMark, Box<Settlement>),
    /// SSM has not said all; ask again then.
    NotYet(SettleAgain),
}

/// Whether nothing more is waited for.
pub(crate) fn is_out_of_time(item: &CommandItem, now: Timestamp) -> bool {
    now >= limit(item)
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
