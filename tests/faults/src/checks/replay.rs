//! Everything comes once more, days after all is over.

use super::Findings;
use crate::item::{text, texts};
use crate::run::Stage;
use crate::said::{Said, said};
use crate::violation::{Invariant, Violation};
use crate::workload::Workload;
use fleetwright_local::SimulationError;
use fleetwright_local::names::queue_url;
use fleetwright_local::protocol::{Request, Service};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// An item by its keys.
type Lasting = BTreeMap<(String, String), Value>;

/// Every message comes once more, so many days later and in another order: nothing changes but what is only a note of
/// when.
pub(crate) fn after_a_replay(
    stage: &mut Stage,
    workload: &Workload,
    days: u32,
) -> Result<Vec<Violation>, SimulationError> {
    pass_days(stage, days)?;
    // SSM may have said something at last.
    let before = lasting(stage.items());
    // What was lost, or is in a dead-letter queue, would come for the first time.
    let came = stage.weather.messages().into_iter().filter(|message| message.copies > 0);
    for message in came.rev().filter(|message| !matches!(said(&message.body), Said::Poison)) {
        let body = json!({ "QueueUrl": queue_url(&message.queue), "MessageBody": message.body });
        let request = Request { service: Service::Sqs, operation: "SendMessage".to_owned(), body };
        stage.deployment.simulation.cloud().handle("somebody", &request);
    }
    stage.deployment.simulation.run_until(|_| false, Duration::from_mins(5))?;
    let after = lasting(stage.items());
    let mut findings = Findings { stage, workload, found: Vec::new() };
    let nothing = json!({});
    for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
        let (was, is) = (before.get(key).unwrap_or(&nothing), after.get(key).unwrap_or(&nothing));
        let names =
            |item: &Value| item.as_object().into_iter().flat_map(|item| item.keys().cloned()).collect();
        let names: BTreeSet<String> = BTreeSet::union(&names(was), &names(is)).cloned().collect();
        let changed: Vec<String> = names.into_iter().filter(|name| was[name] != is[name]).collect();
        if !changed.is_empty() {
            findings.wrong(Invariant::RepetitionChangesNothing, format!("{key:?}: {changed:?} changed"));
        }
    }
    Ok(findings.found)
}

/// Days in which nothing is due: the schedule need not fire.
fn pass_days(stage: &mut Stage, days: u32) -> Result<(), SimulationError> {
    let switch = |stage: &Stage, operation: &str| {
        let (operation, body) = (operation.to_owned(), json!({ "Name": "every-minute" }));
        let request = Request { service: Service::EventBridge, operation, body };
        stage.deployment.simulation.cloud().handle("somebody", &request);
    };
    // What is heard late has an hour to come to rest.
    stage.deployment.simulation.run_until(|_| false, Duration::from_hours(1))?;
    switch(stage, "DisableRule");
    let simulation = &mut stage.deployment.simulation;
    let clock = simulation.clock();
    let days = Duration::from_hours(24) * days;
    // Somebody who waits: where nothing is to come, no time passes.
    drop(simulation.spawn(async move { clock.sleep(days).await }));
    simulation.run_until(|_| false, days)?;
    switch(stage, "EnableRule");
    Ok(())
}

/// Items of executions and commands by key, without when something was last heard or looked at. What was reported of a
/// command may stand in its own item or in its chunks: it is put together.
fn lasting(items: Vec<Value>) -> Lasting {
    const NOTES: [&str; 4] = ["last_fact_at", "due_at", "due_shard", "expires"];
    let mut lasting = Lasting::new();
    for mut item in items {
        let key = |name| text(&item, name).unwrap_or_default().to_owned();
        let (mut pk, sk) = (key("pk"), key("sk"));
        if !(pk.starts_with("EXEC#") || pk.starts_with("CMD#")) {
            continue;
        }
        if let Some(members) = item.as_object_mut() {
            members.retain(|name, _| !NOTES.contains(&name.as_str()));
        }
        if sk == "CMD" && pk.matches('#').count() > 1 {
            pk.truncate(pk.rfind('#').unwrap_or(pk.len()));
        }
        let whole = lasting.entry((pk, sk)).or_insert_with(|| json!({}));
        for (name, value) in item.as_object().into_iter().flatten() {
            if !name.starts_with("nodes_") {
                if name != "pk" {
                    whole[name] = value.clone();
                }
                continue;
            }
            let union: BTreeSet<String> =
                texts(whole, name).union(&texts(&item, name)).map(|node| (*node).to_owned()).collect();
            whole[name] = json!({ "SS": union });
        }
    }
    lasting
}
