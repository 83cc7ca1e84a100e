//! Stopping and signalling an execution.

use crate::advance::Why;
use crate::planted::{Bug, is_planted};
use crate::{Allowance, Error, Orchestrator};
use fleetwright_engine::{Answer, ExecutionId, Signal, SignalRequest, StopType};

/// Rounds of losing to others before a caller is told to try again.
const ROUNDS: u32 = 5;

impl Orchestrator {
    /// Stops an execution: no new intent after this, what is under way is cancelled, and the execution ends when every
    /// send has ended. An execution that was set aside is let go on, to its end.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution, or it has ended.
    pub async fn stop(&self, id: &ExecutionId, kind: StopType, turn: Allowance) -> Result<(), Error> {
        if self.table.load(id, None, &[], self.now()).await?.is_none() {
            return Err(no_execution(id));
        }
        match self.insist(id, Why::Stop(kind), turn).await {
            Err(error @ (Error::Contended(_) | Error::Refused { .. })) => Err(error),
            Err(error) => self.stopped_all_the_same(id, kind, error).await,
            Ok(()) => Ok(()),
        }
    }

    /// A stop that was committed stands, whatever failed after it: reconcile does the rest.
    async fn stopped_all_the_same(
        &self,
        id: &ExecutionId,
        kind: StopType,
        error: Error,
    ) -> Result<(), Error> {
        let loaded = self.table.load(id, None, &[], self.now()).await?;
        let stopped = loaded.is_some_and(|(loaded, _)| loaded.execution.stop.is_some_and(|s| s.kind == kind));
        if !stopped && !is_planted(Bug::StopNotCommitted) {
            return Err(error);
        }
        tracing::warn!(execution = %id, %error, "stopped, not yet done");
        self.wake(id, self.now()).await;
        Ok(())
    }

    /// Sends a signal. One that nobody waits for is refused and changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution, or it does not wait for this, or not for this caller.
    pub async fn signal(
        &self,
        id: &ExecutionId,
        signal: &SignalRequest,
        turn: Allowance,
    ) -> Result<(), Error> {
        let Some((loaded, _)) = self.table.load(id, None, &[], self.now()).await? else {
            return Err(no_execution(id));
        };
        if loaded.parked.is_some() && signal.signal == Signal::Resume {
            self.table.unpark(id, self.now()).await?;
            self.wake(id, self.now()).await;
            return Ok(());
        }
        // For the step that waits now, however often others are faster: not for the one that waits after it.
        let ordinal = loaded.execution.open_step().map(|step| step.ordinal);
        let signal = SignalRequest { ordinal, ..signal.clone() };
        self.insist(id, Why::Signal(&signal), turn).await
    }

    /// Answers for a step in a rehearsal.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution, or its step does not wait for this answer.
    pub async fn answer(&self, id: &ExecutionId, answer: &Answer, turn: Allowance) -> Result<(), Error> {
        self.insist(id, Why::Answer(answer), turn).await
    }

    /// Tries again while others are faster: somebody waits for it.
    async fn insist(&self, id: &ExecutionId, why: Why<'_>, turn: Allowance) -> Result<(), Error> {
        let mut last = Error::Contended(format!("execution {id}"));
        for round in 1..=ROUNDS {
            match self.advance_from(id, turn, why, Vec::new()).await {
                Err(error @ Error::Contended(_)) => {
                    last = error;
                    self.back_off.wait(round).await;
                }
                advanced => return advanced.map(|_| ()),
            }
        }
        Err(last)
    }
}

/// SSM's answer where there is no such execution.
pub(crate) fn no_execution(id: &ExecutionId) -> Error {
    Error::Refused {
        code: "AutomationExecutionNotFoundException".to_owned(),
        message: format!("there is no automation execution {id}"),
    }
}
