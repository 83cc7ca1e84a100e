//! Signals: a person's word to a step that waits for it (SSM API reference, SendAutomationSignal).

use crate::approve::{self, Decided};
use crate::leave::StepEnd;
use crate::turn::Turn;
use crate::{
    Approval, ApprovalDecision, ApproverDecision, Decision, Execution, Observations, Phase, Rejection,
    Signal, SignalRequest, Status, StepExecution, Work,
};
use fleetwright_runbook::Runbook;
use jiff::Timestamp;

/// Bytes of a request's id: it is kept in the execution. Those of the SDKs have 36.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// Takes a signal. What follows from it is the next look's: a signal reads nothing.
pub(crate) fn take_signal(
    execution: &Execution,
    runbook: &Runbook,
    request: &SignalRequest,
    now: Timestamp,
) -> Result<Decision, Rejection> {
    check_request(execution, request)?;
    let step = match &execution.phase {
        Phase::In(step) => (**step).clone(),
        Phase::At(name) => {
            let state = format!("it is about to begin step {name}, try again in a moment");
            return Err(refused(execution, request, &state));
        }
        Phase::Ending(_) | Phase::Ended { .. } => return Err(refused(execution, request, "it has ended")),
    };
    let nothing = Observations::default();
    let mut turn = Turn::new(execution.clone(), runbook, &nothing, now);
    if turn.stopping() {
        return Err(refused(execution, request, "it is being stopped"));
    }
    // Nobody may have looked since: what the step comes to is TimedOut all the same.
    if now >= turn.deadline(&step) {
        return Err(refused(execution, request, &format!("step {}: its time is over", step.name)));
    }
    // Without an id there is nothing to know the request by: the one before stays known.
    if request.request_id.is_some() {
        turn.execution.last_signal.clone_from(&request.request_id);
    }
    match (step.work.clone(), request.signal) {
        (Some(Work::Pause), Signal::Resume) => turn.resume(step, request),
        (Some(Work::Approval(approval)), Signal::Approve) => {
            turn.decide_approval(step, approval, request, ApprovalDecision::Approve)
        }
        (Some(Work::Approval(approval)), Signal::Reject) => {
            turn.decide_approval(step, approval, request, ApprovalDecision::Reject)
        }
        // StartStep and StopStep are for interactive executions, Revoke for access to nodes: neither exists here.
        (
            Some(Work::Pause | Work::Approval(_) | Work::Answered | Work::Sleep { .. } | Work::Fleet(_))
            | None,
            Signal::Approve
            | Signal::Reject
            | Signal::StartStep
            | Signal::StopStep
            | Signal::Resume
            | Signal::Revoke,
        ) => {
            let waits = match step.status {
                Status::Waiting => "waits for another signal",
                Status::InProgress
                | Status::Cancelling
                | Status::Success
                | Status::Failed
                | Status::TimedOut
                | Status::Cancelled => "does not wait for a signal",
            };
            Err(refused(execution, request, &format!("step {} ({}) {waits}", step.name, step.action)))
        }
    }
}

/// The request was not accepted before, and the step it is for is open.
fn check_request(execution: &Execution, request: &SignalRequest) -> Result<(), Rejection> {
    if request.request_id.is_some() && request.request_id == execution.last_signal {
        return Err(Rejection::Stale("the signal was accepted already"));
    }
    if request.ordinal.is_some() && request.ordinal != execution.open_step().map(|step| step.ordinal) {
        return Err(Rejection::Stale("the signal is for another step"));
    }
    let bytes = request.request_id.as_ref().map_or(0, String::len);
    if bytes > REQUEST_ID_BYTES_MAX {
        return Err(Rejection::Refused {
            code: "ValidationException",
            message: format!("the id of the request has {bytes} bytes, over {REQUEST_ID_BYTES_MAX}"),
        });
    }
    Ok(())
}

impl Turn<'_> {
    /// Whoever names a step means no other: SSM asks for the name with Resume only, and it is held with all.
    fn check_step(&self, step: &StepExecution, request: &SignalRequest) -> Result<(), Rejection> {
        let Some(name) = first(request, "StepName").filter(|name| step.name != *name.as_str()) else {
            return Ok(());
        };
        if self.runbook.step(name).is_none() {
            return Err(Rejection::Refused {
                code: "AutomationStepNotFoundException",
                message: format!("execution {} has no step {name}", self.execution.id),
            });
        }
        let state = format!("step {} waits for it, not step {name}", step.name);
        Err(refused(&self.execution, request, &state))
    }

    fn resume(mut self, step: StepExecution, request: &SignalRequest) -> Result<Decision, Rejection> {
        self.check_step(&step, request)?;
        let definition = self.definition(&step)?;
        self.leave(step, definition, StepEnd::success())?;
        Ok(self.decision(true))
    }

    fn decide_approval(
        mut self,
        mut step: StepExecution,
        mut approval: Approval,
        request: &SignalRequest,
        decision: ApprovalDecision,
    ) -> Result<Decision, Rejection> {
        self.check_step(&step, request)?;
        let approver = request.caller.clone();
        let comment = first(request, "Comment").cloned();
        let said = ApproverDecision { approver, decision, comment, at: self.now };
        let refused =
            |state: &str| refused(&self.execution, request, &format!("step {}: {state}", step.name));
        match approve::decide(&mut approval, said, &self.execution.place.account_id) {
            Decided::NoApprover => {
                return Err(refused(&format!("{} is none of its approvers", request.caller)));
            }
            Decided::Again => return Err(Rejection::Stale("the approver said so already")),
            Decided::Taken => {
                let caller = &request.caller;
                return Err(refused(&format!("whom {caller} can speak for has approved already")));
            }
            Decided::Counts(Some(end)) => {
                let status = match decision {
                    ApprovalDecision::Approve => "Approved",
                    ApprovalDecision::Reject => "Rejected",
                };
                let definition = self.definition(&step)?;
                self.end_approval(step, definition, &approval, status, end)?;
            }
            Decided::Counts(None) => {
                step.work = Some(Work::Approval(approval));
                self.execution.phase = Phase::In(Box::new(step));
                self.changed();
            }
        }
        Ok(self.decision(true))
    }
}

fn first<'a>(request: &'a SignalRequest, key: &str) -> Option<&'a String> {
    request.payload.get(key).and_then(|values| values.first())
}

fn refused(execution: &Execution, request: &SignalRequest, state: &str) -> Rejection {
    Rejection::Refused {
        code: "InvalidAutomationSignalException",
        message: format!("execution {} does not take {:?}: {state}", execution.id, request.signal),
    }
}
