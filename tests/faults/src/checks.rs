//! What must be true when everything has ended, against the books of the simulated SSM, which no code under test sees.

use crate::item::{document, is_over, number, sends, text, texts, token_of};
use crate::run::Stage;
use crate::said::{Said, said};
use crate::truth::truth_of_step;
use crate::violation::{Invariant, Violation};
use crate::weather::{PEOPLE, SentMessage};
use crate::workload::Workload;
use fleetwright_local::SimulationError;
use fleetwright_local::names::queue_url;
use fleetwright_local::protocol::{Request, Service};
use fleetwright_local::ssm::Ledger;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What reconcile may take to find that something is over.
const RECONCILED_AFTER: SignedDuration = SignedDuration::from_mins(15);

/// Clocks of hosts may be off by ten seconds each way.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(20);

/// What was found wrong.
struct Findings<'a> {
    stage: &'a mut Stage,
    found: Vec<Violation>,
}

impl Findings<'_> {
    fn wrong(&mut self, invariant: Invariant, what: String) {
        let at = self.stage.deployment.simulation.now();
        self.found.push(Violation { invariant, at, what });
    }
}

/// Holds everything that must be true at the end.
pub(crate) fn at_the_end(stage: &mut Stage, workload: &Workload) -> Vec<Violation> {
    let mut findings = Findings { stage, found: Vec::new() };
    let items = findings.stage.items();
    findings.nothing_forbidden();
    findings.everything_is_over(&items);
    findings.one_command_a_send(&items, workload);
    findings.cancels_are_true(&items);
    findings.stops_stand(&items);
    findings.every_command_is_known(&items, workload);
    findings.every_end_is_announced(workload);
    findings.nothing_is_lost(&items);
    findings.shown_is_true(&items, workload);
    findings.within_budget();
    findings.found
}

/// With every message lost, reconcile ends an execution a quarter of an hour after its last command's ExpiresAfter or its
/// last step's deadline, at the latest.
pub(crate) fn in_time(stage: &mut Stage) -> Vec<Violation> {
    let items = stage.items();
    let mut findings = Findings { stage, found: Vec::new() };
    let moment = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    for id in findings.stage.ids() {
        let own = format!("EXEC#{id}");
        let mut latest = findings.stage.began;
        let mut ended = None;
        for item in &items {
            let body = document(item, "body");
            match (text(item, "pk") == Some(&own), text(item, "sk").unwrap_or_default()) {
                (true, "EXEC") => ended = moment(&body["phase"]["Ended"]["at"]),
                (true, sk) if sk.starts_with("STEP#") => {
                    // What has neither a deadline nor commands ends when it does: a sleep, a branch.
                    let is_instant =
                        !["aws:runCommand", "aws:loop"].contains(&body["action"].as_str().unwrap_or(""));
                    let own = || moment(&body["ended_at"]).filter(|_| is_instant);
                    let due = moment(&body["deadline"]).or_else(own);
                    latest = latest.max(due.unwrap_or(latest));
                }
                _ if text(item, "owner_execution") == Some(&id) => {
                    let ms = number(item, "expires_after").and_then(|ms| i64::try_from(ms).ok());
                    let expires = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
                    latest = latest.max(expires.unwrap_or(latest));
                }
                _ => {}
            }
        }
        if ended.is_none_or(|ended| ended > latest + RECONCILED_AFTER) {
            let what = format!("{id} ended at {ended:?}, and its last wait was over at {latest}");
            findings.wrong(Invariant::EverythingEnds, what);
        }
    }
    findings.found
}

/// Every message comes once more, in another order: nothing changes but what is only a note of when.
pub(crate) fn after_a_replay(stage: &mut Stage) -> Result<Vec<Violation>, SimulationError> {
    let before = lasting(stage.items());
    let now = stage.deployment.simulation.now();
    // What is in a dead-letter queue would come for the first time.
    let dead = stage.dead_letters();
    for message in stage.weather.arrived(now).iter().rev() {
        if !is_ours(message) || dead.contains(&message.body) {
            continue;
        }
        let body = json!({ "QueueUrl": queue_url(&message.queue), "MessageBody": message.body });
        let request = Request { service: Service::Sqs, operation: "SendMessage".to_owned(), body };
        stage.deployment.simulation.cloud().handle("somebody", &request);
    }
    stage.deployment.simulation.run_until(|_| false, Duration::from_mins(5))?;
    let after = lasting(stage.items());
    let mut findings = Findings { stage, found: Vec::new() };
    for (key, item) in &after {
        let was = before.get(key);
        if was != Some(item) {
            let changed: Vec<&String> = item
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, value)| was.is_none_or(|was| was[name.as_str()] != **value))
                .map(|(name, _)| name)
                .collect();
            findings.wrong(Invariant::RepetitionChangesNothing, format!("{key:?}: {changed:?} changed"));
        }
    }
    Ok(findings.found)
}

/// Items of executions and commands by key, without when something was last heard or looked at. What was reported of a
/// command may stand in its own item or in its chunks: it is put together.
fn lasting(items: Vec<Value>) -> BTreeMap<(String, String), Value> {
    const NOTES: [&str; 4] = ["last_fact_at", "due_at", "due_shard", "expires"];
    let mut lasting: BTreeMap<(String, String), Value> = BTreeMap::new();
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

/// Commands beyond the first of each mark.
pub(crate) fn duplicates(ledger: &Ledger) -> u64 {
    let marks: BTreeSet<&str> =
        ledger.commands().iter().filter_map(|command| token_of(&command.comment)).collect();
    u64::try_from(ledger.commands().len() - marks.len()).unwrap_or(0)
}

impl Findings<'_> {
    fn nothing_forbidden(&mut self) {
        let violations = self.stage.deployment.simulation.cloud().violations.clone();
        for violation in violations {
            self.wrong(Invariant::Permitted, format!("{violation:?}"));
        }
    }

    fn everything_is_over(&mut self, items: &[Value]) {
        for item in items {
            let (pk, sk) = (text(item, "pk").unwrap_or_default(), text(item, "sk").unwrap_or_default());
            if !pk.starts_with("EXEC#") {
                continue;
            }
            if (sk == "EXEC" || sk.starts_with("STEP#")) && !is_over(item) {
                self.wrong(Invariant::EverythingEnds, format!("{pk} {sk} is {:?}", text(item, "status")));
            }
            if sk.starts_with("SEND#") && text(item, "state") != Some("ended") {
                self.wrong(Invariant::EverythingEnds, format!("{pk} {sk} is {:?}", text(item, "state")));
            }
        }
    }

    /// At most one command a send; what is more, where SSM hid one for long, is reported and runs no longer.
    fn one_command_a_send(&mut self, items: &[Value], workload: &Workload) {
        let sends: BTreeMap<&str, &Value> = sends(items).collect();
        let commands = self.stage.deployment.simulation.cloud().ssm.ledger().commands().to_vec();
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for command in &commands {
            let Some(token) = token_of(&command.comment) else {
                self.wrong(Invariant::OneCommandASend, format!("{} bears no mark", command.command_id));
                continue;
            };
            let first = seen.insert(token, &command.command_id);
            let Some(send) = sends.get(token) else {
                if let Some(first) = first {
                    let what = format!("one request, two commands: {first} and {}", command.command_id);
                    self.wrong(Invariant::OneCommandASend, what);
                }
                continue;
            };
            let id: &str = &command.command_id;
            if text(send, "command_id") == Some(id) {
                continue;
            }
            if text(send, "command_id").is_none() && document_end(send) == "Unknown" && first.is_none() {
                // Nobody ever saw it: SSM hid it for longer than the last look.
                if !workload.hides_for_long {
                    self.wrong(Invariant::OneCommandASend, format!("{id} of {token} was never found"));
                }
                continue;
            }
            if !workload.hides_for_long {
                self.wrong(Invariant::OneCommandASend, format!("{id} is one too many for {token}"));
            } else if !texts(send, "extra_commands").contains(id) {
                self.wrong(
                    Invariant::OneCommandASend,
                    format!("{id} of {token} is one too many and not reported"),
                );
            } else if command.ended_at.is_none() {
                self.wrong(
                    Invariant::OneCommandASend,
                    format!("{id} of {token} is one too many and runs on"),
                );
            }
        }
    }

    /// A send that says its command's cancel was accepted is right, unless there was nothing left to cancel.
    fn cancels_are_true(&mut self, items: &[Value]) {
        for (token, send) in sends(items) {
            let Some(id) = text(send, "command_id") else { continue };
            let ms = number(send, "cancelled_at").and_then(|ms| i64::try_from(ms).ok());
            let Some(at) = ms.and_then(|ms| Timestamp::from_millisecond(ms).ok()) else { continue };
            let is_true = {
                let cloud = self.stage.deployment.simulation.cloud();
                cloud.ssm.ledger().command(id).is_some_and(|command| {
                    let was_over = command.ended_at.is_some_and(|ended| ended < at + CLOCKS_DIFFER);
                    command.cancelled_at.is_some() || was_over
                })
            };
            if !is_true {
                self.wrong(Invariant::StopMeansStop, format!("{id} of {token} was never cancelled"));
            }
        }
    }

    /// A stop that was answered stands, unless the execution had ended before.
    fn stops_stand(&mut self, items: &[Value]) {
        for (id, answered_at) in self.stage.stopped() {
            let own = format!("EXEC#{id}");
            let head =
                items.iter().find(|item| text(item, "pk") == Some(&own) && text(item, "sk") == Some("EXEC"));
            let body = head.map(|head| document(head, "body")).unwrap_or_default();
            let ended: Option<Timestamp> =
                body["phase"]["Ended"]["at"].as_str().and_then(|text| text.parse().ok());
            let before = ended.is_some_and(|ended| ended < answered_at + CLOCKS_DIFFER);
            if body["stop"].is_null() && !before {
                self.wrong(Invariant::StopMeansStop, format!("{id} was stopped, and does not know"));
            }
        }
    }

    /// Every command has its place in the lists; but one that SSM hid from everybody who looked.
    fn every_command_is_known(&mut self, items: &[Value], workload: &Workload) {
        let known: BTreeSet<&str> = items
            .iter()
            .filter(|item| text(item, "sk") == Some("CMD") && !item["recent_at"].is_null())
            .filter_map(|item| text(item, "pk")?.strip_prefix("CMD#"))
            .collect();
        let commands = self.stage.deployment.simulation.cloud().ssm.ledger().commands().to_vec();
        for command in commands {
            if !known.contains(&*command.command_id) && !workload.hides_for_long {
                let what = format!("{} is in no list", command.command_id);
                self.wrong(Invariant::ShownIsTrue, what);
            }
        }
    }

    /// Whoever is to be told of ends is told of each.
    fn every_end_is_announced(&mut self, workload: &Workload) {
        if !workload.announce {
            return;
        }
        let told = self.stage.deployment.collected(PEOPLE);
        for id in self.stage.ids() {
            if !told.iter().any(|message| message.contains(&id)) {
                self.wrong(Invariant::NothingAcceptedIsLost, format!("the end of {id} was told nobody"));
            }
        }
    }

    /// Every fact that reached a queue is in the table, or its message in a dead-letter queue.
    fn nothing_is_lost(&mut self, items: &[Value]) {
        let dead = self.stage.dead_letters();
        // A storm is over before a message has come for the fifth time: only what nobody can read is put aside.
        for body in &dead {
            let message = SentMessage { queue: String::new(), body: body.clone(), arrives_at: None };
            if !matches!(said(&message), Said::Poison) {
                self.wrong(
                    Invariant::NothingAcceptedIsLost,
                    format!("{body} was put aside, and can be read"),
                );
            }
        }
        let mut stored: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for item in items {
            if let Some(id) = text(item, "pk").and_then(|pk| pk.strip_prefix("CMD#")) {
                stored.entry(id.split('#').next().unwrap_or(id)).or_default().push(item);
            }
        }
        let now = self.stage.deployment.simulation.now();
        for message in self.stage.weather.arrived(now) {
            if !is_ours(&message) || dead.contains(&message.body) {
                continue;
            }
            match said(&message) {
                Said::Node { command, node, status } => {
                    let items = stored.get(command.as_str()).map(Vec::as_slice).unwrap_or_default();
                    let is_stored = items.iter().any(|item| {
                        let sets = item.as_object().into_iter().flatten();
                        sets.filter(|(name, _)| name.starts_with("nodes_"))
                            .any(|(name, _)| texts(item, name).contains(node.as_str()))
                    });
                    if !is_stored {
                        let what = format!("{status} of {node} in {command} was accepted and is not stored");
                        self.wrong(Invariant::NothingAcceptedIsLost, what);
                    }
                }
                Said::Command { command } => {
                    if !stored.contains_key(command.as_str()) {
                        let what = format!("the end of {command} was accepted and is not stored");
                        self.wrong(Invariant::NothingAcceptedIsLost, what);
                    }
                }
                Said::Nothing => {}
                Said::Poison => {
                    let what = format!("{} was acknowledged, and nobody can read it", message.body);
                    self.wrong(Invariant::NothingAcceptedIsLost, what);
                }
            }
        }
    }

    /// What the results API shows equals what SSM's own books say, node by node.
    fn shown_is_true(&mut self, items: &[Value], workload: &Workload) {
        for id in self.stage.ids() {
            let own = format!("EXEC#{id}");
            let of_execution: Vec<Value> =
                items.iter().filter(|item| text(item, "pk") == Some(&own)).cloned().collect();
            if let Err(error) = self.execution_is_true(&id, &of_execution, workload) {
                self.wrong(Invariant::ShownIsTrue, format!("{id}: {error}"));
            }
        }
    }

    fn execution_is_true(&mut self, id: &str, items: &[Value], workload: &Workload) -> Result<(), String> {
        let summary = self.get(&format!("/executions/{id}/summary"))?;
        for step in summary["Steps"].as_array().ok_or("no steps")? {
            let ordinal = step["Ordinal"].as_u64().ok_or("no ordinal")?;
            let shown = self.shown(id, ordinal)?;
            let truth = {
                let cloud = self.stage.deployment.simulation.cloud();
                truth_of_step(items, ordinal, cloud.ssm.ledger())?
            };
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            for (node, outcome) in &truth {
                // SSM may count a node and never name it.
                let nameless = workload.hides_for_long
                    || (workload.ssm.cancelled_hides_unstarted && *outcome != "Success");
                let is_unnamed = nameless && !shown.contains_key(node);
                let shown = shown.get(node).map_or("Success", String::as_str);
                *counts.entry(if is_unnamed { "Unknown" } else { shown }).or_default() += 1;
                // Of what SSM hid for longer than it was asked, or forgot, nothing better can be said than this.
                let unseen = is_unnamed || (shown == "Unknown" && nameless);
                if shown != *outcome && !unseen {
                    self.wrong(
                        Invariant::ShownIsTrue,
                        format!("{id} step {ordinal}, {node}: shown {shown}, in truth {outcome}"),
                    );
                }
            }
            for (node, outcome) in shown.iter().filter(|(node, _)| !truth.contains_key(*node)) {
                *counts.entry(outcome).or_default() += 1;
                if outcome != "NotRun" && outcome != "Unknown" {
                    let what = format!("{id} step {ordinal}, {node}: {outcome}, and no command ran there");
                    self.wrong(Invariant::ShownIsTrue, what);
                }
            }
            if has_late_reports(items, ordinal) || workload.hides_for_long {
                continue;
            }
            for outcome in ["Success", "Failed", "TimedOut", "Unknown", "NotRun"] {
                let counted = counts.get(outcome).copied().unwrap_or(0);
                if step["Counts"][outcome] != counted {
                    let what = format!(
                        "{id} step {ordinal}: {} {outcome}, and {counted} nodes",
                        step["Counts"][outcome]
                    );
                    self.wrong(Invariant::ShownIsTrue, what);
                }
            }
        }
        Ok(())
    }

    /// Nodes of a step that are not Success, with their outcomes.
    fn shown(&mut self, id: &str, ordinal: u64) -> Result<BTreeMap<String, String>, String> {
        let path = format!("/executions/{id}/nodes?status=NotSuccess&step={ordinal}&limit=1000");
        let page = self.get(&path)?;
        let nodes = page["Nodes"].as_array().ok_or("no nodes")?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(nodes.iter().map(|node| (text(&node["InstanceId"]), text(&node["Outcome"]))).collect())
    }

    fn get(&mut self, path: &str) -> Result<Value, String> {
        self.stage.deployment.get(path).map_err(|error| format!("{path}: {error}"))
    }

    /// Nobody calls in circles: what is asked of SSM is bounded by commands and by time.
    fn within_budget(&mut self) {
        let (calls, commands) = {
            let cloud = self.stage.deployment.simulation.cloud();
            let calls: u64 = cloud
                .counters
                .calls
                .values()
                .flat_map(|actions| actions.iter())
                .filter(|(action, _)| action.starts_with("ssm:"))
                .map(|(_, count)| count.applied + count.lost)
                .sum();
            (calls, u64::try_from(cloud.ssm.ledger().commands().len()).unwrap_or(0))
        };
        let passed = self.stage.deployment.simulation.now().duration_since(self.stage.began);
        let minutes = u64::try_from(passed.as_mins()).unwrap_or(0);
        if calls > 50 + 30 * commands + 20 * minutes {
            let what = format!("{calls} calls to SSM for {commands} commands in {minutes} minutes");
            self.wrong(Invariant::WithinBudget, what);
        }
    }
}

fn is_ours(message: &SentMessage) -> bool {
    message.queue == "facts" || message.queue == "prompt"
}

fn document_end(send: &Value) -> String {
    text(send, "end").unwrap_or_default().trim_matches('"').to_owned()
}

/// Whether SSM said more of a step after it was closed: its counts are of then, and the step says so.
fn has_late_reports(items: &[Value], step: u64) -> bool {
    let key = format!("STEP#{step:06}");
    let closed = items.iter().find(|item| text(item, "sk") == Some(&key));
    closed.is_some_and(|item| !texts(item, "contradicted_by").is_empty())
}
