//! The embedded cloud over HTTP with its table in a file, and the functions' own programs on an emulated Lambda.

use crate::client::Client;
use crate::trouble::SlowAnswers;
use fleetwright_local::fleet::Fleet;
use fleetwright_local::serve::{Console, ServeError, ServeOptions, ServedDocument, Server};
use fleetwright_local::{Deployment, NoFaults, TABLE};
use fleetwright_processes::{Function, Lambda};
use fleetwright_protocols::text;
use futures::FutureExt;
use futures::channel::oneshot;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

/// Three steps, each in several commands; failures are tolerated.
pub(crate) const STAGES: &str = "Stages";
/// A step, and one for the nodes that failed in it.
pub(crate) const RETRY: &str = "Retry";

/// The functions' names and programs.
const FUNCTIONS: [(&str, &str, usize); 4] = [
    ("on-command-event", env!("CARGO_BIN_EXE_process-on-command-event"), 2),
    ("reconcile", env!("CARGO_BIN_EXE_process-reconcile"), 1),
    ("api-read", env!("CARGO_BIN_EXE_process-api-read"), 1),
    ("api-control", env!("CARGO_BIN_EXE_process-api-control"), 1),
];

const FLEET: &str = "
groups:
  - name: web
    count: 24
    tags: { Role: web }
    behaviours: [{ duration: 1s..4s, failed: 6% }]
  - name: flaky
    count: 6
    tags: { Role: flaky }
    behaviours: [{ duration: 1s..4s, failsFirst: 1, failed: 30% }]
";

/// All of it.
pub(crate) struct Stage {
    /// The emulated Lambda.
    pub(crate) lambda: Lambda,
    served: Served,
    folder: PathBuf,
}

/// What the server says when it is ready.
struct Ready {
    api: String,
    console: Console,
    environments: Vec<BTreeMap<&'static str, String>>,
}

/// The cloud, on a thread of its own.
struct Served {
    ready: Ready,
    over: oneshot::Sender<()>,
    server: JoinHandle<Result<(), ServeError>>,
}

impl Stage {
    /// Everything runs, and answers late.
    pub(crate) fn set(seed: u64) -> Self {
        let folder =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("killed-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut lambda = Lambda::start().expect("a port");
        let fleet = Fleet::parse(FLEET, seed).expect("a fleet");
        let nodes: Vec<String> = fleet.nodes().iter().map(|node| node.id.to_string()).collect();
        let options = ServeOptions {
            aws_port: 0,
            api_port: 0,
            fleet,
            documents: documents(&nodes),
            data: Some(folder.join("table.db")),
            seed,
            speed: 1.0,
            functions: Some(lambda.url().parse().expect("a URL")),
        };
        let served = Served::start(options);
        for ((name, program, processes), environment) in FUNCTIONS.into_iter().zip(&served.ready.environments)
        {
            let (program, environment) = (PathBuf::from(program), environment.clone());
            lambda.add(Function { name, program, environment, processes }).expect("it runs");
        }
        let slow = SlowAnswers::new(seed);
        let work = move |deployment: &mut Deployment| deployment.simulation.set_faults(Box::new(slow));
        block_on(served.ready.console.run(work));
        Self { lambda, served, folder }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.served.ready.api.clone())
    }

    pub(crate) fn console(&self) -> Console {
        self.served.ready.console.clone()
    }

    /// All processes die for good; the same cloud goes on with functions of its own, with nothing slow, and as fast as
    /// it can.
    pub(crate) fn heal<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Deployment) -> T + Send + 'static,
    ) -> T {
        self.lambda.clear();
        block_on(self.served.ready.console.run(|deployment| {
            deployment.simulation.set_faults(Box::new(NoFaults));
            deployment.embed_functions();
            work(deployment)
        }))
    }

    /// Ends everything, and leaves nothing.
    pub(crate) fn clear(self) {
        drop(self.lambda);
        let Served { ready, over, server } = self.served;
        drop((ready, over));
        server.join().expect("it ends").expect("it ends well");
        std::fs::remove_dir_all(self.folder).expect("removed");
    }
}

impl Served {
    fn start(options: ServeOptions) -> Self {
        let (tell, ready) = mpsc::channel();
        let (over, is_over) = oneshot::channel();
        let server = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let server = Server::start(options).await?;
                let (api, console) = (server.api_url(), server.console());
                let environments = FUNCTIONS.map(|(name, ..)| server.environment(name)).into();
                let _ = tell.send(Ready { api, console, environments });
                server.run(is_over.map(drop)).await
            })
        });
        Self { ready: ready.recv().expect("it starts"), over, server }
    }
}

/// What comes of work at the console.
pub(crate) fn block_on<T>(work: impl Future<Output = Option<T>>) -> T {
    futures::executor::block_on(work).expect("the cloud runs")
}

/// The tokens of an execution's sends, as stored.
pub(crate) fn tokens(deployment: &Deployment, id: &str) -> BTreeSet<String> {
    let key = format!("EXEC#{id}");
    let items = deployment.simulation.cloud().dynamodb.items(TABLE).expect("the table");
    let own = items.iter().filter(|item| text(item, "pk") == Some(&key));
    own.filter_map(|item| text(item, "sk")?.strip_prefix("SEND#").map(str::to_owned)).collect()
}

fn documents(nodes: &[String]) -> Vec<ServedDocument> {
    let step = |name: &str, to: &str, more: &str| {
        format!(
            "  - name: {name}\n    action: aws:runCommand\n    onFailure: Continue\n    isCritical: false\n    \
             inputs:\n      DocumentName: AWS-RunShellScript\n      InstanceIds: {to}\n      \
             Parameters: {{ commands: [uptime] }}\n      MaxErrors: '100%'\n{more}"
        )
    };
    let all = serde_json::json!(nodes).to_string();
    let in_five = "      MaxConcurrency: '6'\n";
    let stages = ["prepare", "change", "verify"].map(|name| step(name, &all, in_five)).concat();
    let retry = step("first", &all, "") + &step("again", "'{{ first.FailedInstanceIds }}'", "");
    [(STAGES, stages), (RETRY, retry)]
        .map(|(name, steps)| ServedDocument {
            file: name.to_owned(),
            name: name.to_owned(),
            text: format!("schemaVersion: '0.3'\nmainSteps:\n{steps}"),
            kind: "Automation",
        })
        .into()
}
