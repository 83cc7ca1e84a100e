//! The thread the simulation lives on: takes requests, and lets virtual time follow real time between them.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use fleetwright_wire::Endpoint;
use futures::channel::oneshot;
use serde_json::Value;

use super::outside::{Bell, Outside};
use super::tempo::{Tempo, real_moment, real_now};
use super::{ServeError, ServeOptions, function_call, long_poll};
use crate::call::Caller;
use crate::clock::VirtualClock;
use crate::cloud::Cloud;
use crate::deployment::{Deployment, DeploymentOptions};
use crate::lambda::InvokeError;
use crate::protocol::{Answer, Request};
use crate::seed;
use crate::simulation::SimulationError;

/// The name that calls over HTTP are counted under.
pub(super) const CALLER: &str = "http";
/// Real time after which requests are taken although virtual time is behind.
const PATIENCE: Duration = Duration::from_millis(50);
/// No wait is longer: an idle cloud looks up now and then.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// What the main thread of a process usually has; other threads have a quarter of it.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// What the thread is asked for.
pub(super) enum Asked {
    Aws(AwsRequest, oneshot::Sender<Answer>),
    Api(Value, oneshot::Sender<Result<Value, InvokeError>>),
    Work(Box<dyn FnOnce(&mut Deployment) + Send>),
    /// Something that waits in the simulation can go on.
    Look,
}

/// A request to the port that is AWS.
pub(super) struct AwsRequest {
    pub(super) request: Request,
    /// The access key it is signed with.
    pub(super) access_key: Option<String>,
}

/// The way to the thread; it ends when the last copy is gone.
#[derive(Clone)]
pub(super) struct Driver {
    requests: Arc<Sender<Asked>>,
    clock: VirtualClock,
}

impl Driver {
    /// Starts the thread. What comes back beside the way to it says how it ended.
    pub(super) async fn start(
        options: ServeOptions,
        aws_url: String,
    ) -> Result<(Self, oneshot::Receiver<Result<(), ServeError>>), ServeError> {
        let (requests, received) = mpsc::channel();
        let requests = Arc::new(requests);
        let bell = Bell::new(&requests);
        let outside = options.functions.clone().map(|endpoint| Outside::new(endpoint, bell));
        let (ready, is_ready) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        thread::Builder::new().name("cloud".to_owned()).stack_size(STACK_BYTES).spawn(move || {
            let speed = options.speed;
            let deployed =
                hold(options.data.as_deref()).and_then(|held| Ok((held, deploy(options, aws_url)?)));
            let (held, deployment) = match deployed {
                Ok(deployed) => deployed,
                Err(error) => return drop(ready.send(Err(error))),
            };
            if ready.send(Ok(deployment.simulation.clock())).is_err() {
                return;
            }
            let over = Loop::new(deployment, speed, received, outside.as_ref()).run();
            // Whoever is told that it ended may use the file.
            drop(held);
            // Who has stopped serving doesn't ask why.
            let _ = end.send(over.map_err(ServeError::from));
        })?;
        let clock = is_ready.await.unwrap_or(Err(ServeError::Died))?;
        Ok((Self { requests, clock }, ended))
    }

    /// The moment as the header `Date` has it: answers are as old as the cloud is, whatever the time outside.
    pub(super) fn date(&self) -> String {
        self.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    /// A service's answer. Nothing when the cloud has ended.
    pub(super) async fn aws(&self, request: AwsRequest) -> Option<Answer> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Asked::Aws(request, answer)).ok()?;
        answered.await.ok()
    }

    /// What the function behind our API makes of an event. Nothing when the cloud has ended.
    pub(super) async fn api(&self, event: Value) -> Option<Result<Value, InvokeError>> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Asked::Api(event, answer)).ok()?;
        answered.await.ok()
    }

    /// What comes of work on the deployment. Nothing when the cloud has ended.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Deployment) -> T + Send + 'static,
    ) -> Option<T> {
        let (result, is_done) = oneshot::channel();
        let work = Box::new(move |deployment: &mut Deployment| drop(result.send(work(deployment))));
        self.requests.send(Asked::Work(work)).ok()?;
        is_done.await.ok()
    }
}

/// Holds a data file against a second cloud over the same table, which would know nothing of this one's commands.
fn hold(data: Option<&Path>) -> Result<Option<File>, ServeError> {
    let Some(path) = data else { return Ok(None) };
    let unusable = |error| ServeError::Data { file: path.to_owned(), error };
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Err(unusable(io::Error::other("another process uses it"))),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

fn deploy(options: ServeOptions, aws_url: String) -> Result<Deployment, ServeError> {
    let start = real_moment();
    // Ids are drawn too: a run that goes on with an earlier one's table must not draw the same again.
    let seed = match options.data {
        Some(_) => seed::derive(options.seed, &start.to_string()),
        None => options.seed,
    };
    let settings = DeploymentOptions { start, data: options.data, ..DeploymentOptions::served(seed) };
    let deployment = Deployment::new(options.fleet, &settings)?;
    {
        let mut cloud = deployment.simulation.cloud();
        cloud.sqs.answer_at(aws_url);
        for document in options.documents {
            let format = if document.text.trim_start().starts_with('{') { "JSON" } else { "YAML" };
            let registered =
                cloud.ssm.register_document(&document.name, &document.text, document.kind, format);
            registered.map_err(|error| ServeError::Document { file: document.file, error })?;
        }
    }
    Ok(deployment)
}

/// What the thread does.
struct Loop {
    deployment: Deployment,
    tempo: Tempo,
    received: Receiver<Asked>,
    /// Functions outside, by the access key they sign with.
    outside: BTreeMap<String, Caller>,
}

impl Loop {
    fn new(
        mut deployment: Deployment,
        speed: f64,
        received: Receiver<Asked>,
        outside: Option<&Outside>,
    ) -> Self {
        let mut callers = BTreeMap::new();
        let tempo = if let Some(outside) = outside {
            for function in deployment.functions() {
                callers.insert(function.name.clone(), deployment.simulation.caller(&function));
                deployment.simulation.replace_function(outside.definition(function));
            }
            // What is outside has the real clock.
            Tempo::new(real_moment(), 1.0)
        } else {
            Tempo::new(deployment.simulation.now(), speed)
        };
        Self { deployment, tempo, received, outside: callers }
    }

    /// Until nobody can ask any more.
    fn run(mut self) -> Result<(), SimulationError> {
        loop {
            self.follow()?;
            let next = self.deployment.simulation.next_at();
            let wait = next.map_or(LONGEST_WAIT, |at| self.tempo.until(at).min(LONGEST_WAIT));
            match self.received.recv_timeout(wait) {
                Ok(first) => {
                    self.follow()?;
                    self.take(first);
                    while let Ok(another) = self.received.try_recv() {
                        self.take(another);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Brings virtual time to the present, or as near as the time for it allows.
    fn follow(&mut self) -> Result<(), SimulationError> {
        let (begun, present) = (real_now(), self.tempo.present());
        let simulation = &mut self.deployment.simulation;
        simulation.catch_up(present, || real_now().duration_since(begun) > PATIENCE)?;
        // Functions outside would be ahead for ever: for them it hurries.
        if simulation.now() < present && self.outside.is_empty() {
            self.tempo.slip(simulation.now());
        }
        Ok(())
    }

    fn take(&mut self, asked: Asked) {
        let simulation = &mut self.deployment.simulation;
        // Whoever closed the connection is not answered.
        match asked {
            Asked::Aws(AwsRequest { request, access_key }, answer) => {
                if let Some(caller) = access_key.and_then(|key| self.outside.get(&key)) {
                    let (clock, cloud) = (simulation.clock(), simulation.shared_cloud());
                    let called = function_call::call(clock, cloud, caller.clone(), request, answer);
                    drop(simulation.spawn(called));
                    return;
                }
                let first = serve(&mut simulation.cloud(), &request);
                match long_poll::patience(&request, &first) {
                    Some(patience) => {
                        let (clock, cloud) = (simulation.clock(), simulation.shared_cloud());
                        drop(simulation.spawn(long_poll::wait(clock, cloud, request, patience, answer)));
                    }
                    None => drop(answer.send(first)),
                }
            }
            Asked::Api(event, answer) => {
                let invoker = simulation.invoker();
                let endpoint = Endpoint::of(event["headers"]["x-amz-target"].as_str());
                drop(simulation.spawn(async move {
                    let _ = answer.send(invoker.invoke(endpoint.function(), event).await);
                }));
            }
            Asked::Work(work) => work(&mut self.deployment),
            Asked::Look => {}
        }
    }
}

/// Applies a request, and counts it.
pub(super) fn serve(cloud: &mut Cloud, request: &Request) -> Answer {
    let answer = cloud.handle(CALLER, request);
    let count = cloud.counters.call(CALLER, &request.action());
    count.applied += 1;
    count.refused += u64::from(answer.error_code().is_some());
    answer
}
