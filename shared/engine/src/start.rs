//! A new execution.

use crate::{Document, Execution, ExecutionId, Phase, Place, Rejection};
use fleetwright_runbook::{Action, Runbook};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an execution is started with, beside its runbook.
#[derive(Debug, Clone)]
pub struct Start {
    /// Its id.
    pub id: ExecutionId,
    /// Which runbook.
    pub document: Document,
    /// Where it runs.
    pub place: Place,
    /// Parameters as the API passes them: lists of text.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// The caller.
    pub executed_by: String,
    /// Whether its end is told to people.
    pub announced: bool,
}

/// Creates an execution that is about to open its first step.
///
/// # Errors
/// [`Rejection::Refused`] naming the parameter or the step that stands in the way.
pub fn start(start: Start, runbook: &Runbook, now: Timestamp) -> Result<Execution, Rejection> {
    let executed =
        |action: &Action| matches!(action, Action::RunCommand(_) | Action::Branch(_) | Action::Sleep(_));
    if let Some(step) = runbook.all_steps().into_iter().find(|step| !executed(&step.action)) {
        return Err(Rejection::Refused {
            code: "ValidationException",
            message: format!(
                "{}: step {} has the action {}, which cannot be executed here yet",
                step.position,
                step.name,
                step.action.name()
            ),
        });
    }
    let parameters = bind(runbook, &start.parameters)?;
    let first = runbook.first();
    Ok(Execution {
        id: start.id,
        document: start.document,
        place: start.place,
        variables: variables(runbook),
        parameters,
        outputs: BTreeMap::new(),
        document_outputs: BTreeMap::new(),
        phase: Phase::At(first.name.clone()),
        steps_begun: 0,
        stop: None,
        marked: None,
        live: BTreeMap::new(),
        unsettled: BTreeMap::new(),
        pending: BTreeMap::new(),
        started_at: now,
        executed_by: start.executed_by,
        announced: start.announced,
        wake_at: None,
    })
}

fn bind(
    runbook: &Runbook,
    given: &BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<String, Value>, Rejection> {
    fleetwright_runbook::bind(runbook, given).map_err(|errors| Rejection::Refused {
        code: "InvalidAutomationExecutionParametersException",
        message: errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    })
}

fn variables(runbook: &Runbook) -> BTreeMap<String, Value> {
    let literal = |variable: &fleetwright_runbook::Variable| {
        let value = variable.default.as_ref().and_then(fleetwright_runbook::Template::literal)?;
        Some((variable.name.to_string(), value))
    };
    runbook.variables.iter().filter_map(literal).collect()
}
