//! Fleetwright in the embedded cloud, as it is deployed: one table, two queues with their dead-letter
//! queues, a topic, rules, a schedule, and the functions' own handlers behind the real SDK clients.

mod entropy;
mod environment;
mod functions;
mod url_event;
mod wiring;

pub use url_event::ApiError;
pub(crate) use url_event::{UrlAnswer, UrlRequest, access_key};

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use dynoxide::DynoxideError;
use fleetwright_engine::{Answer, ExecutionId};
use fleetwright_orchestrator::{Allowance, AssumeRoles, Config, Notifications, Orchestrator, create_table};
use fleetwright_runbook::StepName;
use fleetwright_wire::{Endpoint, ServiceError};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use thiserror::Error;

use environment::{environment, process_environment};
use url_event::{post, read_answer, url_event};
use wiring::{NOTIFIER, PEOPLE, PROMPT, TOPIC, connect, event_sources};

use crate::clock::START;
use crate::dynamodb::{DynamoDb, Keeper};
use crate::fleet::{Fleet, Span};
use crate::lambda::{FunctionDefinition, InvokeError};
use crate::names::{ACCOUNT, REGION, queue_url, role_arn, topic_arn};
use crate::queue::QueueOptions;
use crate::sdk::SdkClients;
use crate::simulation::{Simulation, SimulationError, SimulationOptions, Stop};
use crate::sns::{Subscription, Target};
use crate::ssm::{Ssm, SsmOptions};

/// The table's name.
pub const TABLE: &str = "fleetwright";
/// Nothing of the set-up takes longer, in virtual time.
const SET_UP_LIMIT: Duration = Duration::from_secs(60);
/// An answer for a step takes no longer, in virtual time.
const ANSWER_TAKES: SignedDuration = SignedDuration::from_secs(60);
/// Days that finished executions are kept.
pub(crate) const RETENTION_DAYS: u32 = 365;

/// What differs between simulated deployments.
#[derive(Debug, Clone)]
pub struct DeploymentOptions {
    /// The seed everything is drawn from.
    pub seed: u64,
    /// When virtual time begins.
    pub start: Timestamp,
    /// The file the tables are kept in, which is made if it is not there; without one they are in memory.
    pub data: Option<PathBuf>,
    /// How much later than a consistent read any other read, and every read of an index, sees what was written: between
    /// two bounds, drawn for each write, never before an earlier one. Without it all reads see everything at once.
    /// Only for tables in memory. (Eventual consistency of indexes: DynamoDB developer guide, "Global secondary
    /// indexes": usually well under a second, and nobody promises a bound.)
    pub index_lag: Option<Span>,
    /// How SSM behaves.
    pub ssm: SsmOptions,
    /// Whether Run Command publishes to our topic.
    pub notifications: bool,
    /// Whether EventBridge rules bring command status changes.
    pub command_events: bool,
    /// Whether an account-wide rule brings what happens on nodes as well, and commands of others are tracked.
    pub invocation_events: bool,
    /// Whether an absent send is sent again; else the execution is parked.
    pub resend_absent: bool,
    /// Whether the end of executions is told: to people, whose queue is `people`, and to programs, whose queue is
    /// `programs`.
    pub announce: bool,
    /// Steps that [`Deployment::answer`] answers for instead of their being performed.
    pub answered: BTreeSet<StepName>,
    /// The roles that runbooks may assume, by ARN; none listed means that any is taken and recorded only.
    pub roles: Vec<String>,
    /// Whether calls and deliveries are kept line by line.
    pub keep_trace: bool,
}

impl DeploymentOptions {
    /// A deployment that is served over HTTP: what others send past our API is shown as well.
    pub(crate) fn served(seed: u64) -> Self {
        Self { invocation_events: true, ..Self::seeded(seed) }
    }

    /// A deployment of the usual kind.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            start: START,
            data: None,
            index_lag: None,
            ssm: SsmOptions::default(),
            notifications: true,
            command_events: true,
            invocation_events: false,
            resend_absent: true,
            announce: false,
            answered: BTreeSet::new(),
            roles: Vec::new(),
            keep_trace: false,
        }
    }
}

/// Why a simulated deployment did not do what it was asked.
#[derive(Debug, Error)]
pub enum DeploymentError {
    /// The API refused.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// A document was refused.
    #[error(transparent)]
    Document(#[from] ServiceError),
    /// The function failed instead of answering.
    #[error("the function of the API did not answer: {0}")]
    Function(#[from] InvokeError),
    /// Virtual time stands still.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// The file for the tables cannot be used.
    #[error("{} cannot be used: {error}", file.display())]
    Data {
        /// The file.
        file: PathBuf,
        /// Why not.
        error: DynoxideError,
    },
    /// A lag was asked for of tables in a file.
    #[error("only tables in memory can be read late")]
    LateFile,
    /// The tables are kept by somebody else, and the options say where or how as well.
    #[error("tables that somebody else keeps are in no file, and are not read late")]
    KeptTwice,
    /// The table could not be made.
    #[error("the table was not created: {0}")]
    Table(String),
    /// An answer for a step was not taken.
    #[error("an answer was not taken: {0}")]
    Answer(String),
    /// An execution is not over in time.
    #[error("execution {id} had not ended after {limit:?} of virtual time")]
    NotEnded {
        /// The execution.
        id: String,
        /// How long it was given.
        limit: Duration,
    },
}

/// A deployment in an embedded cloud.
pub struct Deployment {
    /// The cloud and its driver.
    pub simulation: Simulation,
    options: DeploymentOptions,
    /// Who answers for steps in a rehearsal: the use cases once more, with their own clients.
    rehearsal: Option<Arc<Orchestrator>>,
}

impl Deployment {
    /// Deploys over a fleet.
    ///
    /// # Errors
    /// When the database engine does not start.
    pub fn new(fleet: Fleet, options: &DeploymentOptions) -> Result<Self, DeploymentError> {
        Self::deploy(fleet, options, None)
    }

    /// Deploys over a fleet, and over tables that somebody else keeps: none of ours yet, and none of them shared.
    ///
    /// # Errors
    /// When the table cannot be made there.
    pub fn over(
        fleet: Fleet,
        options: &DeploymentOptions,
        keeper: Box<dyn Keeper>,
    ) -> Result<Self, DeploymentError> {
        if options.data.is_some() || options.index_lag.is_some() {
            return Err(DeploymentError::KeptTwice);
        }
        Self::deploy(fleet, options, Some(DynamoDb::kept_by(keeper, options.start)))
    }

    fn deploy(
        fleet: Fleet,
        options: &DeploymentOptions,
        kept: Option<DynamoDb>,
    ) -> Result<Self, DeploymentError> {
        let ssm = Ssm::new(fleet, options.ssm.clone(), options.seed);
        let settings =
            SimulationOptions { seed: options.seed, start: options.start, keep_trace: options.keep_trace };
        let mut simulation = Simulation::new(ssm, settings)?;
        let clock_is_ours = kept.is_none();
        if let Some(tables) = kept.map_or_else(|| tables(&simulation, options), |kept| Ok(Some(kept)))? {
            simulation.cloud().dynamodb = tables;
        }
        connect(&simulation, options);
        for function in functions::definitions(&config(options), &options.roles) {
            simulation.add_function(function);
        }
        for source in event_sources() {
            simulation.add_event_source(source);
        }
        simulation.cloud().lambda.configure(environment(&config(options)), options.start);
        let clients = SdkClients::new(&simulation.client("deploy"));
        let may_exist = options.data.is_some();
        let created = async move {
            let request = create_table(&clients.dynamodb, TABLE).map_err(|error| error.to_string())?;
            match request.send().await.map_err(SdkError::into_service_error) {
                Ok(_) => Ok(()),
                // A file of an earlier run has it.
                Err(CreateTableError::ResourceInUseException(_)) if may_exist => Ok(()),
                Err(error) => Err(format!("{error:?}")),
            }
        };
        simulation.block_on(created, SET_UP_LIMIT)?.map_err(DeploymentError::Table)?;
        // By a clock of its own a keeper would delete what has not expired in virtual time.
        if clock_is_ours {
            expire(&simulation);
        }
        Ok(Self { simulation, options: options.clone(), rehearsal: None })
    }

    /// The functions as they are embedded.
    pub(crate) fn functions(&self) -> Vec<FunctionDefinition> {
        functions::definitions(&config(&self.options), &self.options.roles)
    }

    /// Runs the functions in here from now on, wherever they ran before. What they were doing has died.
    pub fn embed_functions(&mut self) {
        for function in self.functions() {
            self.simulation.replace_function(function);
        }
    }

    /// Puts a queue behind a topic that runbooks tell people by: what is published there stays in it.
    pub fn collect(&self, topic: &str) {
        let mut cloud = self.simulation.cloud();
        cloud.sqs.create(topic, QueueOptions::default());
        let target = Target::Queue(topic.to_owned());
        cloud.sns.subscribe(&topic_arn(topic), Subscription { target, raw: true });
    }

    /// What was published to a topic whose messages are collected, or told to programs.
    pub fn collected(&self, topic: &str) -> Vec<String> {
        let cloud = self.simulation.cloud();
        cloud
            .sqs
            .queue(topic)
            .map(|queue| queue.messages().map(|m| m.body.clone()).collect())
            .unwrap_or_default()
    }

    /// Registers an Automation document.
    ///
    /// # Errors
    /// What SSM says of its name or size.
    pub fn register_runbook(&self, name: &str, text: &str) -> Result<(), ServiceError> {
        let format = if text.trim_start().starts_with('{') { "JSON" } else { "YAML" };
        self.simulation.cloud().ssm.register_document(name, text, "Automation", format)
    }

    /// Calls an operation of our API.
    ///
    /// # Errors
    /// The API's own error, or that it gave no answer.
    pub fn call(&mut self, operation: &str, body: &Value) -> Result<Value, DeploymentError> {
        self.request(&post(operation, body))
    }

    /// Calls an operation of our API as somebody, whose ARN that is, with the id an SDK gives a request and its retries.
    ///
    /// # Errors
    /// The API's own error, or that it gave no answer.
    pub fn call_as(
        &mut self,
        caller: &str,
        request_id: &str,
        operation: &str,
        body: &Value,
    ) -> Result<Value, DeploymentError> {
        let mut event = post(operation, body);
        event["requestContext"]["authorizer"]["iam"]["userArn"] = json!(caller);
        event["headers"]["amz-sdk-invocation-id"] = json!(request_id);
        self.request(&event)
    }

    /// Reads a resource of our API, such as `/executions/{id}/summary`.
    ///
    /// # Errors
    /// The API's own error, or that it gave no answer.
    pub fn get(&mut self, path: &str) -> Result<Value, DeploymentError> {
        self.request(&url_event("GET", path, None, ""))
    }

    fn request(&mut self, event: &Value) -> Result<Value, DeploymentError> {
        let endpoint = Endpoint::of(event["headers"]["x-amz-target"].as_str());
        let answer = self.simulation.invoke(endpoint.function(), event.clone())??;
        Ok(read_answer(&answer)?)
    }

    /// Starts an execution; its id.
    ///
    /// # Errors
    /// The API's own error, or that it gave no answer.
    pub fn start(
        &mut self,
        document: &str,
        parameters: &BTreeMap<String, Vec<String>>,
    ) -> Result<String, DeploymentError> {
        let body = json!({ "DocumentName": document, "Parameters": parameters });
        let answer = self.call("StartAutomationExecution", &body)?;
        Ok(answer["AutomationExecutionId"].as_str().unwrap_or_default().to_owned())
    }

    /// Answers for a step.
    ///
    /// # Errors
    /// The step is not answered for, or not any more.
    pub fn answer(&mut self, id: &str, answer: Answer) -> Result<(), DeploymentError> {
        let (id, rehearsal) = (ExecutionId::new(id), self.rehearsal());
        let answered = async move {
            let deadline = rehearsal.now() + ANSWER_TAKES;
            rehearsal.answer(&id, &answer, Allowance::prompt(deadline)).await
        };
        let limit = ANSWER_TAKES.unsigned_abs();
        self.simulation.block_on(answered, limit)?.map_err(|error| DeploymentError::Answer(error.to_string()))
    }

    fn rehearsal(&mut self) -> Arc<Orchestrator> {
        let rehearsal = self.rehearsal.get_or_insert_with(|| {
            let environment = self.simulation.client("rehearsal");
            Arc::new(functions::orchestrator(&environment, config(&self.options), &self.options.roles))
        });
        Arc::clone(rehearsal)
    }

    /// Runs until the execution has ended; when that was.
    ///
    /// # Errors
    /// When it has not ended after `limit` of virtual time.
    pub fn run_to_end(&mut self, id: &str, limit: Duration) -> Result<Timestamp, DeploymentError> {
        let ended = ended(id);
        let outcome = self.simulation.run_until(ended, limit)?;
        if outcome.stop == Stop::Reached {
            Ok(outcome.at)
        } else {
            Err(DeploymentError::NotEnded { id: id.to_owned(), limit })
        }
    }

    /// Lets virtual time pass.
    ///
    /// # Errors
    /// When it stands still.
    pub fn pass(&mut self, time: SignedDuration) -> Result<(), DeploymentError> {
        let time = time.unsigned_abs();
        self.simulation.run_until(|_| false, time).map(drop).map_err(DeploymentError::from)
    }
}

impl DeploymentOptions {
    /// The environment of the function of that name as a process, whose AWS answers at `aws_url`.
    pub(crate) fn process_environment(
        &self,
        function: &str,
        aws_url: &str,
    ) -> BTreeMap<&'static str, String> {
        process_environment(&config(self), function, aws_url)
    }
}

/// Whether an execution has ended: a look at its item, only after something was committed.
pub(crate) fn ended(id: &str) -> impl FnMut(&crate::Cloud) -> bool {
    let key = format!("EXEC#{id}");
    let mut seen = 0;
    move |cloud| {
        let commits = cloud.counters.applied("dynamodb:TransactWriteItems");
        if commits == seen {
            return false;
        }
        seen = commits;
        let request = json!({ "TableName": TABLE, "Key": { "pk": { "S": key }, "sk": { "S": "EXEC" } },
            "ConsistentRead": true, "ProjectionExpression": "#status",
            "ExpressionAttributeNames": { "#status": "status" } });
        let (answer, _) = cloud.dynamodb.handle("GetItem", &request);
        matches!(
            answer.body["Item"]["status"]["S"].as_str(),
            Some("Success" | "Failed" | "TimedOut" | "Cancelled")
        )
    }
}

fn config(options: &DeploymentOptions) -> Config {
    Config {
        table: TABLE.to_owned(),
        prompt_queue_url: Some(queue_url(PROMPT)),
        notifications: options
            .notifications
            .then(|| Notifications { topic_arn: topic_arn(TOPIC), role_arn: role_arn(NOTIFIER) }),
        people_topic_arn: options.announce.then(|| topic_arn(PEOPLE)),
        event_bus: options.announce.then(|| "default".to_owned()),
        place: fleetwright_engine::Place {
            account_id: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            partition: "aws".to_owned(),
        },
        retention_days: RETENTION_DAYS,
        answered: options.answered.clone(),
        resend_absent: options.resend_absent,
        track_others: options.invocation_events,
        assume_roles: if options.roles.is_empty() { AssumeRoles::RecordOnly } else { AssumeRoles::Listed },
    }
}

/// Tables of another kind than those a cloud begins with.
fn tables(simulation: &Simulation, options: &DeploymentOptions) -> Result<Option<DynamoDb>, DeploymentError> {
    match (&options.data, options.index_lag) {
        (None, None) => Ok(None),
        (None, Some(lag)) => {
            let tables = DynamoDb::in_memory_with_lag(&simulation.clock(), lag, options.seed);
            Ok(Some(tables.map_err(SimulationError::from)?))
        }
        (Some(file), None) => {
            let tables = DynamoDb::in_file(file, options.start);
            tables.map(Some).map_err(|error| DeploymentError::Data { file: file.clone(), error })
        }
        (Some(_), Some(_)) => Err(DeploymentError::LateFile),
    }
}

/// Items go when their time has come. A file of an earlier run has this already.
fn expire(simulation: &Simulation) {
    let request = json!({ "TableName": TABLE,
        "TimeToLiveSpecification": { "Enabled": true, "AttributeName": "expires" } });
    let _ = simulation.cloud().dynamodb.handle("UpdateTimeToLive", &request);
}
