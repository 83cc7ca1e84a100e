//! An open `aws:runCommand` step: ending sends, splitting them, halting (protocols, P3 and P6).

use crate::attend::Attended;
use crate::send::FIRST_LOOK_AFTER;
use crate::turn::{Moved, Turn};
use crate::{
    DoneSend, Effect, Ended, FleetWork, HaltCause, Need, PendingKind, Refusal, Rejection, Send, SendEnd,
    SendState, SendToken, StepExecution, Stretch,
};
use fleetwright_runbook::Step;

impl Turn<'_> {
    pub(crate) fn drive_fleet(
        &mut self,
        mut step: StepExecution,
        definition: &Step,
        mut work: FleetWork,
    ) -> Result<Moved, Rejection> {
        self.read_live_sends()?;
        if !self.stopping() && self.is_out_of_time(&step, &work)? {
            self.start_halting(&mut work, HaltCause::TimedOut);
        }
        let attended = self.attend_all(definition, &work)?;
        let mut waits = Vec::new();
        for (send, attended) in attended {
            match attended {
                Attended::Ends(end) => self.end_send(&mut work, send, end)?,
                Attended::Splits => self.split(&mut work, send),
                Attended::Retries => {
                    self.wait(self.now + FIRST_LOOK_AFTER);
                    self.effect(Effect::Retry(send.token));
                }
                Attended::Waits { until, precisely } => waits.push((until, precisely)),
                Attended::Needs(need) => return Err(Rejection::Needs(vec![need])),
            }
        }
        self.plan(&step, &mut work)?;
        if self.execution.live.is_empty() {
            return self.close_attempt(step, definition, work);
        }
        for (until, precisely) in waits {
            if precisely { self.wait_precisely(until) } else { self.wait(until) }
        }
        if work.halting.is_none() && self.deadline(&step) > self.now {
            self.wait_precisely(self.deadline(&step));
        }
        step.work = None;
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

    /// What every live send has come to; what they lack is named for all of them at once.
    fn attend_all(
        &mut self,
        definition: &Step,
        work: &FleetWork,
    ) -> Result<Vec<(Send, Attended)>, Rejection> {
        let mut needs = Vec::new();
        let mut attended = Vec::new();
        for token in self.execution.live.keys().cloned().collect::<Vec<_>>() {
            let send = self.live_send(&token)?.clone();
            if send.halt || work.halting.is_some() {
                self.cancel_again(&send)?;
            }
            match self.attend(&send, definition, work.halting.is_some())? {
                Attended::Needs(need) => needs.push(need),
                other @ (Attended::Ends(_)
                | Attended::Splits
                | Attended::Retries
                | Attended::Waits { .. }) => attended.push((send, other)),
            }
        }
        if needs.is_empty() { Ok(attended) } else { Err(Rejection::Needs(needs)) }
    }

    /// Lets no try of the live sends begin any more, and has what was sent cancelled. Reads nothing: a stop must not
    /// wait for SSM.
    pub(crate) fn start_halting(&mut self, work: &mut FleetWork, cause: HaltCause) {
        if work.halting.is_none() {
            for token in self.execution.live.keys().cloned().collect::<Vec<_>>() {
                self.pend(PendingKind::Halt(token));
            }
        }
        if work.halting != Some(cause) {
            work.halting = Some(cause);
            self.changed();
        }
    }

    /// Whether the deadline has passed with something left to do. SSM is asked first: what is terminal in that read
    /// stands.
    fn is_out_of_time(&self, step: &StepExecution, work: &FleetWork) -> Result<bool, Rejection> {
        if work.halting.is_some() || self.now < self.deadline(step) {
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

    fn end_send(&mut self, work: &mut FleetWork, send: Send, end: SendEnd) -> Result<(), Rejection> {
        match &end {
            SendEnd::Command { command_id } => {
                let report = self.report(command_id)?;
                let over = report.is_over(self.now);
                work.forced |= !over;
                let settlement = report.settlement.as_ref();
                let errors = report.command.partition(settlement).counts().errors();
                // Where SSM was not read these nodes are Unknown, and what events said still counts to MaxErrors.
                work.errors += match settlement {
                    Some(settlement) if settlement.status.is_some() => errors,
                    Some(_) | None => errors.max(report.command.errors_reported()),
                };
                if over && !report.is_settled() {
                    self.execution.unsettled.insert(send.token.clone(), command_id.clone());
                }
            }
            // It may still be running: no further attempt over the same nodes.
            SendEnd::Unknown => work.forced = true,
            SendEnd::NotRun { .. } => {
                // What SSM refused of one send it refuses of all the others.
                work.rejected |= matches!(send.state, SendState::Refused(Refusal::Rejected { .. }));
            }
            SendEnd::Replaced => {
                return Err(Rejection::Illegal("a split send ends by its halves".to_owned()));
            }
        }
        work.done.push(DoneSend { stretch: send.slice.stretch(), end: end.clone() });
        self.execution.live.remove(&send.token);
        self.execution.pending.remove(&PendingKind::Halt(send.token.clone()).key());
        self.ended.push(Ended { send, end });
        self.changed();
        Ok(())
    }

    fn split(&mut self, work: &mut FleetWork, send: Send) {
        if let Some(Stretch { offset, length }) = send.slice.stretch() {
            let half = length / 2;
            work.returned.push(Stretch { offset, length: half });
            work.returned.push(Stretch { offset: offset + half, length: length - half });
        }
        self.execution.live.remove(&send.token);
        self.ended.push(Ended { send, end: SendEnd::Replaced });
        self.changed();
    }
}
