//! Stopping and signalling an execution.

use crate::advance::Why;
use crate::{Allowance, Error, Orchestrator};
use fleetwright_engine::{ExecutionId, Input, Rejection, Signal, StopType, decide};

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
        let mut last = Error::Contended(format!("execution {id}"));
        for round in 1..=ROUNDS {
            match self.advance_from(id, turn, Why::Stop(kind), Vec::new()).await {
                Err(error @ Error::Contended(_)) => {
                    last = error;
                    self.back_off.wait(round).await;
                }
                Err(error @ Error::Refused { .. }) => return Err(error),
                Err(error) => return self.stopped_all_the_same(id, kind, error).await,
                Ok(_) => return Ok(()),
            }
        }
        Err(last)
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
        if !stopped {
            return Err(error);
        }
        tracing::warn!(execution = %id, %error, "stopped, not yet done");
        self.wake(id, self.now()).await;
        Ok(())
    }

    /// Sends a signal. One that nobody waits for is refused and changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`]: there is no such execution, or it does not wait for this.
    pub async fn signal(&self, id: &ExecutionId, signal: Signal) -> Result<(), Error> {
        let Some((loaded, _)) = self.table.load(id, None, &[], self.now()).await? else {
            return Err(no_execution(id));
        };
        if loaded.parked.is_some() && signal == Signal::Resume {
            self.table.unpark(id, self.now()).await?;
            self.wake(id, self.now()).await;
            return Ok(());
        }
        let runbook = self.runbook(&loaded.execution.document.sha256).await?;
        match decide(&loaded.execution, &runbook, &Input::Signal(signal), self.now()) {
            Err(Rejection::Refused { code, message }) => {
                Err(Error::Refused { code: code.to_owned(), message })
            }
            Err(Rejection::Stale(_)) => Ok(()),
            Err(other @ (Rejection::Needs(_) | Rejection::Illegal(_))) => Err(Error::Ours(other.to_string())),
            Ok(_) => Err(Error::Ours("a signal was taken and not committed".to_owned())),
        }
    }
}

/// SSM's answer where there is no such execution.
pub(crate) fn no_execution(id: &ExecutionId) -> Error {
    Error::Refused {
        code: "AutomationExecutionNotFoundException".to_owned(),
        message: format!("there is no automation execution {id}"),
    }
}
