//! What an execution does next.

use crate::answer::take_answer;
use crate::signal::take_signal;
use crate::turn::Turn;
use crate::{Decision, Execution, Input, Observations, Phase, Rejection, Stop, StopType};
use fleetwright_runbook::Runbook;
use jiff::Timestamp;

/// Decides what `execution` does next, given what the shell has read. Pure: it looks at state, not at what woke it.
///
/// # Errors
/// [`Rejection::Needs`] names what must be read first; the others say why nothing is to be done.
pub fn decide(
    execution: &Execution,
    runbook: &Runbook,
    input: &Input<'_>,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    match input {
        Input::Look(observations) => match &execution.phase {
            Phase::Ended { .. } if execution.pending.is_empty() => {
                Err(Rejection::Stale("the execution has ended"))
            }
            Phase::At(_) | Phase::In(_) | Phase::Ending(_) | Phase::Ended { .. } => {
                Turn::new(execution.clone(), runbook, observations, now).run()
            }
        },
        Input::Stop(kind) => {
            // Reads nothing, and so cannot fail for want of SSM: what follows from it is the next look's.
            let nothing = Observations::default();
            Turn::new(stop(execution, *kind, now)?, runbook, &nothing, now).begin_stop()
        }
        Input::Signal(request) => take_signal(execution, runbook, request, now),
        Input::Answer(answer) => take_answer(execution, runbook, answer, now),
    }
}

/// A stop is accepted once. The same stop again is answered like the first; another kind comes too late.
fn stop(execution: &Execution, kind: StopType, now: Timestamp) -> Result<Execution, Rejection> {
    let refused = |message: &str| Rejection::Refused {
        code: "InvalidAutomationStatusUpdateException",
        message: format!("execution {}: {message}", execution.id),
    };
    match (&execution.phase, execution.stop) {
        (Phase::Ended { .. }, _) => Err(refused("it has ended")),
        (Phase::At(_) | Phase::In(_) | Phase::Ending(_), Some(stop)) if stop.kind == kind => {
            Err(Rejection::Stale("the execution is stopping already"))
        }
        (Phase::Ending(_), _) => Err(refused("its last step is over")),
        (Phase::At(_) | Phase::In(_), Some(_)) => Err(refused("it is stopping already, in another way")),
        (Phase::At(_) | Phase::In(_), None) => {
            Ok(Execution { stop: Some(Stop { kind, at: now, on_cancel_until: None }), ..execution.clone() })
        }
    }
}
