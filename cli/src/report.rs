//! What an execution came to: its steps, its nodes, its outputs, and what it took.

use crate::args::Format;
use crate::failure::Failure;
use crate::rehearsal::Rehearsal;
use crate::snapshot::{self, StepSight};
use crate::tables;
use crate::trouble::{self, Trouble};
use fleetwright_fleet::Partition;
use fleetwright_local::{Counters, dynamodb::Units};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Write, stdout};

/// Who calls to set the embedded cloud up, and is no part of Fleetwright.
const SET_UP: &str = "deploy";

/// An execution that is over.
#[derive(Debug)]
pub(crate) struct Report {
    /// The runbook's name.
    pub(crate) runbook: String,
    /// How many nodes the fleet has.
    pub(crate) nodes: u64,
    /// What chance was drawn from.
    pub(crate) seed: u64,
    /// Its status in SSM's words.
    pub(crate) status: String,
    /// Why it failed.
    pub(crate) failure: Option<String>,
    /// Its steps, in the order they began.
    pub(crate) steps: Vec<StepSight>,
    /// Nodes that did not succeed, those alike together.
    pub(crate) troubles: Vec<Trouble>,
    /// Document outputs.
    pub(crate) outputs: BTreeMap<String, Vec<String>>,
    /// How long it took, in virtual time.
    pub(crate) duration: SignedDuration,
    /// What it took.
    pub(crate) usage: Usage,
}

/// What an execution took: the calls of the functions from the start to the end, and those by which Lambda receives
/// from the queues in ten-message batches. Receives that find nothing, and reading the result, are not in it.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    /// Calls that reached their service, as `ssm.SendCommand`.
    pub(crate) calls: BTreeMap<String, u64>,
    /// DynamoDB's capacity.
    pub(crate) units: Units,
    /// Invocations by function.
    pub(crate) invocations: BTreeMap<String, u64>,
}

impl Usage {
    fn of(counters: &Counters) -> Self {
        let mut usage = Self::default();
        for (_, actions) in counters.calls.iter().filter(|(caller, _)| *caller != SET_UP) {
            for (action, count) in actions.iter().filter(|(_, count)| count.applied > 0) {
                *usage.calls.entry(action.replacen(':', ".", 1)).or_default() += count.applied;
            }
        }
        for (_, operations) in counters.capacity.iter().filter(|(caller, _)| *caller != SET_UP) {
            for units in operations.values() {
                usage.units.read += units.read;
                usage.units.write += units.write;
            }
        }
        let invocations = counters.functions.iter().map(|(name, count)| (name.clone(), count.invocations));
        usage.invocations = invocations.collect();
        usage
    }

    /// Calls of one service by operation, the most frequent first.
    pub(crate) fn of_service(&self, service: &str) -> Vec<(&str, u64)> {
        let operation =
            |name: &'_ str| name.strip_prefix(service).and_then(|rest| rest.strip_prefix('.')).is_some();
        let calls = self.calls.iter().filter(|(name, _)| operation(name));
        let mut calls: Vec<_> = calls.map(|(name, count)| (&name[service.len() + 1..], *count)).collect();
        calls.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        calls
    }

    /// All calls of one service.
    pub(crate) fn total(&self, service: &str) -> u64 {
        self.of_service(service).iter().map(|(_, count)| count).sum()
    }
}

impl Report {
    /// Reads the result of an execution that is over.
    pub(crate) fn of(mut rehearsal: Rehearsal) -> Result<Self, Failure> {
        let usage = Usage::of(&rehearsal.counters());
        let steps = rehearsal.snapshot()?.steps;
        rehearsal.linger()?;
        let reported = reported(&rehearsal, &steps)?;
        let summary = rehearsal.summary()?;
        let troubles = trouble::group(&summary, &reported, &rehearsal.fleet)?;
        let execution = rehearsal.execution()?;
        Ok(Self {
            status: text(&execution["AutomationExecutionStatus"]).unwrap_or_default(),
            failure: text(&execution["FailureMessage"]),
            outputs: serde_json::from_value(execution["Outputs"].clone()).unwrap_or_default(),
            duration: duration(&execution),
            nodes: u64::try_from(rehearsal.fleet.nodes().len()).unwrap_or(u64::MAX),
            runbook: rehearsal.runbook,
            seed: rehearsal.seed,
            steps,
            troubles,
            usage,
        })
    }

    /// Whether it ended as its runbook intends.
    pub(crate) fn succeeded(&self) -> bool {
        self.status == "Success"
    }

    /// Prints it.
    pub(crate) fn print(&self, format: Format) -> Result<(), Failure> {
        let text = match format {
            Format::Text => tables::page(self),
            Format::Json => format!("{:#}\n", self.json()),
        };
        let mut out = stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    fn json(&self) -> Value {
        let step = |sight: &StepSight| {
            let step = &sight.step;
            json!({ "name": step.name, "action": step.action, "status": step.status.as_str(),
                "attempts": step.attempt, "next": step.next_step })
        };
        let fleet = |sight: &StepSight| {
            let counts = sight.counts?;
            Some(json!({ "step": sight.step.name, "targets": counts.total(), "success": counts.success,
                "failed": counts.failed, "timed_out": counts.timed_out, "unknown": counts.unknown,
                "not_run": counts.not_run }))
        };
        let mut json = json!({
            "status": self.status,
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
            "outputs": self.outputs,
            "duration_s": self.duration.as_secs_f64(),
            "fleet": self.steps.iter().filter_map(fleet).collect::<Vec<_>>(),
            "api_calls": self.usage.calls,
            "dynamodb": { "requests": self.usage.total("dynamodb"), "read_units": self.usage.units.read,
                "write_units": self.usage.units.write },
        });
        if let Some(failure) = &self.failure {
            json["failure"] = json!(failure);
        }
        json
    }
}

/// Which nodes succeeded, by step: of the steps where reports tell of all of them.
fn reported(rehearsal: &Rehearsal, steps: &[StepSight]) -> Result<BTreeMap<String, Partition>, Failure> {
    let mut reported = BTreeMap::new();
    for sight in steps {
        let Some(counts) = sight.counts else { continue };
        let partition = rehearsal.look(|cloud| snapshot::reported(cloud, &sight.step))?;
        if partition.counts().success >= counts.success {
            reported.insert(sight.step.name.to_string(), partition);
        }
    }
    Ok(reported)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// From the start to the end, in whole milliseconds as the table keeps them.
fn duration(execution: &Value) -> SignedDuration {
    let at = |member: &str| execution[member].as_f64().unwrap_or_default();
    let seconds = at("ExecutionEndTime") - at("ExecutionStartTime");
    let exact = SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
    exact.round(jiff::SignedDurationRound::new().smallest(jiff::Unit::Millisecond)).unwrap_or(exact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleetwright_local::counters::CallCount;

    #[test]
    fn the_set_up_is_no_part_of_what_an_execution_took() {
        let mut counters = Counters::default();
        for (caller, action, applied) in [
            ("deploy", "dynamodb:CreateTable", 1),
            ("api", "ssm:SendCommand", 2),
            ("reconcile", "ssm:SendCommand", 1),
            ("reconcile", "ssm:ListCommands", 4),
        ] {
            let count = CallCount { applied, ..CallCount::default() };
            counters.calls.entry(caller.to_owned()).or_default().insert(action.to_owned(), count);
        }
        let usage = Usage::of(&counters);
        assert_eq!(usage.of_service("ssm"), [("ListCommands", 4), ("SendCommand", 3)]);
        assert_eq!(usage.total("dynamodb"), 0);
    }
}
