//! Fleetwright in the embedded cloud, as it is deployed: one table, two queues with their dead-letter
//! queues, a topic, rules, a schedule, and the functions' own handlers behind the real SDK clients.

mod entropy;
mod functions;

use std::collections::BTreeMap;
use std::time::Duration;

use fleetwright_orchestrator::{AssumeRoles, Config, Notifications, create_table};
use fleetwright_wire::ServiceError;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use thiserror::Error;

use crate::eventbridge::{Rule, Trigger};
use crate::fleet::Fleet;
use crate::lambda::{EventSource, InvokeError};
use crate::names::{ACCOUNT, REGION, queue_url, topic_arn};
use crate::queue::{QueueOptions, Redrive};
use crate::sdk::SdkClients;
use crate::simulation::{Simulation, SimulationError, SimulationOptions, Stop};
use crate::sns::{Subscription, Target};
use crate::ssm::{Ssm, SsmOptions};

/// The table's name.
pub const TABLE: &str = "fleetwright";
/// Node notifications, gathered.
const FACTS: &str = "facts";
/// Command status changes and wakes, at once.
const PROMPT: &str = "prompt";
/// The topic Run Command publishes to.
const TOPIC: &str = "run-command";
/// The topic, and the queue behind it, that people are told by.
const PEOPLE: &str = "people";
/// Queue visibility: six times the function timeout (Lambda developer guide, services-sqs-configure).
const VISIBILITY: Duration = Duration::from_secs(360);
/// Receives before a message is put aside.
const RECEIVES_MAX: u32 = 5;
/// Nothing of the set-up takes longer, in virtual time.
const SET_UP_LIMIT: Duration = Duration::from_secs(60);
/// Days that finished executions are kept.
pub(crate) const RETENTION_DAYS: u32 = 365;

/// What differs between simulated deployments.
#[derive(Debug, Clone)]
pub struct DeploymentOptions {
    /// The seed everything is drawn from.
    pub seed: u64,
    /// How SSM behaves.
    pub ssm: SsmOptions,
    /// Whether Run Command publishes to our topic.
    pub notifications: bool,
    /// Whether EventBridge rules bring command status changes.
    pub command_events: bool,
    /// Whether an absent send is sent again; else the execution is parked.
    pub resend_absent: bool,
    /// Whether the end of executions is told to people, whose queue is `people`.
    pub announce: bool,
    /// Whether calls and deliveries are kept line by line.
    pub keep_trace: bool,
}

impl DeploymentOptions {
    /// A deployment of the usual kind.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            ssm: SsmOptions::default(),
            notifications: true,
            command_events: true,
            resend_absent: true,
            announce: false,
            keep_trace: false,
        }
    }
}

/// An error of our API, as its caller gets it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// SSM's error name.
    pub code: String,
    /// What is wrong.
    pub message: String,
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
    #[error("the api function did not answer: {0}")]
    Function(#[from] InvokeError),
    /// Virtual time stands still.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// The table could not be made.
    #[error("the table was not created: {0}")]
    Table(String),
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
}

impl Deployment {
    /// Deploys over a fleet.
    ///
    /// # Errors
    /// When the database engine does not start.
    pub fn new(fleet: Fleet, options: &DeploymentOptions) -> Result<Self, DeploymentError> {
        let ssm = Ssm::new(fleet, options.ssm.clone(), options.seed);
        let settings =
            SimulationOptions { keep_trace: options.keep_trace, ..SimulationOptions::seeded(options.seed) };
        let mut simulation = Simulation::new(ssm, settings)?;
        connect(&simulation, options);
        functions::add(&mut simulation, &config(options));
        for source in event_sources() {
            simulation.add_event_source(source);
        }
        let clients = SdkClients::new(&simulation.client("deploy"));
        let created = async move {
            let request = create_table(&clients.dynamodb, TABLE).map_err(|error| error.to_string())?;
            request.send().await.map(drop).map_err(|error| format!("{error:?}"))
        };
        simulation.block_on(created, SET_UP_LIMIT)?.map_err(DeploymentError::Table)?;
        Ok(Self { simulation })
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

    /// Reads a resource of our API, such as `/executions/{id}/summary`.
    ///
    /// # Errors
    /// The API's own error, or that it gave no answer.
    pub fn get(&mut self, path: &str) -> Result<Value, DeploymentError> {
        self.request(&url_event("GET", path, None, ""))
    }

    fn request(&mut self, event: &Value) -> Result<Value, DeploymentError> {
        let answer = self.simulation.invoke("api", event.clone())??;
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

/// A request of our SSM API as a function URL delivers it.
pub(crate) fn post(operation: &str, body: &Value) -> Value {
    url_event("POST", "/", Some(&format!("AmazonSSM.{operation}")), &body.to_string())
}

fn url_event(method: &str, path: &str, target: Option<&str>, body: &str) -> Value {
    let mut headers = json!({ "content-type": "application/x-amz-json-1.1" });
    if let Some(target) = target {
        headers["x-amz-target"] = json!(target);
    }
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT, "apiId": "local", "domainName": "local", "domainPrefix": "local",
            "requestId": "local", "routeKey": "$default", "stage": "$default", "time": "", "timeEpoch": 0,
            "authorizer": { "iam": { "accessKey": "", "accountId": ACCOUNT, "callerId": "",
                "userArn": format!("arn:aws:iam::{ACCOUNT}:user/local"), "userId": "" } },
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                "userAgent": "fleetwright" }
        },
        "body": body, "isBase64Encoded": false
    })
}

/// The body of an answer, or the error in it.
pub(crate) fn read_answer(answer: &Value) -> Result<Value, ApiError> {
    let body: Value =
        answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    if answer["statusCode"] == 200 {
        return Ok(body);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let message = if body["Message"].is_string() { text(&body["Message"]) } else { text(&body["message"]) };
    Err(ApiError { code: text(&body["__type"]), message })
}

fn config(options: &DeploymentOptions) -> Config {
    Config {
        table: TABLE.to_owned(),
        prompt_queue_url: Some(queue_url(PROMPT)),
        notifications: options.notifications.then(|| Notifications {
            topic_arn: topic_arn(TOPIC),
            role_arn: format!("arn:aws:iam::{ACCOUNT}:role/fleetwright-notifications"),
        }),
        people_topic_arn: options.announce.then(|| topic_arn(PEOPLE)),
        place: fleetwright_engine::Place {
            account_id: ACCOUNT.to_owned(),
            region: REGION.to_owned(),
            partition: "aws".to_owned(),
        },
        retention_days: RETENTION_DAYS,
        resend_absent: options.resend_absent,
        assume_roles: AssumeRoles::RecordOnly,
    }
}

/// Queues, topic and rules.
fn connect(simulation: &Simulation, options: &DeploymentOptions) {
    let mut cloud = simulation.cloud();
    for queue in [FACTS, PROMPT] {
        let dead = format!("{queue}-dead");
        cloud.sqs.create(&dead, QueueOptions::default());
        let redrive = Some(Redrive { dead_letter_queue: dead, maximum_receives: RECEIVES_MAX });
        cloud.sqs.create(
            queue,
            QueueOptions { visibility_timeout: VISIBILITY, redrive, ..QueueOptions::default() },
        );
    }
    cloud
        .sns
        .subscribe(&topic_arn(TOPIC), Subscription { target: Target::Queue(FACTS.to_owned()), raw: false });
    if options.announce {
        cloud.sqs.create(PEOPLE, QueueOptions::default());
        let target = Target::Queue(PEOPLE.to_owned());
        cloud.sns.subscribe(&topic_arn(PEOPLE), Subscription { target, raw: true });
    }
    if options.command_events {
        // Terminal statuses only: a step goes on when one comes, and nothing is decided before.
        let pattern = json!({
            "source": ["aws.ssm"],
            "detail-type": ["EC2 Command Status-change Notification"],
            "detail": { "status": ["Success", "Failed", "TimedOut", "Cancelled"] }
        });
        cloud.eventbridge.add(Rule {
            name: "command-status".to_owned(),
            trigger: Trigger::Pattern(pattern),
            target: Target::Queue(PROMPT.to_owned()),
        });
    }
    cloud.eventbridge.add(Rule {
        name: "every-minute".to_owned(),
        trigger: Trigger::EveryMinute,
        target: Target::Function("reconcile".to_owned()),
    });
}

fn event_sources() -> [EventSource; 2] {
    let source = |queue: &str, batch_size, window_s| EventSource {
        queue: queue.to_owned(),
        function: "on-command-event".to_owned(),
        batch_size,
        batch_window: Duration::from_secs(window_s),
        concurrency: 5,
    };
    [source(FACTS, 250, 2), source(PROMPT, 10, 0)]
}
