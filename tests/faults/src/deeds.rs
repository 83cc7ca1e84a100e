//! What people and programs do in a run, and what they are told.

use crate::client::{Client, Said};
use crate::run::Stage;
use crate::workload::{Deed, Workload};
use fleetwright_local::Cloud;
use fleetwright_local::names::queue_url;
use fleetwright_local::protocol::{Request, Service};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// How long somebody waits for a SendCommand to stop its execution at it, and how often they look.
const LIES_IN_WAIT: Duration = Duration::from_mins(2);
const LOOKS_UP: Duration = Duration::from_millis(250);

/// What people were told.
#[derive(Debug)]
pub(crate) struct Told {
    /// Ids of executions that were started, by their place in the workload.
    pub(crate) ids: Vec<Option<String>>,
    /// What nobody should be told.
    pub(crate) complaints: Vec<String>,
    /// Executions that somebody was told were stopped, and when.
    pub(crate) stopped: Vec<(String, Timestamp)>,
}

impl Told {
    /// Nothing, about so many executions.
    pub(crate) fn of(executions: usize) -> Self {
        Self { ids: vec![None; executions], complaints: Vec::new(), stopped: Vec::new() }
    }
}

/// Somebody, and what all were told.
struct Person {
    client: Client,
    told: Rc<RefCell<Told>>,
}

impl Stage {
    /// Somebody does something.
    pub(crate) fn act(&mut self, workload: &Workload, deed: &Deed) {
        let simulation = &mut self.deployment.simulation;
        let client = Client { invoker: simulation.invoker(), clock: simulation.clock() };
        let person = Person { client, told: Rc::clone(&self.told) };
        match deed {
            Deed::Start(at) => {
                let execution = &workload.executions[*at];
                let body = json!({ "DocumentName": document_name(*at), "ClientToken": execution.client_token,
                    "Parameters": { "Nodes": execution.nodes } });
                let at = *at;
                drop(simulation.spawn(async move { person.start(at, body).await }));
            }
            Deed::Stop(at, kind) => {
                let (at, kind) = (*at, *kind);
                drop(simulation.spawn(async move { person.stop(at, kind).await }));
            }
            Deed::StopAtTry(kind, so_manyth) => {
                let (kind, so_manyth, weather) = (*kind, *so_manyth, self.weather.clone());
                drop(simulation.spawn(async move {
                    let clock = person.client.clock.clone();
                    let until = clock.now() + LIES_IN_WAIT;
                    let id = loop {
                        match weather.slow_try(so_manyth) {
                            None if clock.now() < until => clock.sleep(LOOKS_UP).await,
                            found => break found,
                        }
                    };
                    let at =
                        person.told.borrow().ids.iter().position(|known| known.is_some() && *known == id);
                    if let Some(at) = at {
                        person.stop(at, kind).await;
                    }
                }));
            }
            Deed::StopAtSend(at, kind, send, moment) => {
                let (at, kind, send, moment, weather) = (*at, *kind, *send, *moment, self.weather.clone());
                drop(simulation.spawn(async move {
                    let clock = person.client.clock.clone();
                    let until = clock.now() + LIES_IN_WAIT;
                    while weather.send_calls() < send && clock.now() < until {
                        clock.sleep(LOOKS_UP).await;
                    }
                    clock.sleep(moment).await;
                    person.stop(at, kind).await;
                }));
            }
            Deed::Signal(at, signal) => {
                let (at, body) = (*at, json!({ "SignalType": signal }));
                drop(simulation.spawn(async move {
                    drop(person.tell(at, "SendAutomationSignal", body).await);
                }));
            }
            Deed::Send(nodes) => {
                let body = json!({ "DocumentName": "AWS-RunShellScript", "InstanceIds": nodes,
                    "Parameters": { "commands": ["uptime"], "executionTimeout": ["120"] }, "TimeoutSeconds": 60 });
                drop(simulation.spawn(async move {
                    // Whoever sends past an execution sees the answer, or looks for the command by its mark.
                    drop(person.client.ask_as_an_sdk("SendCommand", &body, "f9c2").await);
                }));
            }
            Deed::Poison(queue, body) => put(&mut simulation.cloud(), queue, body),
            Deed::Contradict => contradict(&mut simulation.cloud()),
            Deed::Hide(time, is_answered) => {
                simulation.cloud().ssm.hide_next_command_for(*time);
                if !is_answered {
                    self.weather.lose_next_answer();
                }
            }
        }
    }
}

impl Person {
    async fn start(&self, at: usize, body: Value) {
        let said = self.client.ask("StartAutomationExecution", &body).await;
        let mut told = self.told.borrow_mut();
        match said {
            Said::Done(answer) => {
                let id = answer["AutomationExecutionId"].as_str().unwrap_or_default().to_owned();
                let before = told.ids[at].replace(id.clone());
                if let Some(before) = before.filter(|before| *before != id) {
                    told.complaints.push(format!("one start, two executions: {before} and {id}"));
                }
            }
            Said::Refused(code, message) => {
                told.complaints.push(format!("a start was refused: {code}: {message}"));
            }
        }
    }

    async fn stop(&self, at: usize, kind: &str) {
        if let Some(id) = self.tell(at, "StopAutomationExecution", json!({ "Type": kind })).await {
            self.told.borrow_mut().stopped.push((id, self.client.clock.now()));
        }
    }

    /// Stops an execution or sends it a signal, once it is known that it was started; its id, if that was accepted.
    async fn tell(&self, at: usize, operation: &'static str, mut body: Value) -> Option<String> {
        let id = loop {
            let id = self.told.borrow().ids[at].clone();
            if let Some(id) = id {
                break id;
            }
            self.client.clock.sleep(Duration::from_secs(5)).await;
        };
        body["AutomationExecutionId"] = json!(id);
        match self.client.ask(operation, &body).await {
            Said::Done(_) => Some(id),
            Said::Refused(code, message) => {
                // It has ended, or no step waits for that.
                let usual = ["InvalidAutomationStatusUpdateException", "InvalidAutomationSignalException"];
                if !usual.contains(&code.as_str()) {
                    let complaint = format!("{operation} was refused: {code}: {message}");
                    self.told.borrow_mut().complaints.push(complaint);
                }
                None
            }
        }
    }
}

/// Somebody puts a message into a queue.
fn put(cloud: &mut Cloud, queue: &str, message: &str) {
    let body = json!({ "QueueUrl": queue_url(queue), "MessageBody": message });
    cloud.handle("somebody", &Request { service: Service::Sqs, operation: "SendMessage".to_owned(), body });
}

/// Somebody reports that a node of the newest command ended otherwise than it did, or will.
fn contradict(cloud: &mut Cloud) {
    let Some(command) = cloud.ssm.ledger().commands().last() else { return };
    let Some((node, details)) = command.nodes.iter().next() else { return };
    let untrue = if details.status() == "Failed" { "TimedOut" } else { "Failed" };
    let now = cloud.now().to_string();
    let message = json!({ "commandId": &*command.command_id, "documentName": &*command.document,
        "instanceId": &**node, "requestedDateTime": now, "status": untrue, "eventTime": now });
    put(cloud, "facts", &message.to_string());
}

/// The document of an execution.
pub(crate) fn document_name(at: usize) -> String {
    format!("Runbook-{at}")
}
