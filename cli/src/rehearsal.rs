//! One execution of a runbook over a simulated fleet, by the code that ships.

use crate::failure::Failure;
use crate::input::{Parameters, RunbookText};
use crate::mocks::Mocks;
use crate::snapshot::{self, Snapshot};
use crate::text;
use fleetwright_local::fleet::Fleet;
use fleetwright_local::{Cloud, Counters, Deployment, DeploymentError, DeploymentOptions, Simulation, Stop};
use fleetwright_runbook::StepName;
use fleetwright_wire::results::{NodeList, NodeResult, StepSummary, Summary};
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// No notification that arrives at all is later than this.
const LATE: SignedDuration = SignedDuration::from_mins(2);

/// An execution that was started.
pub(crate) struct Rehearsal {
    /// The runbook.
    pub(crate) runbook: RunbookText,
    /// The nodes as they were before; none without a fleet.
    pub(crate) fleet: Fleet,
    /// Steps that were answered for.
    pub(crate) answered: BTreeSet<StepName>,
    /// What chance is drawn from.
    pub(crate) seed: u64,
    /// The execution.
    pub(crate) id: String,
    mocks: Mocks,
    deployment: Deployment,
}

impl Rehearsal {
    /// Deploys Fleetwright over a fleet, if there is one, and starts the runbook.
    pub(crate) fn start(
        runbook: RunbookText,
        parameters: &Parameters,
        fleet: Option<Fleet>,
        mocks: Mocks,
        seed: u64,
    ) -> Result<Self, Failure> {
        let answered = mocks.covers(&runbook.runbook, fleet.is_some());
        let options = DeploymentOptions { answered: answered.clone(), ..DeploymentOptions::seeded(seed) };
        let fleet = fleet.unwrap_or_else(|| Fleet::new(Vec::new()));
        let mut deployment = Deployment::new(fleet.clone(), &options)?;
        let refused =
            |error: &dyn std::fmt::Display| Failure::Input(format!("error: {}: {error}", runbook.name));
        deployment.register_runbook(&runbook.name, &runbook.text).map_err(|error| refused(&error))?;
        let id = match deployment.start(&runbook.name, parameters) {
            Ok(id) => id,
            Err(DeploymentError::Api(error)) => return Err(refused(&error)),
            Err(other) => return Err(other.into()),
        };
        Ok(Self { runbook, fleet, answered, seed, id, mocks, deployment })
    }

    /// Runs it to its end as fast as it can be computed, for at most so much virtual time, and answers for the steps that
    /// wait for that.
    pub(crate) fn run(&mut self, limit: Duration) -> Result<(), Failure> {
        let began = self.look(Cloud::now);
        loop {
            let passed = self.look(Cloud::now).duration_since(began).unsigned_abs();
            let until = snapshot::over_or_answerable(&self.id, !self.answered.is_empty());
            let stop = self.deployment.simulation.run_until(until, limit.saturating_sub(passed))?.stop;
            match self.look(|cloud| snapshot::answerable(cloud, &self.id))? {
                Some(step) if stop == Stop::Reached => {
                    let answer = self.mocks.answer(&self.runbook.runbook, &step);
                    self.deployment.answer(&self.id, answer)?;
                }
                Some(_) | None => return self.check(stop, limit),
            }
        }
    }

    /// Runs it to its end as `drive` wants to, which gives up after `limit`.
    pub(crate) fn run_by(
        &mut self,
        limit: Duration,
        drive: impl FnOnce(&mut Simulation) -> Result<Stop, Failure>,
    ) -> Result<(), Failure> {
        let stop = drive(&mut self.deployment.simulation)?;
        self.check(stop, limit)
    }

    /// Lets the notifications arrive that were still under way when it ended.
    pub(crate) fn linger(&mut self) -> Result<(), Failure> {
        Ok(self.deployment.pass(LATE)?)
    }

    /// What was used so far.
    pub(crate) fn counters(&self) -> Counters {
        self.deployment.simulation.cloud().counters.clone()
    }

    /// A look at it.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Failure> {
        self.look(|cloud| Snapshot::take(cloud, &self.fleet, &self.id))
    }

    /// A look at the cloud it runs in.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Cloud) -> T) -> T {
        look(&self.deployment.simulation.cloud())
    }

    /// The execution as our API answers it.
    pub(crate) fn execution(&mut self) -> Result<Value, Failure> {
        let body = json!({ "AutomationExecutionId": self.id });
        Ok(self.deployment.call("GetAutomationExecution", &body)?["AutomationExecution"].take())
    }

    /// Its steps that have nodes, each with those that did not succeed, as our API answers them.
    pub(crate) fn troubled(&mut self) -> Result<Vec<(StepSummary, Vec<NodeResult>)>, Failure> {
        let summary: Summary = self.read(&format!("/executions/{}/summary", self.id))?;
        let mut steps: Vec<_> = summary.steps.into_iter().map(|step| (step, Vec::new())).collect();
        let path = format!("/executions/{}/nodes?status=NotSuccess&limit=1000", self.id);
        let mut next = String::new();
        loop {
            let page: NodeList = self.read(&format!("{path}{next}"))?;
            for node in page.nodes {
                let of = steps.iter_mut().find(|(step, _)| step.ordinal == node.ordinal);
                of.into_iter().for_each(|(_, nodes)| nodes.push(node.clone()));
            }
            match page.next_token {
                Some(token) => next = format!("&next={token}"),
                None => return Ok(steps),
            }
        }
    }

    fn read<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, Failure> {
        let answer = self.deployment.get(path)?;
        serde_json::from_value(answer)
            .map_err(|error| Failure::Defect(format!("the API's answer cannot be read: {error}")))
    }

    fn check(&self, stop: Stop, limit: Duration) -> Result<(), Failure> {
        let snapshot = self.snapshot()?;
        let place =
            snapshot.steps.last().map_or_else(String::new, |last| format!(", in step {}", last.step.name));
        if let Some(reason) = snapshot.parked {
            let message =
                format!("error: the execution was set aside{place}, and waits for a person: {reason}");
            return Err(Failure::Unfinished(message));
        }
        if stop == Stop::Reached {
            return Ok(());
        }
        let limit = text::duration(SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX));
        let message = format!("error: the execution had not ended after {limit} of virtual time{place}");
        Err(Failure::Unfinished(message))
    }
}
