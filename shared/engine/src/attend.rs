//! What a live send has come to (protocols, P3 and P6).

use crate::execution::UNSETTLED_MAX;
use crate::send::{TRIES_MAX, UNKNOWN_TRIES_MAX};
use crate::turn::Turn;
use crate::{Need, Refusal, Rejection, Send, SendEnd, SendState};
use fleetwright_fleet::CommandId;
use fleetwright_runbook::Step;
use jiff::{SignedDuration, Timestamp};

/// A halted send that nobody could look for in all this time, because SSM answers no look, is Unknown: every wait has a
/// deadline.
const LOOKS_GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// A halted send is given up so long after SSM accepted its CancelCommand.
const GIVE_UP_AFTER_CANCEL: SignedDuration = SignedDuration::from_mins(2);

/// What a live send has come to.
pub(crate) enum Attended {
    /// It ends like this.
    Ends(SendEnd),
    /// One of its nodes is bad: it is replaced by its halves.
    Splits,
    /// It is tried again.
    Retries,
    /// Nothing to do before this; precisely then, or at the reconcile after it.
    Waits {
        /// When.
        until: Timestamp,
        /// Whether a minute later will not do.
        precisely: bool,
    },
    /// Something must be read first.
    Needs(Need),
}

impl Turn<'_> {
    pub(crate) fn attend(
        &self,
        send: &Send,
        definition: &Step,
        halting: bool,
    ) -> Result<Attended, Rejection> {
        let halted = send.halt || halting;
        match &send.state {
            SendState::Ended => Err(Rejection::Illegal(format!("send {} has ended", send.token))),
            SendState::Refused(refusal) => Ok(self.attend_refused(send, refusal, halted)),
            SendState::Trying => self.attend_trying(send, halted),
            SendState::Sent { command_id } => self.attend_sent(send, command_id, definition, halted),
        }
    }

    fn attend_refused(&self, send: &Send, refusal: &Refusal, halted: bool) -> Attended {
        let over = |reason: String| {
            // An earlier try may have been executed all the same.
            let end = if send.unknown_tries() > 0 { SendEnd::Unknown } else { SendEnd::NotRun { reason } };
            Attended::Ends(end)
        };
        if halted {
            return over("Stopped before it was sent".to_owned());
        }
        match refusal {
            Refusal::Rejected { code, message } => over(format!("{code}: {message}")),
            // Also where an earlier try has no outcome: it was absent, and its windows are watched since it was tried
            // again.
            Refusal::BadNode if send.slice.nodes() > 1 => Attended::Splits,
            Refusal::BadNode => over("InvalidInstanceId or UnsupportedPlatformType".to_owned()),
            Refusal::Later { code, .. } if send.tries >= TRIES_MAX => {
                over(format!("{code}: refused {TRIES_MAX} times"))
            }
            Refusal::Later { not_before, .. } if self.now < *not_before => {
                Attended::Waits { until: *not_before, precisely: true }
            }
            Refusal::Later { .. } => Attended::Retries,
        }
    }

    fn attend_trying(&self, send: &Send, halted: bool) -> Result<Attended, Rejection> {
        let next_look = send.next_look(None);
        if halted && self.now >= send.last_try_at + LOOKS_GIVE_UP_AFTER {
            return Ok(Attended::Ends(SendEnd::Unknown));
        }
        if !send.is_absent() {
            return Ok(if self.may_look(send, next_look) {
                Attended::Needs(Need::Find(send.token.clone()))
            } else {
                Attended::Waits { until: next_look, precisely: false }
            });
        }
        if halted || send.unknown_tries() >= UNKNOWN_TRIES_MAX {
            return Ok(Attended::Ends(SendEnd::Unknown));
        }
        // A person who says resume allows one more try of what was absent then.
        let allowed = self.seen.resend_absent || self.seen.resumed_at.is_some_and(|at| at > send.last_try_at);
        if !allowed {
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
        let give_up = send.cancelled_at.filter(|_| halted).map(|at| at + GIVE_UP_AFTER_CANCEL);
        let ends = || Attended::Ends(SendEnd::Command { command_id: command_id.clone() });
        if report.is_over(self.now) {
            if report.is_settled() || (report.command.is_plain_success() && self.may_settle_later(definition))
            {
                return Ok(ends());
            }
            return Ok(match self.seen.settle_again.get(command_id) {
                None => Attended::Needs(Need::Settle(command_id.clone())),
                Some(again) => Attended::Waits { until: again.at, precisely: again.precisely },
            });
        }
        let asked = self.seen.asked.contains(&send.token);
        if let Some(give_up) = give_up {
            return Ok(if self.now < give_up {
                Attended::Waits { until: give_up, precisely: true }
            } else if asked {
                ends()
            } else {
                Attended::Needs(Need::Ask(send.token.clone()))
            });
        }
        let next_look = send.next_look(report.last_fact_at);
        Ok(if self.may_look(send, next_look) {
            Attended::Needs(Need::Ask(send.token.clone()))
        } else {
            Attended::Waits { until: next_look.min(report.limit()), precisely: false }
        })
    }

    /// Only reconcile asks after what has gone quiet, and once in a look.
    fn may_look(&self, send: &Send, next_look: Timestamp) -> bool {
        self.seen.scheduled.is_some_and(|at| at >= next_look) && !self.seen.asked.contains(&send.token)
    }

    /// A plain success may be settled after its step has gone on, if nothing reads the step's outputs.
    fn may_settle_later(&self, definition: &Step) -> bool {
        self.execution.unsettled.len() < UNSETTLED_MAX
            && self.runbook.outputs_read(&definition.name).is_empty()
    }
}
