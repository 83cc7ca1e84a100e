//! What the command line takes.

use clap::{Args, Parser, Subcommand, ValueEnum};
use fleetwright_local::serve::LambdaEndpoint;
use std::path::PathBuf;
use std::time::Duration;

/// SSM Automation runbooks over whole fleets, driven by events.
#[derive(Debug, Parser)]
#[command(name = "fleetwright", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run an example patch night over 120 simulated nodes, and watch it.
    ///
    /// Everything runs in this process: an embedded AWS, Fleetwright's own functions, and a fleet of which some nodes
    /// fail, some hang, and one cannot be reached. Exit status 0 if the runbook ended in Success, else 1.
    Demo(Demo),
    /// Run a runbook against a simulated fleet, in virtual time, without an AWS account.
    ///
    /// Steps whose actions cannot run here yet, steps that wait for people, and all of them without a fleet, are answered
    /// for: as the mocks file says, else with success and outputs of the declared types.
    ///
    /// Exit status 0 if the execution ended in Success, 1 if it did not, 2 if the input cannot be used.
    Simulate(Simulate),
    /// Serve an embedded AWS with a simulated fleet, and Fleetwright in it, over HTTP on this machine.
    ///
    /// One port is AWS to any SDK: SSM with its documents and nodes, DynamoDB, SNS, SQS and EventBridge. The other is
    /// Fleetwright's own API. Signatures are not verified, and the name of the access key is taken for the caller's.
    ///
    /// Ends with exit status 0 when interrupted; 2 if a port or a file cannot be used.
    Local(Local),
    /// Check runbooks, and say what is wrong and where. Nothing is run.
    ///
    /// Exit status 0 if all files are valid, warnings or not; 1 if some are not, or cannot be read; 2 if the command
    /// line cannot be used.
    Validate(Validate),
    /// Start a runbook.
    ///
    /// Prints the id of the execution. Exit status 0 if it was started; with --watch those of `watch`.
    Start(Start),
    /// Watch an execution until it ends, or is set aside and waits for a person.
    ///
    /// Ctrl-C ends the watching, not the execution. Exit status 0 if the execution ended in Success, else 1.
    Watch(Watch),
    /// Show what executions came to: steps, failures, slow nodes, and what to do next.
    ///
    /// Exit status 0 if the execution ended in Success, or is under way; 1 if it did not succeed, or was set aside; 2 if
    /// the question cannot be answered. Lists have exit status 0.
    Results(Results),
    /// Stop an execution. Its commands are cancelled; steps that its runbook has for this case still run.
    ///
    /// Exit status 0 if it is stopping, 2 if it cannot be stopped.
    Stop(Stop),
    /// Answer an execution that waits for a person.
    ///
    /// Exit status 0 if it took the signal, 2 if it doesn't wait for that one.
    Signal(Signal),
    /// Sign requests with your AWS credentials, and pass them on to Fleetwright's function URLs.
    ///
    /// Listens on this machine only, until it is interrupted. Fleetwright's own commands, the aws CLI (--endpoint-url),
    /// SDKs and a browser can then talk to a deployed Fleetwright. Whoever can connect to the port acts with your
    /// credentials; pages of other sites cannot.
    Proxy(Proxy),
    /// Check a deployment for what commonly breaks its guarantees, and say what mends it. Nothing is changed.
    ///
    /// Looks at the functions, the schedule, the rules, the service role, the queues and what was put aside, and the
    /// clocks. Needs credentials that may read these.
    ///
    /// Exit status 0 if all is in order; 1 if something is wrong or could not be checked.
    Doctor(Doctor),
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// What chance is drawn from: the same seed is the same night.
    #[arg(long, value_name = "S", default_value_t = 7)]
    pub(crate) seed: u64,
    /// Virtual seconds that pass in a real second. Left out, the pace adapts: slow while nodes report, fast while
    /// nothing happens, about ten seconds in all. What happens does not depend on it.
    #[arg(long, value_name = "X", value_parser = speed)]
    pub(crate) speed: Option<f64>,
    /// How the result is printed. With json nothing else stands on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Options of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// An SSM Automation document, schema 0.3, in YAML or JSON.
    pub(crate) runbook: PathBuf,
    /// A parameter of the runbook. Repeat it for the items of a list; a StringList also takes JSON.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// How many nodes a made-up mixed fleet has. Without a fleet, steps that need one succeed unseen.
    #[arg(long, value_name = "N", conflicts_with = "fleet", value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub(crate) nodes: Option<u32>,
    /// A fleet file: groups of nodes, their tags, patches and behaviour.
    #[arg(long, value_name = "FILE")]
    pub(crate) fleet: Option<PathBuf>,
    /// A mocks file: what steps answer that no fleet answers for, and parameters.
    #[arg(long, value_name = "FILE")]
    pub(crate) mocks: Option<PathBuf>,
    /// What chance is drawn from: the same seed is the same run.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Virtual time after which an execution that has not ended is given up, such as 90m, 36h or 30d. The default is
    /// longer than any command lives.
    #[arg(long, value_name = "TIME", default_value = "8d", value_parser = limit)]
    pub(crate) limit: Duration,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Options of `local`.
#[derive(Debug, Args)]
pub(crate) struct Local {
    /// The port that is AWS. 0 takes any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 4566)]
    pub(crate) aws_port: u16,
    /// The port that is Fleetwright's API. 0 takes any that is free.
    #[arg(long, value_name = "PORT", default_value_t = 4567)]
    pub(crate) api_port: u16,
    /// How many nodes a made-up mixed fleet has.
    #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "fleet", value_parser = clap::value_parser!(u32).range(1..=200_000))]
    pub(crate) nodes: u32,
    /// A fleet file: groups of nodes, their tags, patches and behaviour.
    #[arg(long, value_name = "FILE")]
    pub(crate) fleet: Option<PathBuf>,
    /// A folder whose .yaml, .yml and .json files are registered as documents, however deep, each under its file's
    /// name: Automation documents by their schema 0.3, Command documents by 1.2, 2.0 and 2.2. A file that is neither
    /// is refused; fleet files are passed over.
    #[arg(long, value_name = "DIR")]
    pub(crate) documents: Option<PathBuf>,
    /// A file that keeps Fleetwright's table, which a later run takes up again. What the simulated SSM knew (commands,
    /// documents made over HTTP) and what stood in queues is gone with the process. Time passes as it
    /// does: what is stored is as old as it looks.
    #[arg(long, value_name = "FILE", conflicts_with = "speed")]
    pub(crate) data: Option<PathBuf>,
    /// What chance is drawn from: the made-up fleet, and what happens on it.
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Virtual seconds that pass in a real second: with 60, an hour takes a minute.
    #[arg(long, value_name = "X", default_value_t = 1.0, value_parser = speed)]
    pub(crate) speed: f64,
    /// Where the functions are invoked instead of in here: an endpoint that speaks Lambda's Invoke API, such as
    /// `http://127.0.0.1:9000`, where `cargo lambda watch` runs their programs. Their AWS is the port that is AWS, and
    /// their access keys are their names. They have real clocks, so time passes as it does.
    #[arg(long, value_name = "URL", conflicts_with = "speed")]
    pub(crate) functions: Option<LambdaEndpoint>,
    /// How it says that it is ready. With json: one line, with the URLs of both ports.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Options of `validate`.
#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// SSM Automation documents, schema 0.3, in YAML or JSON; of a folder all .yaml, .yml and .json files that are
    /// not hidden, however deep.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Warn of what SSM Automation itself would not know.
    #[arg(long)]
    pub(crate) portable: bool,
    /// How the result is printed. With json nothing else stands on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Where Fleetwright answers.
#[derive(Debug, Args)]
pub(crate) struct Service {
    /// Where Fleetwright's API answers: what `fleetwright local` or `fleetwright proxy` says when it is ready.
    #[arg(long, value_name = "URL", env = "FLEETWRIGHT_ENDPOINT", default_value = DEFAULT_ENDPOINT)]
    pub(crate) endpoint: String,
}

/// Where `fleetwright local` and `fleetwright proxy` listen unless told otherwise.
pub(crate) const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:4567";
const DEFAULT_PORT: u16 = 4567;

/// Options of `start`.
#[derive(Debug, Args)]
pub(crate) struct Start {
    /// The name of a runbook that is registered as an SSM document.
    pub(crate) document: String,
    /// A parameter of the runbook. Repeat it for the items of a list; a StringList also takes JSON.
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// The version of the document: a number, $DEFAULT or $LATEST.
    #[arg(long, value_name = "V")]
    pub(crate) document_version: Option<String>,
    /// A UUID: the same start with the same token is the same execution.
    #[arg(long, value_name = "UUID")]
    pub(crate) client_token: Option<uuid::Uuid>,
    /// Watch it until it ends.
    #[arg(long)]
    pub(crate) watch: bool,
    /// How the result is printed. With json nothing else stands on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Where Fleetwright answers.
    #[command(flatten)]
    pub(crate) service: Service,
}

/// Options of `watch`.
#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// The id of the execution.
    pub(crate) id: String,
    /// How the result is printed. With json nothing else stands on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Where Fleetwright answers.
    #[command(flatten)]
    pub(crate) service: Service,
}

/// Options of `results`.
#[derive(Debug, Args)]
pub(crate) struct Results {
    /// The id of an execution; left out, the most recent executions are listed.
    pub(crate) id: Option<String>,
    /// Only this step.
    #[arg(long, value_name = "NAME", requires = "id")]
    pub(crate) step: Option<String>,
    /// Only nodes of this outcome.
    #[arg(long, value_enum, requires = "id")]
    pub(crate) status: Option<Outcome>,
    /// List every node.
    #[arg(long, requires = "id", group = "view")]
    pub(crate) nodes: bool,
    /// List every group of nodes that ended alike and said the same.
    #[arg(long, requires = "id", group = "view")]
    pub(crate) groups: bool,
    /// What happened when.
    #[arg(long, requires = "id", group = "view", conflicts_with_all = ["step", "status"])]
    pub(crate) timeline: bool,
    /// What this node went through, whatever the execution.
    #[arg(long, value_name = "NODE", group = "view", conflicts_with = "id")]
    pub(crate) node: Option<String>,
    /// How it is printed. csv and jsonl are lists of nodes, or of groups with --groups.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ResultsFormat,
    /// Where Fleetwright answers.
    #[command(flatten)]
    pub(crate) service: Service,
}

/// What became of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Outcome {
    /// Ran, and ended well.
    Success,
    /// Ran, and ended badly.
    Failed,
    /// Ran into the execution timeout.
    TimedOut,
    /// May have run.
    Unknown,
    /// Never started.
    NotRun,
    /// Not over yet.
    InProgress,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResultsFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
    /// A JSON object per line.
    Jsonl,
}

/// Options of `stop`.
#[derive(Debug, Args)]
pub(crate) struct Stop {
    /// The id of the execution.
    pub(crate) id: String,
    /// End it as Success instead of Cancelled.
    #[arg(long)]
    pub(crate) complete: bool,
    /// Where Fleetwright answers.
    #[command(flatten)]
    pub(crate) service: Service,
}

/// Options of `signal`.
#[derive(Debug, Args)]
pub(crate) struct Signal {
    /// The id of the execution.
    pub(crate) id: String,
    /// The answer.
    #[arg(value_enum)]
    pub(crate) kind: SignalKind,
    /// Why, for whoever asks later.
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
    /// The step it is for.
    #[arg(long, value_name = "NAME")]
    pub(crate) step: Option<String>,
    /// Where Fleetwright answers.
    #[command(flatten)]
    pub(crate) service: Service,
}

/// What a waiting execution is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignalKind {
    /// Approve the step that waits for approval.
    Approve,
    /// Reject it.
    Reject,
    /// Go on, after a pause or after it was set aside.
    Resume,
    /// Start a step.
    StartStep,
    /// Stop a step.
    StopStep,
}

/// Options of `proxy`.
#[derive(Debug, Args)]
pub(crate) struct Proxy {
    /// The function URL that reads.
    #[arg(long, value_name = "URL")]
    pub(crate) read_url: String,
    /// The function URL that starts, stops, sends and signals.
    #[arg(long, value_name = "URL")]
    pub(crate) control_url: String,
    /// The port to listen on; 0 takes any that is free.
    #[arg(long, default_value_t = DEFAULT_PORT)]
    pub(crate) port: u16,
    /// The Region to sign for. The default is the one that stands in the URL.
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// The profile of the AWS configuration to take credentials from.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// How it says that it is ready.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// The stack: the names of its functions begin with it, such as NAME-reconcile.
    #[arg(long, value_name = "NAME", default_value = "fleetwright")]
    pub(crate) stack: String,
    /// Where Fleetwright's API answers. Left out, the function URL of NAME-api-read is asked, signed with your
    /// credentials.
    #[arg(long, value_name = "URL", env = "FLEETWRIGHT_ENDPOINT")]
    pub(crate) endpoint: Option<String>,
    /// Where AWS answers, if not at its own addresses: what `fleetwright local` says when it is ready. On this machine
    /// no credentials are needed.
    #[arg(long, value_name = "URL")]
    pub(crate) aws_url: Option<String>,
    /// The Region of the deployment. The default is that of the environment or the AWS configuration.
    #[arg(long)]
    pub(crate) region: Option<String>,
    /// The profile of the AWS configuration to take credentials from.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// How the result is printed. With json nothing else stands on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// How a result is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        Some(_) | None => Err("it is written NAME=VALUE".to_owned()),
    }
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        Ok(_) | Err(_) => Err("it is a number above 0, such as 60".to_owned()),
    }
}

fn limit(text: &str) -> Result<Duration, String> {
    let unit = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)].into_iter();
    let seconds = unit
        .filter_map(|(unit, seconds)| {
            text.strip_suffix(unit)?.parse::<u32>().ok().map(|n| u64::from(n) * seconds)
        })
        .next();
    // An execution that is older than 90 days is ended.
    let allowed = 1..=100 * 86_400;
    let seconds = seconds.filter(|seconds| allowed.contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "it is written 90m, 36h or 8d, at most 100d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_parameter_is_a_name_and_a_value_that_may_hold_anything() {
        assert_eq!(parameter("Filter=tag=a=b"), Ok(("Filter".to_owned(), "tag=a=b".to_owned())));
        assert_eq!(parameter("Empty="), Ok(("Empty".to_owned(), String::new())));
        assert!(parameter("Empty").is_err());
        assert!(parameter("=value").is_err());
    }

    #[test]
    fn a_limit_is_a_time_with_its_unit() {
        assert_eq!(limit("36h"), Ok(Duration::from_secs(36 * 3600)));
        for text in ["", "8", "0d", "101d", "-1h", "soon"] {
            assert!(limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_speed_is_above_zero() {
        assert_eq!(speed("60"), Ok(60.0));
        for text in ["0", "-1", "inf", "NaN", "fast"] {
            assert!(speed(text).is_err(), "{text}");
        }
    }
}
