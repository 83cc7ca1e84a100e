//! Setting a story up, and running it.

use crate::script::{CallRule, DeliveryRule, Record, Script};
use fleetwright_local::fleet::Fleet;
use fleetwright_local::ssm::SsmOptions;
use fleetwright_local::{ApiError, Cloud, Deployment, DeploymentError, DeploymentOptions, NoFaults, Stop};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::MutexGuard;
use std::time::Duration;

/// The runbook's name in every story.
const RUNBOOK: &str = "Story";
/// A story that has not ended by then never does.
const END_LIMIT: Duration = Duration::from_secs(24 * 3600);
/// How often somebody who starts an execution tries, when there is no answer.
const START_TRIES: usize = 5;

/// A fleet, a runbook, and what goes wrong.
#[derive(Debug)]
pub struct Story {
    nodes: usize,
    fleet: Option<Fleet>,
    runbook: String,
    parameters: BTreeMap<String, Vec<String>>,
    options: DeploymentOptions,
    script: Script,
    topics: Vec<String>,
}

impl Default for Story {
    fn default() -> Self {
        Self::new()
    }
}

impl Story {
    /// Five nodes that always succeed, a runbook of one step, and a good day.
    #[must_use]
    pub fn new() -> Self {
        Self {
            nodes: 5,
            fleet: None,
            runbook: crate::runbooks::ONE_STEP.to_owned(),
            parameters: BTreeMap::new(),
            options: DeploymentOptions::seeded(1),
            script: Script::default(),
            topics: Vec::new(),
        }
    }

    /// Alike nodes that always succeed.
    #[must_use]
    pub fn nodes(self, nodes: usize) -> Self {
        Self { nodes, ..self }
    }

    /// These nodes instead.
    #[must_use]
    pub fn fleet(self, fleet: Fleet) -> Self {
        Self { fleet: Some(fleet), ..self }
    }

    /// The runbook. Where it reads `{{ Nodes }}` it gets all nodes.
    #[must_use]
    pub fn runbook(self, text: &str) -> Self {
        Self { runbook: text.to_owned(), ..self }
    }

    /// A parameter of the runbook.
    #[must_use]
    pub fn parameter(mut self, name: &str, values: &[&str]) -> Self {
        self.parameters.insert(name.to_owned(), values.iter().map(|value| (*value).to_owned()).collect());
        self
    }

    /// The seed everything is drawn from.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// How SSM behaves.
    #[must_use]
    pub fn ssm(mut self, change: impl FnOnce(&mut SsmOptions)) -> Self {
        change(&mut self.options.ssm);
        self
    }

    /// How it is deployed.
    #[must_use]
    pub fn deployed(mut self, change: impl FnOnce(&mut DeploymentOptions)) -> Self {
        change(&mut self.options);
        self
    }

    /// Something goes wrong with a call.
    #[must_use]
    pub fn call(mut self, rule: CallRule) -> Self {
        self.script.call(rule);
        self
    }

    /// Something goes wrong with deliveries.
    #[must_use]
    pub fn delivery(mut self, rule: DeliveryRule) -> Self {
        self.script.delivery(rule);
        self
    }

    /// A topic whose messages are kept.
    #[must_use]
    pub fn topic(mut self, name: &str) -> Self {
        self.topics.push(name.to_owned());
        self
    }

    /// Deploys; nothing is started yet. Faults are on from here.
    #[must_use]
    pub fn deploy(self) -> Run {
        let fleet = self.fleet.unwrap_or_else(|| Fleet::plain(self.nodes, self.options.seed));
        let mut deployment = crate::deploy(fleet, &self.options).expect("deploys");
        deployment.register_runbook(RUNBOOK, &self.runbook).expect("the runbook is registered");
        self.topics.iter().for_each(|topic| deployment.collect(topic));
        let mut parameters = self.parameters;
        if self.runbook.contains("{{ Nodes }}") && !parameters.contains_key("Nodes") {
            let nodes = deployment.simulation.cloud().ssm.node_ids().map(str::to_owned).collect();
            parameters.insert("Nodes".to_owned(), nodes);
        }
        let script = self.script.ready();
        let record = script.record.clone();
        deployment.simulation.set_faults(Box::new(script));
        Run { deployment, id: String::new(), parameters, record }
    }

    /// Deploys and starts.
    #[must_use]
    pub fn start(self) -> Run {
        let mut run = self.deploy();
        run.start();
        run
    }

    /// Deploys, starts, and runs to the execution's end.
    #[must_use]
    pub fn play(self) -> Run {
        let mut run = self.start();
        run.end();
        run
    }
}

/// A story under way.
pub struct Run {
    /// The deployment it happens in.
    pub deployment: Deployment,
    /// The execution.
    pub id: String,
    parameters: BTreeMap<String, Vec<String>>,
    record: Record,
}

impl Run {
    fn start_body(&self) -> Value {
        // SSM API reference, StartAutomationExecution.ClientToken: a UUID.
        let token = "8f7c1a52-3a0e-4b8e-9c53-6d2f7a1b0c9d";
        json!({ "DocumentName": RUNBOOK, "Parameters": self.parameters, "ClientToken": token })
    }

    /// Sends the request to start, and does not wait for the answer.
    pub fn start_without_waiting(&mut self) {
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/", "rawQueryString": "",
            "headers": { "x-amz-target": "AmazonSSM.StartAutomationExecution" },
            "requestContext": {
                "accountId": "123456789012", "apiId": "url", "requestId": "1", "routeKey": "$default",
                "stage": "$default", "time": "", "timeEpoch": 0, "http": { "method": "POST", "path": "/" },
            },
            "body": self.start_body().to_string(), "isBase64Encoded": false,
        });
        let invoker = self.deployment.simulation.invoker();
        self.deployment.simulation.spawn(async move { invoker.invoke("api-control", event).await });
    }

    /// Finds the execution that was started without waiting, by looking into the table.
    pub fn find(&mut self) {
        let items = self.items();
        let own = items.iter().find(|item| crate::text(item, "sk") == Some("EXEC")).expect("it was started");
        let key = crate::text(own, "pk").expect("a key");
        key.trim_start_matches("EXEC#").clone_into(&mut self.id);
    }

    /// Starts the execution as somebody who wants it started does: again, with the same token, if nobody answers.
    pub fn start(&mut self) {
        let body = self.start_body();
        for _ in 0..START_TRIES {
            match self.deployment.call("StartAutomationExecution", &body) {
                Ok(answer) => {
                    answer["AutomationExecutionId"].as_str().expect("an id").clone_into(&mut self.id);
                    return;
                }
                Err(DeploymentError::Function(_)) => {}
                Err(DeploymentError::Api(error)) if is_passing(&error) => {}
                Err(error) => panic!("not started: {error}"),
            }
            self.pass(SignedDuration::from_secs(2));
        }
        panic!("not started in {START_TRIES} tries");
    }

    /// Stops it, `Cancel` or `Complete`; again if nobody answers.
    pub fn stop(&mut self, kind: &str) {
        let body = json!({ "AutomationExecutionId": self.id, "Type": kind });
        for _ in 0..START_TRIES {
            match self.deployment.call("StopAutomationExecution", &body) {
                Ok(_) => return,
                Err(DeploymentError::Function(_)) => {}
                Err(DeploymentError::Api(error)) if is_passing(&error) => {}
                Err(error) => panic!("not stopped: {error}"),
            }
            self.pass(SignedDuration::from_secs(2));
        }
        panic!("not stopped in {START_TRIES} tries");
    }

    /// Runs to the execution's end.
    pub fn end(&mut self) -> Timestamp {
        self.end_within(END_LIMIT)
    }

    /// Runs to the execution's end, which comes in this time.
    pub fn end_within(&mut self, limit: Duration) -> Timestamp {
        let id = self.id.clone();
        match self.deployment.run_to_end(&id, limit) {
            Ok(at) => at,
            Err(error) => {
                self.calm();
                panic!("{error}: {:#}", self.execution())
            }
        }
    }

    /// Lets virtual time pass.
    pub fn pass(&mut self, time: SignedDuration) {
        self.deployment.pass(time).expect("time passes");
    }

    /// Runs until something is so; it must be, in an hour.
    pub fn until(&mut self, reached: impl FnMut(&Cloud) -> bool) -> Timestamp {
        let outcome = self.deployment.simulation.run_until(reached, Duration::from_secs(3600)).expect("runs");
        assert_eq!(outcome.stop, Stop::Reached, "it has not come about by {}", outcome.at);
        outcome.at
    }

    /// From now on this goes wrong, and nothing else.
    pub fn from_now(&mut self, rule: CallRule) {
        let mut script = Script::default();
        script.call(rule);
        let script = script.ready();
        self.record = script.record.clone();
        self.deployment.simulation.set_faults(Box::new(script));
    }

    /// Whether a fault of the script never applied.
    pub fn has_idle_rules(&self) -> bool {
        !self.idle_rules().is_empty()
    }

    /// From now on nothing goes wrong.
    pub fn calm(&mut self) {
        self.deployment.simulation.set_faults(Box::new(NoFaults));
    }

    /// The cloud. Not to be held while the story goes on.
    pub fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.deployment.simulation.cloud()
    }

    /// True virtual time.
    pub fn now(&self) -> Timestamp {
        self.deployment.simulation.now()
    }

    /// AWS calls that functions have made since the story began.
    pub fn calls(&self) -> u64 {
        self.record.calls()
    }

    /// Scripted faults that never applied.
    pub(crate) fn idle_rules(&self) -> Vec<String> {
        self.record.idle_rules()
    }

    /// Reads by the API as somebody outside the story: nothing goes wrong with that.
    pub(crate) fn ask(&mut self, operation: &str, body: &Value) -> Value {
        self.record.pause(true);
        let answer = self.deployment.call(operation, body).expect("the API answers");
        self.record.pause(false);
        answer
    }

    pub(crate) fn get(&mut self, path: &str) -> Value {
        self.record.pause(true);
        let answer = self.deployment.get(path).expect("the API answers");
        self.record.pause(false);
        answer
    }

    /// Reads a resource of the results API as it comes: the whole answer of the function URL. A part of the story.
    pub fn fetch(&mut self, path: &str, accept: &str) -> Value {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let event = json!({
            "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
            "headers": { "accept": accept },
            "requestContext": {
                "accountId": "123456789012", "apiId": "url", "requestId": "1", "routeKey": "$default",
                "stage": "$default", "time": "", "timeEpoch": 0, "http": { "method": "GET", "path": path },
            },
            "body": null, "isBase64Encoded": false,
        });
        let answer = self.deployment.simulation.invoke("api-read", event).expect("time passes");
        answer.expect("the function answers")
    }
}

/// Errors after which a caller tries again.
fn is_passing(error: &ApiError) -> bool {
    matches!(error.code.as_str(), "InternalServerError" | "ThrottlingException")
}
