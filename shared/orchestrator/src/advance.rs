//! `advance`: the end of everything.

use crate::observe::Seen;
use crate::planted::{Bug, is_planted};
use crate::stop::no_execution;
use crate::table::{CommandItem, Commit, Committed, Loaded};
use crate::{Allowance, Error, Orchestrator};
use fleetwright_engine::{
    Answer, Decision, Effect, ExecutionId, Input, PendingKind, Phase, Rejection, SignalRequest, StopType,
    decide,
};
use futures::future::{LocalBoxFuture, join_all};
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;

/// Commits that may be lost to others before the work is handed on.
const LOST_RACES_MAX: usize = 3;
/// Rounds of one advance; then a wake goes on with it.
const ROUNDS_MAX: usize = 40;
/// Reads that one decision may ask for in turn. Each asks for all that is missing of a kind at once.
const READS_MAX: usize = 60;
/// No further round begins with less than this left.
const ROUND_TAKES: SignedDuration = SignedDuration::from_secs(8);
/// Why an execution is set aside, or not looked at, whose role is no longer one of the deployment's.
pub(crate) const ROLE_GONE: &str = "the deployment no longer lists the role that its runbook assumes";
/// An effect that may be repeated freely, and failed, is tried again so soon.
const EFFECT_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(5);
/// And no longer so soon after this.
const EFFECT_SOON_FOR: SignedDuration = SignedDuration::from_mins(1);

/// Why an execution is advanced.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Why<'a> {
    Look,
    Stop(StopType),
    Signal(&'a SignalRequest),
    Answer(&'a Answer),
}

impl Why<'_> {
    /// Whether nobody waits for what it comes to.
    const fn is_look(self) -> bool {
        match self {
            Self::Look => true,
            Self::Stop(_) | Self::Signal(_) | Self::Answer(_) => false,
        }
    }
}

/// What an advance came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advanced {
    /// When it is due next; `None`: it has ended, or is parked.
    pub(crate) due: Option<Timestamp>,
    /// Whether a commit has set that already.
    pub(crate) committed: bool,
}

/// What an effect came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Performed {
    /// Nothing more to do for now.
    Done,
    /// Something else can be done at once.
    More,
    /// It is to be looked at again then.
    Later(Timestamp),
}

/// What one round of it came to.
enum Round {
    Decided(Box<Decision>),
    /// Nothing to do.
    Nothing(Option<Timestamp>),
    /// What was asked for had been done before: go on as a look.
    AsLook,
    /// What was read is no longer so.
    Lost,
    Parked,
}

impl Orchestrator {
    /// Looks at an execution and does all that can be done now. `hints` are commands just folded: what they say need
    /// not be read again.
    ///
    /// # Errors
    /// [`Error::Contended`] when others were faster three times, [`Error::Again`] when AWS was not available; see
    /// [`Error`] for the others.
    pub async fn advance(&self, id: &ExecutionId, turn: Allowance) -> Result<(), Error> {
        self.advance_from(id, turn, Why::Look, Vec::new()).await.map(|_| ())
    }

    pub(crate) fn advance_from<'a>(
        &'a self,
        id: &'a ExecutionId,
        turn: Allowance,
        why: Why<'a>,
        hints: Vec<CommandItem>,
    ) -> LocalBoxFuture<'a, Result<Advanced, Error>> {
        // Boxed: it holds the futures of every call there is, and stands in all use cases.
        Box::pin(async move {
            let mut committed = false;
            match self.rounds(id, turn, why, hints, &mut committed).await {
                // What somebody asked for stands; what follows from it is the next look's.
                Err(error) if committed && !why.is_look() => {
                    tracing::warn!(execution = %id, %error, "committed, not yet done");
                    self.wake(id, self.now()).await;
                    Ok(Advanced { due: None, committed })
                }
                advanced => advanced,
            }
        })
    }

    async fn rounds(
        &self,
        id: &ExecutionId,
        turn: Allowance,
        mut why: Why<'_>,
        mut hints: Vec<CommandItem>,
        committed: &mut bool,
    ) -> Result<Advanced, Error> {
        let (mut lost, mut due) = (0, None);
        for round in 0..=ROUNDS_MAX {
            if round == ROUNDS_MAX || (round > 0 && turn.left(self.now()) < ROUND_TAKES) {
                if !why.is_look() {
                    // What somebody asked for is not committed: they must not be told that it is.
                    return Err(Error::Again("no time left".to_owned()));
                }
                self.wake(id, self.now()).await;
                break;
            }
            let mut seen = Seen::new(id.clone(), std::mem::take(&mut hints), turn, self.config.resend_absent);
            let Some(loaded) = self.load(&mut seen).await? else {
                return if why.is_look() {
                    Ok(Advanced { due: None, committed: *committed })
                } else {
                    Err(no_execution(id))
                };
            };
            let decision = match self.decide(&loaded, why, &mut seen).await? {
                Round::Nothing(due) => return Ok(Advanced { due, committed: *committed }),
                Round::Parked if why.is_look() => return Ok(Advanced { due: None, committed: true }),
                Round::Parked => return Err(Error::Ours(format!("execution {id} was set aside"))),
                Round::AsLook => {
                    why = Why::Look;
                    continue;
                }
                Round::Lost => {
                    self.count_lost(id, &mut lost)?;
                    continue;
                }
                Round::Decided(decision) => decision,
            };
            if decision.changed {
                match self.write(&loaded, &decision).await? {
                    Committed::Yes => (why, *committed, lost) = (Why::Look, true, 0),
                    Committed::Lost => {
                        self.count_lost(id, &mut lost)?;
                        continue;
                    }
                    Committed::Illegal(reason) => {
                        self.park(&loaded, &reason).await?;
                        if !why.is_look() {
                            return Err(Error::Ours(format!("execution {id}: {reason}")));
                        }
                        return Ok(Advanced { due: None, committed: true });
                    }
                }
            }
            due = decision.due;
            if let (false, Some(later), Some(earlier)) = (decision.changed, loaded.due, due)
                && earlier < later
            {
                // Nothing to commit, and yet there is something to look at earlier.
                *committed |= self.table.set_due(id, later, due).await?;
            }
            // Where its role is gone, the next look sets it aside.
            let performed = match self.acting_as(loaded.execution.role.as_deref()) {
                Some(actor) => actor.perform(&decision, &seen, turn).await?,
                None => Performed::Done,
            };
            if !(performed == Performed::More || (decision.again && decision.changed)) {
                self.wake_once(id, &decision, performed).await;
                break;
            }
        }
        Ok(Advanced { due, committed: *committed })
    }

    fn count_lost(&self, id: &ExecutionId, lost: &mut usize) -> Result<(), Error> {
        *lost += 1;
        if *lost >= LOST_RACES_MAX { Err(Error::Contended(format!("execution {id}"))) } else { Ok(()) }
    }

    /// At most one wake for one look, whatever asks for it.
    async fn wake_once(&self, id: &ExecutionId, decision: &Decision, performed: Performed) {
        let later = match performed {
            Performed::Later(at) => Some(at),
            Performed::Done | Performed::More => None,
        };
        if let Some(at) = decision.wake.into_iter().chain(later).min() {
            self.wake(id, at).await;
        }
    }

    /// Decides, reading what the decision asks for until it asks for nothing more.
    async fn decide(&self, loaded: &Loaded, why: Why<'_>, seen: &mut Seen) -> Result<Round, Error> {
        let execution = &loaded.execution;
        if let (Some(parked), true) = (&loaded.parked, why.is_look()) {
            tracing::warn!(execution = %execution.id, reason = %parked.reason, "the execution needs attention");
            return Ok(Round::Nothing(None));
        }
        if let (Some(wrong), true) = (&loaded.wrong, why.is_look()) {
            return self.park(loaded, wrong).await;
        }
        if let (Some(parked), Why::Signal(_) | Why::Answer(_)) = (&loaded.parked, why) {
            return Err(Error::Refused {
                code: "InvalidAutomationSignalException".to_owned(),
                message: format!(
                    "execution {} was set aside, and takes Resume only: {}",
                    execution.id, parked.reason
                ),
            });
        }
        let over = matches!(execution.phase, Phase::Ended { .. });
        let actor = match self.acting_as(execution.role.as_deref()) {
            None if why.is_look() && !over => return self.park(loaded, ROLE_GONE).await,
            // What reads nothing of SSM needs no role.
            actor => actor.unwrap_or(Cow::Borrowed(self)),
        };
        let runbook = self.runbook(&execution.document.sha256).await?;
        for _ in 0..READS_MAX {
            let now = self.now();
            let input = match why {
                Why::Look => Input::Look(&seen.observations),
                Why::Stop(kind) => Input::Stop(kind),
                Why::Signal(signal) => Input::Signal(signal),
                Why::Answer(answer) => Input::Answer(answer),
            };
            match decide(execution, &runbook, &input, now) {
                Ok(decision) => return Ok(Round::Decided(Box::new(decision))),
                Err(Rejection::Needs(needs)) => actor.satisfy(&needs, loaded, seen).await?,
                Err(Rejection::Stale(reason)) if matches!(why, Why::Answer(_)) => {
                    let code = "InvalidAutomationSignalException".to_owned();
                    return Err(Error::Refused {
                        code,
                        message: format!("execution {}: {reason}", execution.id),
                    });
                }
                Err(Rejection::Stale(_)) if !why.is_look() => return Ok(Round::AsLook),
                Err(Rejection::Stale(_)) => {
                    let ended = matches!(execution.phase, Phase::Ended { .. });
                    return Ok(Round::Nothing(loaded.due.filter(|_| !ended)));
                }
                Err(Rejection::Refused { code, message }) => {
                    return Err(Error::Refused { code: code.to_owned(), message });
                }
                Err(Rejection::Illegal(reason)) => return self.park(loaded, &reason).await,
            }
        }
        Err(Error::Ours(format!(
            "execution {}: a decision asked for more than {READS_MAX} reads",
            execution.id
        )))
    }

    /// Sets an execution aside, visibly, if it still is what was read: sends are read after it, and may be of a later
    /// commit.
    async fn park(&self, loaded: &Loaded, reason: &str) -> Result<Round, Error> {
        let id = &loaded.execution.id;
        if !self.table.park(id, loaded.version, reason).await? {
            return Ok(Round::Lost);
        }
        tracing::error!(execution = %id, %reason, "parked");
        Ok(Round::Parked)
    }

    async fn write(&self, loaded: &Loaded, decision: &Decision) -> Result<Committed, Error> {
        let id = &loaded.execution.id;
        let mark = if is_planted(Bug::CommitMarkShared) { id.to_string() } else { self.entropy.uuid() };
        let commit = Commit { before: loaded, decision, mark, now: self.now() };
        let committed = self.table.commit(&commit).await?;
        if committed == Committed::Yes {
            for step in &decision.closed {
                tracing::info!(
                    execution = %loaded.execution.id, step = %step.name, status = step.status.as_str(), "step over"
                );
            }
        }
        Ok(committed)
    }

    /// Performs what the commit decided, all at the same time: what is most urgent of what they came to.
    async fn perform(&self, decision: &Decision, seen: &Seen, turn: Allowance) -> Result<Performed, Error> {
        let effects = decision.effects.iter().map(|effect| async move {
            match effect {
                Effect::Send(token) => self.first_try(decision, seen, token, turn).await,
                Effect::Retry(token) => self.further_try(decision, seen, token, turn).await,
                Effect::Pending(kind) => Ok(self.perform_pending(decision, kind).await),
            }
        });
        let mut most = Performed::Done;
        for performed in join_all(effects).await {
            most = match (most, performed?) {
                (Performed::More, _) | (_, Performed::More) => Performed::More,
                (Performed::Later(one), Performed::Later(other)) => Performed::Later(one.min(other)),
                (Performed::Done, other) | (other, Performed::Done) => other,
            };
        }
        Ok(most)
    }

    /// What stays pending until it has happened may fail: it is tried again, and holds nothing else up.
    async fn perform_pending(&self, decision: &Decision, kind: &PendingKind) -> Performed {
        let execution = &decision.execution;
        let performed = match kind {
            PendingKind::Halt(token) => self.halt(&execution.id, token).await,
            PendingKind::Publish => self.publish(execution).await,
            PendingKind::AskApproval(ordinal) => self.ask_approval(execution, *ordinal).await,
        };
        let performed = performed.unwrap_or_else(|error| {
            tracing::warn!(execution = %execution.id, %error, "an effect failed and is tried again");
            Performed::Later(self.now() + EFFECT_AGAIN_AFTER)
        });
        // Soon at first; then by reconcile, for which the execution is due every minute.
        let since = execution.pending.get(&kind.key()).map_or(execution.started_at, |pending| pending.since);
        match performed {
            Performed::Later(at) if at >= since + EFFECT_SOON_FOR => Performed::Done,
            Performed::Done | Performed::More | Performed::Later(_) => performed,
        }
    }
}
