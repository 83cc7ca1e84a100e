//! Holds, after every single write and every command, what must be true at any moment.

use crate::Sometimes;
use crate::checks::was_hidden;
use crate::item::{document, is_over, number, text, texts, token_of};
use crate::violation::{Invariant, Violation};
use fleetwright_local::protocol::{Request, Service};
use fleetwright_local::ssm::CommandStatus;
use fleetwright_local::{Applied, Call, TABLE, Witness};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who looks on in a run, shared with whoever runs it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Onlooker(Arc<Mutex<Seen>>);

/// Partition and sort key.
type Key = (String, String);

/// What was seen so far.
#[derive(Debug, Default)]
struct Seen {
    /// Items of executions and commands as they stood after the last write to them.
    items: BTreeMap<Key, Value>,
    /// Where each send is.
    sends: BTreeMap<String, Key>,
    /// When items are due, in milliseconds since 1970.
    due: BTreeMap<Key, u64>,
    /// SendCommand calls that left, by token.
    calls: BTreeMap<String, u64>,
    /// The same of all requests to send a command that no execution makes, and how often these were begun.
    request_calls: u64,
    requests: BTreeMap<String, u64>,
    violations: Vec<Violation>,
    sometimes: Sometimes,
}

impl Onlooker {
    /// What was wrong.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.lock().violations.clone()
    }

    /// Whether a tick of reconcile now would find anything to do.
    pub(crate) fn is_anything_due(&self, now: Timestamp) -> bool {
        let now = u64::try_from(now.as_millisecond()).unwrap_or(u64::MAX);
        self.lock().due.values().any(|due| *due <= now)
    }

    /// SendCommand leaves its caller.
    pub(crate) fn send_leaves(&self, call: &Call<'_>) {
        let mut seen = self.lock();
        if let Some(what) = seen.begun(call.body) {
            seen.violations.push(Violation { invariant: Invariant::OneCommandASend, at: call.now, what });
        }
    }

    /// What happened.
    pub(crate) fn sometimes(&self) -> Sometimes {
        self.lock().sometimes.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Onlooker {
    fn on_applied(&mut self, applied: &Applied<'_>) {
        let mut seen = self.lock();
        let succeeded = applied.answer.status == 200;
        match (applied.request.service, applied.request.operation.as_str()) {
            (Service::DynamoDb, _) if succeeded => seen.written(applied),
            (Service::Ssm, "SendCommand") if succeeded => seen.sent(applied),
            (Service::Ssm, operation) if succeeded => seen.sometimes.count(match operation {
                "CancelCommand" => "a command cancelled",
                "ListCommands" => "SSM asked for commands",
                "ListCommandInvocations" => "SSM asked for invocations",
                _ => "SSM asked for something else",
            }),
            (Service::Sqs, "SendMessage") if succeeded => seen.sometimes.count("a wake sent"),
            _ => {}
        }
    }
}

impl Seen {
    fn wrong(&mut self, applied: &Applied<'_>, invariant: Invariant, what: String) {
        self.violations.push(Violation { invariant, at: applied.at, what });
    }

    fn written(&mut self, applied: &Applied<'_>) {
        let keys = keys(applied.request);
        let mut now = Vec::new();
        for (pk, sk) in keys {
            let is_held = pk.starts_with("EXEC#") || pk.starts_with("CMD#");
            if !(is_held || pk.starts_with("DIRECT#")) {
                continue;
            }
            if let Ok(Some(item)) = applied.dynamodb.item(TABLE, &pk, &sk) {
                match number(&item, "due_at") {
                    Some(due) => drop(self.due.insert((pk.clone(), sk.clone()), due)),
                    None => drop(self.due.remove(&(pk.clone(), sk.clone()))),
                }
                if is_held {
                    now.push(((pk, sk), item));
                } else {
                    self.requests.insert(pk, number(&item, "tries").unwrap_or(0));
                }
            }
        }
        // Sends are held against the execution as it is after the same commit.
        let execution = now.iter().find(|((_, sk), _)| sk == "EXEC").map(|(_, item)| item.clone());
        for ((pk, sk), item) in &now {
            let before = self.items.get(&(pk.clone(), sk.clone())).cloned();
            let before = before.as_ref();
            if sk == "EXEC" {
                self.execution(applied, pk, before, item);
            } else if sk.starts_with("STEP#") {
                self.step(applied, pk, before, item);
            } else if let Some(token) = sk.strip_prefix("SEND#") {
                self.sends.insert(token.to_owned(), (pk.clone(), sk.clone()));
                let own = (pk.clone(), "EXEC".to_owned());
                let execution = execution.clone().or_else(|| self.items.get(&own).cloned());
                let steps: Vec<Value> = now
                    .iter()
                    .filter(|((other, step), _)| other == pk && step.starts_with("STEP#"))
                    .map(|(_, item)| item.clone())
                    .collect();
                self.send(
                    applied,
                    &Place { pk, token, execution: execution.as_ref(), steps: &steps },
                    before,
                    item,
                );
            } else if pk.starts_with("CMD#") && !sk.starts_with("RES#") && sk != "DESC" {
                self.command(applied, pk, before, item);
            }
        }
        self.items.extend(now);
    }

    fn execution(&mut self, applied: &Applied<'_>, pk: &str, before: Option<&Value>, now: &Value) {
        let was_parked = before.is_some_and(|before| text(before, "parked").is_some());
        if let Some(reason) = text(now, "parked").filter(|_| !was_parked) {
            self.wrong(applied, Invariant::Sound, format!("{pk} is set aside: {reason}"));
        }
        let Some(before) = before else {
            self.sometimes.count("an execution started");
            return;
        };
        if number(now, "version") < number(before, "version") {
            self.wrong(applied, Invariant::NoWayBack, format!("the version of {pk} goes back"));
        }
        let (was, is) = (text(before, "status"), text(now, "status"));
        if is_over(before) && was != is {
            self.wrong(applied, Invariant::NoWayBack, format!("{pk} was {was:?} and is {is:?}"));
        }
        if number(now, "version") != number(before, "version") {
            let (had, has) = (document(before, "body"), document(now, "body"));
            let stop = |body: &Value| (body["stop"]["kind"].clone(), body["stop"]["at"].clone());
            if !had["stop"].is_null() && stop(&had) != stop(&has) {
                self.wrong(applied, Invariant::StopMeansStop, format!("the stop of {pk} is not what it was"));
            }
            if had["stop"].is_null() && !has["stop"].is_null() {
                self.sometimes.count("a stop accepted");
            }
        }
        if was != is {
            self.sometimes.count(match is {
                Some("Success") => "an execution ended Success",
                Some("Failed") => "an execution ended Failed",
                Some("TimedOut") => "an execution ended TimedOut",
                Some("Cancelled") => "an execution ended Cancelled",
                Some("Cancelling") => "an execution Cancelling",
                Some("Waiting") => "an execution Waiting",
                _ => "an execution InProgress again",
            });
        }
    }

    fn step(&mut self, applied: &Applied<'_>, pk: &str, before: Option<&Value>, now: &Value) {
        let is = text(now, "status");
        if let Some(before) = before
            && is_over(before)
        {
            let (had, has) = (document(before, "body"), document(now, "body"));
            for what in ["status", "outputs", "counts", "ended_at"] {
                if had[what] != has[what] {
                    self.wrong(
                        applied,
                        Invariant::NoWayBack,
                        format!("{what} of a closed step of {pk} changed"),
                    );
                }
            }
            if texts(before, "contradicted_by") != texts(now, "contradicted_by") {
                self.sometimes.count("a closed step contradicted");
            }
            return;
        }
        if before.and_then(|before| text(before, "status")) != is {
            self.sometimes.count(match is {
                Some("Success") => "a step ended Success",
                Some("Failed") => "a step ended Failed",
                Some("TimedOut") => "a step ended TimedOut",
                Some("Cancelled") => "a step ended Cancelled",
                Some("Waiting") => "a step Waiting",
                _ => "a step opened",
            });
        }
    }

    fn send(&mut self, applied: &Applied<'_>, place: &Place<'_>, before: Option<&Value>, now: &Value) {
        let Place { token, .. } = place;
        let Some(before) = before else { return self.planned(applied, place, now) };
        let (had, has) = (number(before, "tries"), number(now, "tries"));
        if has < had {
            self.wrong(applied, Invariant::NoWayBack, format!("tries of {token} go back"));
        }
        if has > had && before["halt"]["BOOL"] == true {
            self.wrong(applied, Invariant::StopMeansStop, format!("{token} is halted and tried again"));
        }
        let (was, is) = (text(before, "command_id"), text(now, "command_id"));
        if was.is_some() && was != is {
            self.wrong(applied, Invariant::OneCommandASend, format!("{token} had {was:?} and has {is:?}"));
        }
        let (was, is) = (text(before, "state"), text(now, "state"));
        if was == Some("ended") && (is != was || before["end"] != now["end"]) {
            self.wrong(applied, Invariant::NoWayBack, format!("{token} was over and is {is:?}"));
        }
        if !texts(before, "extra_commands").is_superset(&texts(now, "extra_commands")) {
            self.sometimes.count("a second command found");
        }
        if before["halt"].is_null() && now["halt"]["BOOL"] == true {
            self.sometimes.count("a send halted");
        }
        if before["looks"] != now["looks"] && !now["looks"].is_null() {
            self.sometimes.count("a look that found nothing");
        }
        self.turned(was, is, now);
    }

    /// Counts what became of a send.
    fn turned(&mut self, was: Option<&str>, is: Option<&str>, now: &Value) {
        if was == is {
            return;
        }
        self.sometimes.count(match (was, is) {
            (Some("trying"), Some("sent")) => "a send: trying to sent",
            (Some("trying"), Some("refused")) => "a send: trying to refused",
            (Some("trying"), Some("ended")) => "a send: trying to ended",
            (Some("refused"), Some("trying")) => "a send: refused to trying",
            (Some("refused"), Some("sent")) => "a send: refused to sent",
            (Some("refused"), Some("ended")) => "a send: refused to ended",
            (Some("sent"), Some("ended")) => "a send: sent to ended",
            _ => "a send: another way",
        });
        if is == Some("ended") && document(now, "end").as_str() == Some("Unknown") {
            self.sometimes.count("a send ended Unknown");
        }
    }

    /// A send that was not there before: an intent.
    fn planned(&mut self, applied: &Applied<'_>, place: &Place<'_>, now: &Value) {
        let Place { pk, token, execution, steps } = place;
        let (step, attempt) = (number(now, "step"), number(now, "attempt"));
        self.sometimes.count("a send planned");
        // The steps of the execution, as they are after the same commit.
        let mut known: BTreeMap<&str, &Value> = BTreeMap::new();
        for ((owner, sk), item) in &self.items {
            if owner == pk && sk.starts_with("STEP#") {
                known.insert(sk, item);
            }
        }
        for item in *steps {
            known.insert(text(item, "sk").unwrap_or_default(), item);
        }
        let of_step = known.iter().find(|(sk, _)| ordinal_of(sk) == step).map(|(_, item)| *item);
        let is_clean_up = of_step.is_some_and(|item| document(item, "body")["name"] == "cleanup");
        let mut late = None;
        if let Some(execution) = execution {
            let stop = &document(execution, "body")["stop"];
            if !stop.is_null() && (stop["on_cancel_until"].is_null() || !is_clean_up) {
                late = Some(format!("{token} is planned after a stop"));
            }
            if is_over(execution) {
                late = Some(format!("{token} is planned after the end"));
            }
        }
        let open: Vec<String> = known
            .iter()
            .filter(|(sk, item)| {
                // The loop a step is in is open while its rounds are.
                ordinal_of(sk) < step && !is_over(item) && !is_loop(item)
            })
            .map(|(sk, _)| (*sk).to_owned())
            .collect();
        if let Some(late) = late {
            self.wrong(applied, Invariant::StopMeansStop, late);
        }
        if !open.is_empty() {
            self.wrong(
                applied,
                Invariant::StepsInOrder,
                format!("{token} of step {step:?}, and {open:?} are open"),
            );
        }
        let earlier = self.items.iter().filter(|((owner, sk), item)| {
            owner == pk
                && sk.starts_with("SEND#")
                && number(item, "step") == step
                && number(item, "attempt") < attempt
        });
        let live: Vec<String> = earlier
            .filter(|(_, item)| text(item, "state") != Some("ended"))
            .map(|((_, sk), _)| sk.clone())
            // The commit that makes the next attempt ends the last sends of the one before.
            .filter(|sk| !keys(applied.request).contains(&((*pk).to_owned(), sk.clone())))
            .collect();
        if !live.is_empty() {
            self.wrong(
                applied,
                Invariant::StepsInOrder,
                format!("a new attempt {token}, and {live:?} are live"),
            );
        }
        if attempt > Some(1) {
            self.sometimes.count("a further attempt of a step");
        }
    }

    fn command(&mut self, applied: &Applied<'_>, pk: &str, before: Option<&Value>, now: &Value) {
        let mut nodes = BTreeSet::new();
        let known = before.into_iter().chain([now]).filter_map(Value::as_object).flat_map(|item| item.keys());
        let statuses: BTreeSet<&String> = known.filter(|name| name.starts_with("nodes_")).collect();
        for status in statuses {
            let has = texts(now, status);
            if let Some(before) = before
                && !texts(before, status).is_subset(&has)
            {
                self.wrong(applied, Invariant::NoWayBack, format!("{pk} forgot nodes of {status}"));
            }
            if !nodes.is_disjoint(&has) {
                self.sometimes.count("two terminal statuses of one node");
            }
            nodes.extend(has);
        }
        let command = pk.split('#').nth(1).and_then(|id| applied.ledger.command(id));
        // Until its targets are resolved, nobody knows.
        if let Some(command) = command.filter(|command| !command.nodes.is_empty()) {
            let strangers: Vec<_> = nodes.iter().filter(|node| !command.nodes.contains_key(**node)).collect();
            if !strangers.is_empty() {
                self.wrong(applied, Invariant::NodesOfTheCommand, format!("{pk} has {strangers:?}"));
            }
        }
        let owner = |item: &Value| text(item, "owner_token").map(str::to_owned);
        if let Some(before) = before
            && owner(before).is_some()
            && owner(before) != owner(now)
        {
            self.wrong(applied, Invariant::OneCommandASend, format!("{pk} changed its owner"));
        }
        if before.is_none() {
            self.sometimes.count(if owner(now).is_some() {
                "a command recorded before its first event"
            } else {
                "an event before its command was recorded"
            });
        }
        if now["chunked"]["BOOL"] == true && before.is_none_or(|before| before["chunked"].is_null()) {
            self.sometimes.count("a command in chunks");
        }
        let generation = |item: &Value| text(item, "settled_generation").map(str::to_owned);
        let (was, is) = (before.and_then(generation), generation(now));
        if was != is {
            self.sometimes.count(if was.is_some() { "a command settled again" } else { "a command settled" });
        }
    }

    /// Counts a call of SendCommand, and says what is wrong with it: each has an intent that was written before.
    fn begun(&mut self, request: &Value) -> Option<String> {
        let Some(token) = token_of(request["Comment"].as_str()?) else {
            return Some("a command without a mark".to_owned());
        };
        let calls = self.calls.entry(token.to_owned()).or_default();
        *calls += 1;
        let calls = *calls;
        let Some(send) = self.sends.get(token).and_then(|key| self.items.get(key)) else {
            // Somebody's who sends a command through our API, or nobody's.
            self.request_calls += 1;
            let (calls, begun) = (self.request_calls, self.requests.values().sum());
            return (calls > begun).then(|| format!("call {calls} for requests, begun {begun} times"));
        };
        let tries = number(send, "tries");
        (Some(calls) > tries).then(|| format!("call {calls} for {token}, of {tries:?} tries"))
    }

    fn sent(&mut self, applied: &Applied<'_>) {
        let token =
            applied.request.body["Comment"].as_str().and_then(token_of).unwrap_or_default().to_owned();
        let of_token = |comment: &str| token_of(comment) == Some(token.as_str());
        let commands: Vec<_> =
            applied.ledger.commands().iter().filter(|command| of_token(&command.comment)).collect();
        let live = commands.iter().filter(|command| !over(command.status)).count();
        if let [earlier @ .., _] = commands.as_slice()
            && !earlier.is_empty()
            && !earlier.iter().all(|command| was_hidden(command))
        {
            let what = format!("{} commands ({live} live) for {token}", commands.len());
            self.wrong(applied, Invariant::OneCommandASend, what);
        }
    }
}

/// Where a send is, and what is around it after the same commit.
struct Place<'a> {
    pk: &'a str,
    token: &'a str,
    execution: Option<&'a Value>,
    steps: &'a [Value],
}

/// Which step an item is of, by its key.
fn ordinal_of(sk: &str) -> Option<u64> {
    sk.strip_prefix("STEP#").and_then(|ordinal| ordinal.parse().ok())
}

fn is_loop(step: &Value) -> bool {
    document(step, "body")["action"] == "aws:loop"
}

fn over(status: CommandStatus) -> bool {
    !matches!(status, CommandStatus::Pending | CommandStatus::InProgress | CommandStatus::Cancelling)
}

/// The keys of what a request writes; none if it only reads.
fn keys(request: &Request) -> Vec<Key> {
    let body = &request.body;
    let key = |of: &Value| Some((of["pk"]["S"].as_str()?.to_owned(), of["sk"]["S"].as_str()?.to_owned()));
    let written: Vec<&Value> = match request.operation.as_str() {
        "PutItem" => vec![&body["Item"]],
        "UpdateItem" | "DeleteItem" => vec![&body["Key"]],
        "TransactWriteItems" => body["TransactItems"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|action| action.as_object().into_iter().flat_map(|members| members.values()))
            .map(|action| if action["Item"].is_object() { &action["Item"] } else { &action["Key"] })
            .collect(),
        "BatchWriteItem" => body["RequestItems"]
            .as_object()
            .into_iter()
            .flat_map(|tables| tables.values())
            .flat_map(|writes| writes.as_array().into_iter().flatten())
            .map(|write| &write["PutRequest"]["Item"])
            .collect(),
        _ => Vec::new(),
    };
    written.into_iter().filter_map(key).collect()
}
