//! The functions as processes of their own under a burst: a thousand nodes end at once, and their events come through the
//! embedded queues. How much memory each process has had at most.

use crate::burst;
use crate::programs::{FUNCTIONS, Programs};
use crate::time::wait;
use fleetwright_local::serve::{ServeError, ServeOptions, ServedDocument, Server};
use fleetwright_processes::{Function, Lambda};
use fleetwright_protocols::steady_fleet;
use futures::FutureExt;
use futures::channel::oneshot;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use ureq::Agent;

/// How long each node works, in seconds: long enough that the last command is sent before the first node ends.
const WORK_SECONDS: i64 = 20;
/// Batches under way at the same time, as `template.yaml` allows.
const AT_ONCE: usize = 5;
/// Between two looks, and how often it is looked.
const PAUSE: Duration = Duration::from_millis(500);
const LOOKS: usize = 360;
/// Longer than a function may take.
const PATIENCE: Duration = Duration::from_secs(70);
const DOCUMENT: &str = "Burst";

/// The embedded cloud, on a thread of its own.
struct Served {
    api: String,
    environments: Vec<BTreeMap<&'static str, String>>,
    over: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
}

impl Served {
    fn start(options: ServeOptions) -> Result<Self, String> {
        let (tell, told) = mpsc::channel();
        let (over, is_over) = oneshot::channel();
        let server = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let server = Server::start(options).await?;
                let environments = FUNCTIONS.map(|(name, _)| server.environment(name)).into();
                // Whoever does not listen any more has failed already.
                let _ = tell.send((server.api_url(), environments));
                server.run(is_over.map(drop)).await
            })
        });
        let (api, environments) = told.recv().map_err(|_| "the embedded cloud did not start".to_owned())?;
        Ok(Self { api, environments, over, server })
    }
}

/// The megabytes that each function's processes have had at most.
///
/// # Errors
/// What did not start, end or answer.
pub fn measure(programs: &Programs) -> Result<Vec<(&'static str, f64)>, String> {
    let mut lambda = Lambda::start().map_err(|error| error.to_string())?;
    let fleet = steady_fleet(burst::EVENTS, WORK_SECONDS);
    let nodes: Vec<String> = fleet.nodes().iter().map(|node| node.id.to_string()).collect();
    let served = Served::start(ServeOptions {
        aws_port: 0,
        api_port: 0,
        fleet,
        documents: vec![document()],
        data: None,
        seed: 0,
        speed: 1.0,
        functions: Some(lambda.url().parse().map_err(|_| "Lambda has no URL".to_owned())?),
    })?;
    for ((name, id), environment) in FUNCTIONS.into_iter().zip(&served.environments) {
        let processes = if name == "on-command-event" { AT_ONCE } else { 1 };
        let function =
            Function { name, program: programs.function(id), environment: environment.clone(), processes };
        lambda.add(function).map_err(|error| format!("{name}: {error}"))?;
    }
    let played = play(&served.api, &nodes);
    let peaks = played.and_then(|()| peaks(&lambda));
    drop(lambda);
    let Served { over, server, .. } = served;
    drop(over);
    let ended = server.join().map_err(|_| "the embedded cloud failed".to_owned())?;
    ended.map_err(|error| error.to_string())?;
    peaks
}

fn document() -> ServedDocument {
    let text = burst::RUNBOOK.replace("PT1H", "PT1S");
    ServedDocument { file: DOCUMENT.to_owned(), name: DOCUMENT.to_owned(), text, kind: "Automation" }
}

/// Starts it, waits for its end, and looks at all of it.
fn play(api: &str, nodes: &[String]) -> Result<(), String> {
    let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
    let agent: Agent = config.build().into();
    let call = |operation: &str, body: &Value| -> Result<Value, String> {
        let request = agent.post(api).header("x-amz-target", format!("AmazonSSM.{operation}"));
        read(operation, request.send(body.to_string()))
    };
    let started = call(
        "StartAutomationExecution",
        &json!({ "DocumentName": DOCUMENT, "Parameters": { "Nodes": nodes } }),
    )?;
    let id = &started["AutomationExecutionId"];
    let status = || -> Result<String, String> {
        let found = call("GetAutomationExecution", &json!({ "AutomationExecutionId": id }))?;
        Ok(found["AutomationExecution"]["AutomationExecutionStatus"].as_str().unwrap_or_default().to_owned())
    };
    let mut last = String::new();
    for _ in 0..LOOKS {
        last = status()?;
        if last == "Success" {
            break;
        }
        wait(PAUSE);
    }
    if last != "Success" {
        return Err(format!("after {LOOKS} looks, the burst's execution is {last}"));
    }
    let id = id.as_str().unwrap_or_default();
    for path in ["", "/steps", "/summary", "/nodes?limit=1000", "/groups", "/timeline"] {
        let url = format!("{api}/executions/{id}{path}");
        let answer = read(path, agent.get(&url).call())?;
        if path.starts_with("/nodes") && answer["Nodes"].as_array().is_none_or(Vec::is_empty) {
            return Err(format!("no nodes: {answer:.200}"));
        }
    }
    Ok(())
}

fn read(what: &str, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, String> {
    let mut answer = answer.map_err(|error| format!("{what}: {error}"))?;
    let text = answer.body_mut().read_to_string().map_err(|error| format!("{what}: {error}"))?;
    if answer.status() != 200 {
        return Err(format!("{what}: {text}"));
    }
    serde_json::from_str(&text).map_err(|error| format!("{what}: {error}"))
}

/// What Linux says they have had at most (proc_pid_status(5), VmHWM).
fn peaks(lambda: &Lambda) -> Result<Vec<(&'static str, f64)>, String> {
    let mut peaks: BTreeMap<&'static str, f64> = BTreeMap::new();
    for (name, id) in lambda.process_ids() {
        let status =
            std::fs::read_to_string(format!("/proc/{id}/status")).map_err(|error| error.to_string())?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kb| kb.parse().ok());
        let megabytes = kilobytes.map(|kilobytes: f64| kilobytes / 1024.0).ok_or("no VmHWM")?;
        let peak = peaks.entry(name).or_default();
        *peak = peak.max(megabytes);
    }
    let peak = |(name, _)| Ok((name, *peaks.get(name).ok_or_else(|| format!("{name} does not run"))?));
    FUNCTIONS.into_iter().map(peak).collect()
}
