//! `fleetwright stop` and `fleetwright signal`: what a person tells an execution that runs or waits.

use crate::args::{Signal, SignalKind, Stop};
use crate::client::Client;
use crate::failure::Failure;
use crate::text::cut;
use fleetwright_wire::{
    Parameters, SendAutomationSignalRequest, SendAutomationSignalResult, StopAutomationExecutionRequest,
    StopAutomationExecutionResult,
};
use std::io::{Write, stdout};

/// Stops an execution.
pub(crate) fn stop(options: &Stop) -> Result<bool, Failure> {
    let client = Client::new(&options.service.endpoint)?;
    let request = StopAutomationExecutionRequest {
        automation_execution_id: Some(options.id.clone()),
        kind: Some(if options.complete { "Complete" } else { "Cancel" }.to_owned()),
    };
    let _: StopAutomationExecutionResult = client.operation("StopAutomationExecution", &request)?;
    let end = if options.complete { "Success" } else { "Cancelled" };
    let id = cut(&options.id, usize::MAX);
    writeln!(stdout(), "Stopping {id}: it ends as {end} once its commands are cancelled.")?;
    Ok(true)
}

/// Signals an execution.
pub(crate) fn signal(options: &Signal) -> Result<bool, Failure> {
    let client = Client::new(&options.service.endpoint)?;
    let mut payload = Parameters::new();
    for (key, value) in [("Comment", &options.comment), ("StepName", &options.step)] {
        payload.extend(value.iter().map(|value| (key.to_owned(), vec![value.clone()])));
    }
    let (signal_type, done) = words(options.kind);
    let request = SendAutomationSignalRequest {
        automation_execution_id: Some(options.id.clone()),
        signal_type: Some(signal_type.to_owned()),
        payload: Some(payload).filter(|payload| !payload.is_empty()),
    };
    let _: SendAutomationSignalResult = client.operation("SendAutomationSignal", &request)?;
    let step = options.step.as_ref().map_or_else(String::new, |step| format!(" (step {})", cut(step, 128)));
    writeln!(stdout(), "{done} {}{step}.", cut(&options.id, usize::MAX))?;
    Ok(true)
}

/// A signal's type (SSM API reference, SendAutomationSignal), and what it did.
const fn words(kind: SignalKind) -> (&'static str, &'static str) {
    match kind {
        SignalKind::Approve => ("Approve", "Approved"),
        SignalKind::Reject => ("Reject", "Rejected"),
        SignalKind::Resume => ("Resume", "Resumed"),
        SignalKind::StartStep => ("StartStep", "Started the step of"),
        SignalKind::StopStep => ("StopStep", "Stopped the step of"),
    }
}
