//! An open `aws:runCommand` step: ending sends, planning further ones, halting (protocols, P3 to P6).

use crate::send::{FIRST_LOOK_AFTER, TRIES_MAX, UNKNOWN_TRIES_MAX};
use crate::turn::{Moved, Turn};
use crate::{
    DoneSend, Effect, Ended, FleetWork, HaltCause, Halting, LIVE_SENDS_MAX, Need, PendingKind, Refusal,
    Rejection, Send, SendEnd, SendState, SendToken, Slice, StepExecution, Targets, UNSETTLED_MAX,
};
use fleetwright_fleet::CommandId;
use fleetwright_runbook::Step;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// Nodes of one send (SSM API reference, SendCommand.InstanceIds: at most 50).
pub const NODES_PER_SEND_MAX: u64 = 50;
/// Nodes at once where the author says nothing (SSM API reference, SendCommand.MaxConcurrency).
pub const CONCURRENCY_DEFAULT: u64 = 50;
/// A halted send is given up so long after SSM accepted its CancelCommand.
const GIVE_UP_AFTER_CANCEL: SignedDuration = SignedDuration::from_mins(2);
/// Outputs that only SSM's own answer has: where something reads one, a command is settled before it is finished.
const SETTLED_OUTPUTS: [&str; 7] = [
    "Output",
    "ResponseCode",
    "MissingCount",
    "NonCompliantInstanceIds",
    "PendingRebootInstanceIds",
    "PatchStateUnknownInstanceIds",
    "OutputPayload",
];

/// What a live send has come to.
enum Attended {
    /// It ends like this.
    Ends(SendEnd),
    /// One of its nodes is bad: it is replaced by its halves.
    Splits,
    /// It is tried again.
    Retries,
    /// Nothing to do before this; precisely then, or at the reconcile after it.
    Waits { until: Timestamp, precisely: bool },
}

impl Turn<'_> {
    pub(crate) fn drive_fleet(
        &mut self,
        mut step: StepExecution,
        definition: &Step,
        mut work: FleetWork,
    ) -> Result<Moved, Rejection> {
        self.read_live_sends()?;
        self.start_halting(&step, &mut work)?;
        let tokens: Vec<SendToken> = self.execution.live.keys().cloned().collect();
        let mut waits = Vec::new();
        for token in tokens {
            let send = self.live_send(&token)?.clone();
            if send.halt || work.halting.is_some() {
                self.cancel_again(&send)?;
            }
            match self.attend(&send, definition, work.halting.is_some())? {
                Attended::Ends(end) => self.end_send(&mut step, &mut work, send, end)?,
                Attended::Splits => self.split(&mut work, send),
                Attended::Retries => {
                    self.wait(self.now + FIRST_LOOK_AFTER);
                    self.effect(Effect::Retry(token));
                }
                Attended::Waits { until, precisely } => waits.push((until, precisely)),
            }
        }
        self.plan(&step, &mut work)?;
        if self.execution.live.is_empty() {
            return self.close_attempt(step, definition, work);
        }
        for (until, precisely) in waits {
            if precisely { self.wait_precisely(until) } else { self.wait(until) }
        }
        if let (Some(deadline), None) = (step.deadline, work.halting)
            && deadline > self.now
        {
            self.wait_precisely(deadline);
        }
        self.keep(step, work);
        Ok(Moved::Waits)
    }

    fn live_send(&self, token: &SendToken) -> Result<&Send, Rejection> {
        let missing = || Rejection::Needs(vec![Need::Send(token.clone())]);
        self.seen.sends.get(token).ok_or_else(missing)
    }

    /// Names everything that is missing about the live sends at once.
    fn read_live_sends(&self) -> Result<(), Rejection> {
        let mut needs = Vec::new();
        for token in self.execution.live.keys() {
            match self.seen.sends.get(token) {
                None => needs.push(Need::Send(token.clone())),
                Some(send) => {
                    if send.state == SendState::Ended {
                        return Err(Rejection::Illegal(format!("send {token} is live and has ended")));
                    }
                    let unread = send.command_id().filter(|id| !self.seen.reports.contains_key(*id));
                    needs.extend(unread.map(|id| Need::Report(id.clone())));
                }
            }
        }
        if needs.is_empty() { Ok(()) } else { Err(Rejection::Needs(needs)) }
    }

    /// A stop halts what is live; so does the step's deadline, once SSM has been asked and something is left to do.
    fn start_halting(&mut self, step: &StepExecution, work: &mut FleetWork) -> Result<(), Rejection> {
        let stopped = self.execution.stop.is_some();
        let cause = match work.halting {
            None if stopped => HaltCause::Stopped,
            None if self.is_out_of_time(step, work)? => HaltCause::TimedOut,
            Some(Halting { cause: HaltCause::TimedOut, .. }) if stopped => HaltCause::Stopped,
            None | Some(_) => return Ok(()),
        };
        if work.halting.is_none() {
            for token in self.execution.live.keys().cloned().collect::<Vec<_>>() {
                self.pend(PendingKind::Halt(token));
            }
        }
        work.halting = Some(Halting { cause, since: self.now });
        self.changed();
        Ok(())
    }

    /// Whether the deadline has passed with something left to do. SSM is asked first: what is terminal in that read
    /// stands.
    fn is_out_of_time(&self, step: &StepExecution, work: &FleetWork) -> Result<bool, Rejection> {
        if step.deadline.is_none_or(|deadline| self.now < deadline) {
            return Ok(false);
        }
        self.ask_running()?;
        let unsent = work.given < work.target_count() || !work.returned.is_empty();
        let mut running = false;
        for token in self.execution.live.keys() {
            running |= match self.live_send(token)?.command_id() {
                Some(command_id) => !self.report(command_id)?.is_over(self.now),
                None => true,
            };
        }
        Ok(unsent || running)
    }

    /// A command that became known after the halt is cancelled by who recorded it; where that did not work out (SSM
    /// does not know the command yet, a crash), it is cancelled from here.
    fn cancel_again(&mut self, send: &Send) -> Result<(), Rejection> {
        let Some(command_id) = send.command_id() else { return Ok(()) };
        let halt = PendingKind::Halt(send.token.clone());
        let pending = self.execution.pending.contains_key(&halt.key());
        if send.cancelled_at.is_none() && !pending && !self.report(command_id)?.is_over(self.now) {
            self.pend(halt);
        }
        Ok(())
    }

    fn ask_running(&self) -> Result<(), Rejection> {
        let mut needs = Vec::new();
        for token in self.execution.live.keys().filter(|token| !self.seen.asked.contains(*token)) {
            if let Some(command_id) = self.live_send(token)?.command_id()
                && !self.report(command_id)?.command.is_complete()
            {
                needs.push(Need::Ask(token.clone()));
            }
        }
        if needs.is_empty() { Ok(()) } else { Err(Rejection::Needs(needs)) }
    }

    fn attend(&self, send: &Send, definition: &Step, halting: bool) -> Result<Attended, Rejection> {
        let halted = send.halt || halting;
        match &send.state {
            SendState::Ended => Err(Rejection::Illegal(format!("send {} has ended", send.token))),
            SendState::Refused(refusal) => Ok(self.attend_refused(send, refusal, halted)),
            SendState::Trying => self.attend_trying(send, halted),
            SendState::Sent { command_id } => self.attend_sent(send, command_id, definition, halted),
        }
    }

    fn attend_refused(&self, send: &Send, refusal: &Refusal, halted: bool) -> Attended {
        let not_run = |reason: &str| Attended::Ends(SendEnd::NotRun { reason: reason.to_owned() });
        if halted {
            return not_run("Stopped before it was sent");
        }
        match refusal {
            Refusal::Rejected { code, message } => not_run(&format!("{code}: {message}")),
            Refusal::BadNode if send.slice.nodes() > 1 => Attended::Splits,
            Refusal::BadNode => not_run("InvalidInstanceId"),
            Refusal::Later { code, .. } if send.tries >= TRIES_MAX => {
                not_run(&format!("{code}: refused {TRIES_MAX} times"))
            }
            Refusal::Later { not_before, .. } if self.now < *not_before => {
                Attended::Waits { until: *not_before, precisely: true }
            }
            Refusal::Later { .. } => Attended::Retries,
        }
    }

    fn attend_trying(&self, send: &Send, halted: bool) -> Result<Attended, Rejection> {
        let next_look = send.next_look(None);
        if !send.is_absent() {
            if self.seen.scheduled.is_some_and(|at| at >= next_look) && !self.seen.asked.contains(&send.token)
            {
                return Err(Rejection::Needs(vec![Need::Find(send.token.clone())]));
            }
            return Ok(Attended::Waits { until: next_look, precisely: false });
        }
        if halted || send.unknown_tries() >= UNKNOWN_TRIES_MAX {
            return Ok(Attended::Ends(SendEnd::Unknown));
        }
        if !self.seen.resend_absent {
            let reason = format!("send {} is absent, and this deployment does not send it again", send.token);
            return Err(Rejection::Illegal(reason));
        }
        Ok(Attended::Retries)
    }

    fn attend_sent(
        &self,
        send: &Send,
        command_id: &CommandId,
        definition: &Step,
        halted: bool,
    ) -> Result<Attended, Rejection> {
        let report = self.report(command_id)?;
        let ends = || Attended::Ends(SendEnd::Command { command_id: command_id.clone() });
        if report.is_over(self.now) {
            if report.is_settled() || (report.command.is_plain_success() && self.may_settle_later(definition))
            {
                return Ok(ends());
            }
            return match self.seen.settle_again.get(command_id) {
                None => Err(Rejection::Needs(vec![Need::Settle(command_id.clone())])),
                Some(at) => Ok(Attended::Waits { until: *at, precisely: true }),
            };
        }
        if let (true, Some(cancelled_at)) = (halted, send.cancelled_at) {
            let give_up = cancelled_at + GIVE_UP_AFTER_CANCEL;
            if self.now < give_up {
                return Ok(Attended::Waits { until: give_up, precisely: true });
            }
            return if self.seen.asked.contains(&send.token) {
                Ok(ends())
            } else {
                Err(Rejection::Needs(vec![Need::Ask(send.token.clone())]))
            };
        }
        let next_look = send.next_look(report.last_fact_at);
        if self.seen.scheduled.is_some_and(|at| at >= next_look) && !self.seen.asked.contains(&send.token) {
            return Err(Rejection::Needs(vec![Need::Ask(send.token.clone())]));
        }
        Ok(Attended::Waits { until: next_look.min(report.limit()), precisely: false })
    }

    /// A plain success may be settled after its step has gone on, if nothing reads what only a settle knows.
    fn may_settle_later(&self, definition: &Step) -> bool {
        let read = self.runbook.outputs_read(&definition.name);
        self.execution.unsettled.len() < UNSETTLED_MAX
            && !read.iter().any(|output| *output == "*" || SETTLED_OUTPUTS.contains(output))
    }

    fn end_send(
        &mut self,
        step: &mut StepExecution,
        work: &mut FleetWork,
        send: Send,
        end: SendEnd,
    ) -> Result<(), Rejection> {
        if let SendEnd::Command { command_id } = &end {
            let report = self.report(command_id)?;
            work.forced |= !report.is_over(self.now);
            work.errors += report.command.partition(report.settlement.as_ref()).counts().errors();
            step.commands.push(command_id.clone());
            if !report.is_settled() {
                self.execution.unsettled.insert(send.token.clone(), command_id.clone());
            }
        }
        work.done.push(DoneSend { token: send.token.clone(), slice: send.slice.clone(), end: end.clone() });
        self.execution.live.remove(&send.token);
        self.execution.pending.remove(&PendingKind::Halt(send.token.clone()).key());
        self.ended.push(Ended { send, end });
        self.changed();
        Ok(())
    }

    fn split(&mut self, work: &mut FleetWork, send: Send) {
        if let Slice::Nodes { list, offset, length } = &send.slice {
            let half = length / 2;
            for (offset, length) in [(*offset, half), (offset + half, length - half)] {
                work.returned.push(Slice::Nodes { list: list.clone(), offset, length });
            }
        }
        work.done.push(DoneSend {
            token: send.token.clone(),
            slice: send.slice.clone(),
            end: SendEnd::Replaced,
        });
        self.execution.live.remove(&send.token);
        self.ended.push(Ended { send, end: SendEnd::Replaced });
        self.changed();
    }

    /// Plans sends while there is room: MaxConcurrency counts whole sends, MaxErrors stops further ones.
    fn plan(&mut self, step: &StepExecution, work: &mut FleetWork) -> Result<(), Rejection> {
        if work.halting.is_some() {
            return Ok(());
        }
        let mut errors = work.errors;
        for token in self.execution.live.keys() {
            if let Some(command_id) = self.seen.sends.get(token).and_then(Send::command_id) {
                errors += self.report(command_id)?.command.errors_reported();
            }
        }
        while self.execution.live.len() < LIVE_SENDS_MAX {
            let Some(slice) = next_slice(work, errors, self.execution.live.values().sum()) else { break };
            let token = SendToken::derive(&self.execution.id, step.ordinal, step.attempt, work.planned);
            let send = self.new_send(step, work, slice, errors, token.clone());
            work.planned += 1;
            self.execution.live.insert(token.clone(), send.slice.nodes());
            self.wait(send.next_look(None));
            self.planned.push(send);
            self.effect(Effect::Send(token));
            self.changed();
        }
        Ok(())
    }

    fn new_send(
        &self,
        step: &StepExecution,
        work: &FleetWork,
        slice: Slice,
        errors: u64,
        token: SendToken,
    ) -> Send {
        let (max_concurrency, max_errors) = match slice {
            // SSM knows how many nodes there are: it gets what the author wrote.
            Slice::Targets => {
                (work.max_concurrency.map(|c| c.to_string()), work.max_errors.map(|e| e.to_string()))
            }
            Slice::Nodes { length, .. } => {
                let left = work.errors_allowed(work.target_count()).saturating_sub(errors);
                (Some(length.to_string()), Some(left.to_string()))
            }
        };
        Send {
            token,
            step: step.ordinal,
            attempt: step.attempt,
            slice,
            max_errors,
            max_concurrency,
            state: SendState::Trying,
            tries: 1,
            refused_tries: 0,
            last_try_at: self.now,
            tried_at: BTreeSet::from([self.now]),
            looks: BTreeSet::new(),
            halt: false,
            cancelled_at: None,
        }
    }
}

/// The next stretch of targets that may go out now, if any.
fn next_slice(work: &mut FleetWork, errors: u64, live_nodes: u64) -> Option<Slice> {
    let targets = work.target_count();
    let list = match &work.targets {
        Targets::Query(_) => {
            let first = work.given == 0;
            work.given = 1;
            return first.then_some(Slice::Targets);
        }
        Targets::Nodes(list) => list.clone(),
    };
    if errors > work.errors_allowed(targets) {
        return None;
    }
    let concurrency = work.max_concurrency.map_or(CONCURRENCY_DEFAULT, |bound| bound.of(targets)).max(1);
    let free = concurrency.saturating_sub(live_nodes);
    if let Some(at) = work.returned.iter().position(|slice| slice.nodes() <= free) {
        return Some(work.returned.remove(at));
    }
    let length = NODES_PER_SEND_MAX.min(free).min(targets - work.given);
    if length == 0 {
        return None;
    }
    let offset = work.given;
    work.given += length;
    Some(Slice::Nodes { list, offset, length })
}
