//! `advance`: the end of everything.

use crate::observe::Seen;
use crate::table::{CommandItem, Commit, Committed, Loaded};
use crate::{Error, Orchestrator, Turn};
use fleetwright_engine::{
    Decision, Effect, ExecutionId, Input, PendingKind, Phase, Rejection, StopType, decide,
};
use futures::future::{BoxFuture, join_all};
use jiff::{SignedDuration, Timestamp};

/// Commits that may be lost to others before the work is handed on.
const LOST_RACES_MAX: usize = 3;
/// Commits of one advance; then a wake goes on with it.
const ROUNDS_MAX: usize = 40;
/// Reads that one decision may ask for in turn.
const READS_MAX: usize = 30;
/// No further round begins with less than this left.
const ROUND_TAKES: SignedDuration = SignedDuration::from_secs(8);

/// Why an execution is advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    Look,
    Stop(StopType),
}

/// A wake that came early is sent again if no more than this remains.
const WAKE_AGAIN_WITHIN: SignedDuration = SignedDuration::from_secs(15);

/// What an advance came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advanced {
    /// When it is due next; `None`: it has ended, or is parked.
    pub(crate) due: Option<Timestamp>,
    /// Whether a commit has set that already.
    pub(crate) committed: bool,
}

/// What one round of it came to.
enum Round {
    Decided(Box<Decision>),
    Nothing(Advanced),
}

impl Orchestrator {
    /// Looks at an execution and does all that can be done now. `hints` are commands just folded: what they say need
    /// not be read again.
    ///
    /// # Errors
    /// [`Error::Again`] when others were faster three times, or AWS was not available; see [`Error`] for the others.
    pub async fn advance(&self, id: &ExecutionId, turn: Turn) -> Result<(), Error> {
        self.advance_from(id, turn, Why::Look, Vec::new()).await.map(|_| ())
    }

    pub(crate) fn advance_from<'a>(
        &'a self,
        id: &'a ExecutionId,
        turn: Turn,
        why: Why,
        hints: Vec<CommandItem>,
    ) -> BoxFuture<'a, Result<Advanced, Error>> {
        // Boxed: it holds the futures of every call there is, and stands in all use cases.
        Box::pin(self.rounds(id, turn, why, hints))
    }

    async fn rounds(
        &self,
        id: &ExecutionId,
        turn: Turn,
        mut why: Why,
        mut hints: Vec<CommandItem>,
    ) -> Result<Advanced, Error> {
        let (mut lost, mut committed) = (0, false);
        let mut last_due = None;
        for round in 0..ROUNDS_MAX {
            if round > 0 && turn.left(self.now()) < ROUND_TAKES {
                self.wake(id, self.now()).await;
                break;
            }
            let mut seen = Seen::new(id.clone(), std::mem::take(&mut hints), turn, self.config.resend_absent);
            let Some(loaded) = self.load(&mut seen).await? else {
                return Ok(Advanced { due: None, committed });
            };
            let decision = match self.decide(&loaded, why, &mut seen).await? {
                Round::Nothing(advanced) => return Ok(Advanced { committed, ..advanced }),
                Round::Decided(decision) => decision,
            };
            if decision.changed {
                match self.write(&loaded, &decision).await? {
                    Committed::Yes => (why, committed, lost) = (Why::Look, true, 0),
                    Committed::Lost => {
                        lost += 1;
                        if lost >= LOST_RACES_MAX {
                            return Err(Error::Contended(format!("execution {id}")));
                        }
                        continue;
                    }
                }
            }
            last_due = decision.due;
            let more = self.perform(&decision, &seen, turn).await?;
            // One wake for each state; one that comes early is sent again only if little remains.
            if let Some(at) = decision.wake
                && (decision.changed || at <= self.now() + WAKE_AGAIN_WITHIN)
            {
                self.wake(id, at).await;
            }
            if !(more || (decision.again && decision.changed)) {
                break;
            }
        }
        Ok(Advanced { due: last_due, committed })
    }

    /// Decides, reading what the decision asks for until it asks for nothing more.
    async fn decide(&self, loaded: &Loaded, why: Why, seen: &mut Seen) -> Result<Round, Error> {
        let execution = &loaded.execution;
        if let (Some(parked), Why::Look) = (&loaded.parked, why) {
            tracing::warn!(execution = %execution.id, reason = %parked.reason, "the execution needs attention");
            return Ok(Round::Nothing(Advanced { due: None, committed: false }));
        }
        let runbook = self.runbook(&execution.document.sha256).await?;
        for _ in 0..READS_MAX {
            let now = self.now();
            let input = match why {
                Why::Look => Input::Look(&seen.observations),
                Why::Stop(kind) => Input::Stop(kind, &seen.observations),
            };
            match decide(execution, &runbook, &input, now) {
                Ok(decision) => return Ok(Round::Decided(Box::new(decision))),
                Err(Rejection::Needs(needs)) => self.satisfy(&needs, loaded, seen).await?,
                Err(Rejection::Stale(_)) => {
                    let ended = matches!(execution.phase, Phase::Ended { .. });
                    let due = loaded.due.filter(|_| !ended);
                    return Ok(Round::Nothing(Advanced { due, committed: false }));
                }
                Err(Rejection::Refused { code, message }) => {
                    return Err(Error::Refused { code: code.to_owned(), message });
                }
                Err(Rejection::Illegal(reason)) => {
                    tracing::error!(execution = %execution.id, %reason, "parked");
                    self.table.park(&execution.id, loaded.version, &reason).await?;
                    return Ok(Round::Nothing(Advanced { due: None, committed: true }));
                }
            }
        }
        Err(Error::Ours(format!(
            "execution {}: a decision asked for more than {READS_MAX} reads",
            execution.id
        )))
    }

    async fn write(&self, loaded: &Loaded, decision: &Decision) -> Result<Committed, Error> {
        let commit = Commit { before: loaded, decision, mark: self.entropy.uuid(), now: self.now() };
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

    /// Performs what the commit decided, all at the same time. `true`: something more can be done at once.
    async fn perform(&self, decision: &Decision, seen: &Seen, turn: Turn) -> Result<bool, Error> {
        let effects = decision.effects.iter().map(|effect| async move {
            match effect {
                Effect::Send(token) => self.first_try(decision, seen, token, turn).await,
                Effect::Retry(token) => self.further_try(decision, seen, token, turn).await,
                Effect::Pending(PendingKind::Halt(token)) => self.halt(&decision.execution.id, token).await,
                Effect::Pending(PendingKind::Publish) => self.publish(&decision.execution).await,
            }
        });
        let mut more = false;
        for done in join_all(effects).await {
            more |= done?;
        }
        Ok(more)
    }
}
