//! A new execution.

use crate::looping::LOOPS_MAX;
use crate::room::lacks_room;
use crate::scope::Scope;
use crate::stored::with_stored;
use crate::{Document, Execution, ExecutionId, Observations, Phase, Place, Rejection};
use fleetwright_runbook::{Action, Runbook, StepName, Variable};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

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
    /// Steps that somebody answers for instead of their being performed: a rehearsal. Empty where deployed.
    pub answered: BTreeSet<StepName>,
    /// Values that Parameter Store gave for `{{ssm:name}}` defaults, by that name.
    pub stored: BTreeMap<String, String>,
    /// Whether its end is told to people.
    pub announced: bool,
}

/// Creates an execution that is about to open its first step.
///
/// # Errors
/// [`Rejection::Refused`] naming the parameters or the steps that stand in the way.
pub fn start(start: Start, runbook: &Runbook, now: Timestamp) -> Result<Execution, Rejection> {
    check_steps(runbook, &start.answered)?;
    let given = with_stored(runbook, start.parameters, &start.stored)?;
    let parameters = bind(runbook, &given)?;
    let mut execution = Execution {
        id: start.id,
        document: start.document,
        place: start.place,
        variables: BTreeMap::new(),
        parameters,
        outputs: BTreeMap::new(),
        document_outputs: BTreeMap::new(),
        phase: Phase::At(runbook.first().name.clone()),
        loops: Vec::new(),
        steps_begun: 0,
        stop: None,
        marked: None,
        live: BTreeMap::new(),
        unsettled: BTreeMap::new(),
        pending: BTreeMap::new(),
        started_at: now,
        executed_by: start.executed_by,
        tags: BTreeMap::new(),
        role: None,
        answered: start.answered,
        announced: start.announced,
        last_signal: None,
        wake_at: None,
    };
    execution.variables = variables(runbook, &execution, now);
    match lacks_room(&execution) {
        None => Ok(execution),
        Some(wrong) => Err(Rejection::Refused {
            code: "ValidationException",
            message: format!("the parameters and variables are {wrong}"),
        }),
    }
}

/// Every step can be executed here, or somebody answers for it; all that cannot is named at once.
fn check_steps(runbook: &Runbook, answered: &BTreeSet<StepName>) -> Result<(), Rejection> {
    let mut wrong = Vec::new();
    for step in runbook.all_steps() {
        let action = step.action.name();
        let label = format!("{}: step {}", step.position, step.name);
        if !step.action.is_runnable() && !answered.contains(&step.name) {
            wrong.push(format!("{label} has the action {action}, which cannot be executed here yet"));
        }
        // The loops around a loop; as many again as it is deep are closed in one commit.
        if matches!(step.action, Action::Loop(_)) && runbook.loops_around(&step.name).len() >= LOOPS_MAX {
            wrong.push(format!("{label} stands in {LOOPS_MAX} loops already"));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Rejection::Refused { code: "ValidationException", message: wrong.join("; ") })
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

/// A variable whose default refers to a parameter takes its value now; one without a value has none until it is set.
fn variables(runbook: &Runbook, execution: &Execution, now: Timestamp) -> BTreeMap<String, Value> {
    let nothing = Observations::default();
    let scope = Scope { execution, seen: &nothing, fresh: &[], now };
    let value = |variable: &Variable| {
        let default = variable.default.as_ref()?;
        let value = default.resolve(&|reference: &_| scope.look_up(reference)).ok()?;
        Some((variable.name.to_string(), value))
    };
    runbook.variables.iter().filter_map(value).collect()
}
