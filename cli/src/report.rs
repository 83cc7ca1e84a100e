//! What an execution came to: its steps, its nodes, its outputs, and what it took.

use crate::args::Format;
use crate::failure::Failure;
use crate::price::Price;
use crate::rehearsal::Rehearsal;
use crate::snapshot::{self, Snapshot, StepSight};
use crate::tables;
use crate::trouble::{self, Trouble};
use fleetwright_fleet::Partition;
use fleetwright_local::{Cloud, Counters, dynamodb::Units};
use fleetwright_runbook::StepName;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Write, stdout};

/// Who calls to set the embedded cloud up, and is no part of Fleetwright.
const SET_UP: &str = "deploy";

/// An execution that is over, or was given up.
#[derive(Debug)]
pub(crate) struct Report {
    /// The runbook's name.
    pub(crate) runbook: String,
    /// Steps that were answered for, if they ran.
    pub(crate) answered: BTreeSet<StepName>,
    /// How many nodes the fleet has.
    pub(crate) nodes: u64,
    /// What chance was drawn from.
    pub(crate) seed: u64,
    /// Its status in SSM's words.
    pub(crate) status: String,
    /// Why it failed, or was given up.
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
    /// What that costs.
    pub(crate) price: Price,
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
    /// How long they took in virtual time, each rounded up as it is billed.
    pub(crate) milliseconds: u64,
    /// Messages that SNS delivered to a queue: to each topic's only one.
    pub(crate) notifications: u64,
    /// Events that EventBridge delivered to a queue.
    pub(crate) events: u64,
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
        usage.milliseconds = counters.functions.values().map(|count| count.milliseconds).sum();
        let delivered = |channel| counters.deliveries.get(channel).map_or(0, |count| count.delivered);
        usage.notifications = delivered("topic");
        usage.events = delivered("event");
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

/// Prints what an execution came to, after `ran` says whether it came to an end. Whether that was Success. Programs
/// are told of one that did not end as well; people read why not, and nothing else.
pub(crate) fn conclude(
    rehearsal: Rehearsal,
    ran: Result<(), Failure>,
    format: Format,
) -> Result<bool, Failure> {
    if let (Err(Failure::Unfinished(why)), Format::Json) = (&ran, format) {
        Report::of_unfinished(rehearsal, why)?.print(format)?;
        return ran.map(|()| false);
    }
    ran?;
    let report = Report::of(rehearsal)?;
    report.print(format)?;
    Ok(report.succeeded())
}

impl Report {
    /// Reads the result of an execution that is over.
    fn of(mut rehearsal: Rehearsal) -> Result<Self, Failure> {
        let usage = Usage::of(&rehearsal.counters());
        let steps = rehearsal.snapshot()?.steps;
        rehearsal.linger()?;
        let reported = reported(&rehearsal, &steps)?;
        let troubles = trouble::group(&rehearsal.troubled()?, &reported, &rehearsal.fleet);
        let execution = rehearsal.execution()?;
        Ok(Self {
            status: text(&execution["AutomationExecutionStatus"]).unwrap_or_default(),
            failure: text(&execution["FailureMessage"]),
            outputs: serde_json::from_value(execution["Outputs"].clone()).unwrap_or_default(),
            duration: between(
                seconds(&execution["ExecutionStartTime"]),
                seconds(&execution["ExecutionEndTime"]),
            ),
            nodes: u64::try_from(rehearsal.fleet.nodes().len()).unwrap_or(u64::MAX),
            answered: rehearsal.answered,
            runbook: rehearsal.runbook.name,
            seed: rehearsal.seed,
            price: Price::of(&usage, &steps),
            steps,
            troubles,
            usage,
        })
    }

    /// Reads how an execution stands that was given up. No time passes but what the question takes.
    fn of_unfinished(mut rehearsal: Rehearsal, why: &str) -> Result<Self, Failure> {
        let usage = Usage::of(&rehearsal.counters());
        let Snapshot { status, steps, .. } = rehearsal.snapshot()?;
        let now = rehearsal.look(Cloud::now);
        let execution = rehearsal.execution()?;
        Ok(Self {
            status,
            failure: Some(why.strip_prefix("error: ").unwrap_or(why).to_owned()),
            outputs: BTreeMap::new(),
            duration: between(seconds(&execution["ExecutionStartTime"]), now.as_duration().as_secs_f64()),
            nodes: u64::try_from(rehearsal.fleet.nodes().len()).unwrap_or(u64::MAX),
            answered: rehearsal.answered,
            runbook: rehearsal.runbook.name,
            seed: rehearsal.seed,
            price: Price::of(&usage, &steps),
            steps,
            troubles: Vec::new(),
            usage,
        })
    }

    /// Whether it ended as its runbook intends.
    pub(crate) fn succeeded(&self) -> bool {
        self.status == "Success"
    }

    /// Prints it.
    fn print(&self, format: Format) -> Result<(), Failure> {
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
            let mut json = json!({ "name": step.name, "action": step.action, "status": step.status.as_str(),
                "attempts": step.attempt, "next": step.next_step });
            if let Some(failure) = &step.failure_message {
                json["failure"] = json!(failure);
            }
            if let Some(round) = &step.parent {
                json["loop"] = json!({ "step": round.name, "iteration": round.iteration,
                    "value": round.iterator_value });
            }
            json
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
            "duration_s": seconds_of(self.duration),
            "fleet": self.steps.iter().filter_map(fleet).collect::<Vec<_>>(),
            "cost_usd": self.price,
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

/// A time as the API answers it: seconds since 1970.
fn seconds(at: &Value) -> f64 {
    at.as_f64().unwrap_or_default()
}

/// In seconds, of whole milliseconds.
fn seconds_of(duration: SignedDuration) -> f64 {
    duration.as_millis() as f64 / 1000.0
}

/// In whole milliseconds, as the table keeps times.
fn between(start: f64, end: f64) -> SignedDuration {
    let exact = SignedDuration::try_from_secs_f64(end - start).unwrap_or_default();
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
            ("api-control", "ssm:SendCommand", 2),
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
