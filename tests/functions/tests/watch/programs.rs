//! The two programs: `fleetwright local`, and `cargo lambda watch`.

use crate::client::Client;
use crate::clock;
use fleetwright_functions::OF_A_PACKAGE;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

const WORKSPACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// How long a program may take to listen, or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A port nobody listens on.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}

/// A program that an environment variable names, as `cargo xtask functions` sets it, with nothing of what else is in the
/// environment for functions, or for this test.
fn command(variable: &str) -> Command {
    #[expect(clippy::disallowed_methods, reason = "the programs are not this package's")]
    let program = std::env::var(variable);
    let program = program.unwrap_or_else(|_| panic!("{variable} names no program: cargo xtask functions"));
    let mut command = Command::new(program);
    command.current_dir(WORKSPACE).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let is_of = |prefix: &&str| name.to_string_lossy().starts_with(prefix);
        if ["AWS_", "FLEETWRIGHT_"].iter().chain(&OF_A_PACKAGE).any(is_of) {
            command.env_remove(&name);
        }
    }
    command
}

/// A process that is told to end, with all it has started, when it is not needed any more.
struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let told = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let ended = clock::wait_for(PATIENCE, || self.0.try_wait().ok().flatten());
        if ended.is_none() || told.is_err() {
            // Functions whose Lambda is gone end by themselves.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// `fleetwright local` with the example runbook and a fleet that is quick.
pub(crate) struct Local {
    _program: Program,
    urls: Value,
}

impl Local {
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut command = command("FLEETWRIGHT");
        command.stdout(Stdio::piped()).args(["local", "--format", "json", "--seed", "7"]);
        command.args(["--aws-port", "0", "--api-port", "0", "--documents", "examples"]);
        command.args(["--fleet", "examples/quick-fleet.yaml"]).args(options);
        let mut program = Program::start(&mut command);
        let mut line = String::new();
        let output = program.0.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let urls = serde_json::from_str(&line).expect("it says where it listens");
        Self { _program: program, urls }
    }

    /// Where AWS answers.
    pub(crate) fn aws(&self) -> &str {
        self.urls["aws"].as_str().expect("a URL")
    }

    /// A caller of the API.
    pub(crate) fn client(&self) -> Client {
        Client::new(self.urls["api"].as_str().expect("a URL"))
    }

    /// What a function that is deployed here reads from its environment.
    pub(crate) fn environment_of(&self, function: &str) -> BTreeMap<String, String> {
        let path = format!("/2015-03-31/functions/fleetwright-{function}/configuration");
        let variables = Client::new(self.aws()).get(&path)["Environment"]["Variables"].take();
        serde_json::from_value(variables).expect("texts by name")
    }

    /// How many messages are in a queue.
    pub(crate) fn messages_in(&self, queue: &str) -> usize {
        let url = format!("https://sqs.us-east-1.amazonaws.com/123456789012/{queue}");
        let asked = json!({ "QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"] });
        let answer = Client::new(self.aws()).call("AmazonSQS.GetQueueAttributes", &asked);
        let count = answer["Attributes"]["ApproximateNumberOfMessages"].as_str().expect("a count");
        count.parse().expect("a number")
    }
}

/// `cargo lambda watch` over the workspace.
pub(crate) struct Watch {
    _program: Program,
    log: PathBuf,
}

impl Watch {
    /// Starts it, with functions whose AWS is at `aws`. A function is built and run when it is first invoked.
    pub(crate) fn start(port: u16, aws: &str) -> Self {
        let log =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("watch-{}.log", std::process::id()));
        let output = File::create(&log).expect("a file");
        let mut command = command("CARGO_LAMBDA");
        command.args(["lambda", "watch", "--ignore-changes", "--color", "never"]);
        command.args(["--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()]);
        command.stdout(output.try_clone().expect("a file")).stderr(output).env("AWS_ENDPOINT_URL", aws);
        let watch = Self { _program: Program::start(&mut command), log };
        let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok();
        assert!(clock::wait_for(PATIENCE, listens).is_some(), "nobody listens on {port}");
        watch
    }

    /// Whether it has run a function.
    pub(crate) fn has_started(&self, function: &str) -> bool {
        self.said().contains(&format!("starting lambda function instance function=\"{function}\""))
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("── cargo lambda watch, and the functions:\n{}", self.said());
        }
        // It is in the target directory: one that stays is in nobody's way.
        let _ = fs::remove_file(&self.log);
    }
}
