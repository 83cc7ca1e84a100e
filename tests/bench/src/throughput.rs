//! How many events `on-command-event`'s own code takes in a second: from the bytes that Lambda brings to the bytes of the
//! answer, real SDK clients included, and the table excluded. What it would answer was recorded before.

use crate::burst;
use crate::time::{median, now};
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use fleetwright_engine::Place;
use fleetwright_local::lambda::EnvironmentId;
use fleetwright_local::protocol::Service;
use fleetwright_local::{Applied, Environment, SdkClients, TABLE, VirtualClock, Witness};
use fleetwright_orchestrator::{AssumeRoles, Clients, Config, Entropy, Orchestrator};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Batches that complete no command: what follows from that is another budget's.
const BATCHES: usize = 3;
/// What stands before a partition key in a request.
const BEFORE_KEY: &[u8] = br#""pk":{"S":""#;

/// Answers of the table, by partition key.
type Answers = BTreeMap<Vec<u8>, Vec<u8>>;

/// Writes down what the table answers to updates.
#[derive(Debug, Clone, Default)]
struct Recorder(Arc<Mutex<Answers>>);

impl Witness for Recorder {
    fn on_applied(&mut self, applied: &Applied<'_>) {
        if applied.request.service != Service::DynamoDb || applied.request.operation != "UpdateItem" {
            return;
        }
        let key = applied.request.body["Key"]["pk"]["S"].as_str().unwrap_or_default();
        let answer = applied.answer.body.to_string().into_bytes();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.as_bytes().to_vec(), answer);
    }
}

/// The table, as it has answered before.
#[derive(Debug, Clone)]
struct Replay(Arc<Answers>);

impl HttpClient for Replay {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Replay {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = request.body().bytes().and_then(key).and_then(|key| self.0.get(key));
        let Some(answer) = answer else {
            let unknown = ConnectorError::user("this was not asked when answers were recorded".into());
            return HttpConnectorFuture::ready(Err(unknown));
        };
        let status = StatusCode::try_from(200).map_err(|error| ConnectorError::other(error.into(), None));
        HttpConnectorFuture::ready(
            status.map(|status| HttpResponse::new(status, SdkBody::from(answer.clone()))),
        )
    }
}

/// The partition key that an UpdateItem is about.
fn key(body: &[u8]) -> Option<&[u8]> {
    let begins = body.windows(BEFORE_KEY.len()).position(|window| window == BEFORE_KEY)? + BEFORE_KEY.len();
    let length = body[begins..].iter().position(|byte| *byte == b'"')?;
    Some(&body[begins..begins + length])
}

/// Nothing here is drawn.
#[derive(Debug)]
struct Fixed;

impl Entropy for Fixed {
    fn uuid(&self) -> String {
        "00000000-0000-4000-8000-000000000000".to_owned()
    }

    fn below(&self, _: u64) -> u64 {
        0
    }
}

/// The function with a table that answers at once, and what it is given.
pub struct Function {
    orchestrator: Orchestrator,
    payloads: Vec<Vec<u8>>,
    deadline: Timestamp,
}

impl Function {
    /// Records what the table answers to three batches of the burst.
    #[must_use]
    pub fn record() -> Self {
        let mut run = burst::before();
        let recorder = Recorder::default();
        let mut payloads = Vec::new();
        let now = run.now();
        run.cloud().set_witness(Box::new(recorder.clone()));
        for batch in burst::batches(&run).into_iter().take(BATCHES) {
            payloads.push(batch.to_string().into_bytes());
            let answer = run.deployment.simulation.invoke("on-command-event", batch).expect("time passes");
            answer.expect("an answer");
        }
        let answers = std::mem::take(&mut *recorder.0.lock().unwrap_or_else(PoisonError::into_inner));
        let orchestrator = orchestrator(&environment(Replay(Arc::new(answers)), now));
        Self { orchestrator, payloads, deadline: now + SignedDuration::from_secs(60) }
    }

    /// Events of one round.
    #[must_use]
    pub fn events(&self) -> usize {
        self.payloads.len() * burst::BATCH
    }

    /// Takes all batches once, as Lambda brings them.
    pub fn round(&self) {
        for payload in &self.payloads {
            let event: Value = serde_json::from_slice(payload).expect("JSON");
            let handled = on_command_event::handle(&self.orchestrator, event, self.deadline);
            let answer = futures::executor::block_on(handled).expect("an answer");
            let answer = serde_json::to_vec(&answer).expect("JSON");
            assert_eq!(answer, br#"{"batchItemFailures":[]}"#, "all of it is taken");
        }
    }

    /// How many events it takes in a second: the median of so many rounds.
    #[must_use]
    pub fn events_per_second(&self, rounds: usize) -> f64 {
        let took: Vec<Duration> = (0..rounds)
            .map(|_| {
                let began = now();
                self.round();
                began.elapsed()
            })
            .collect();
        self.events() as f64 / median(took).as_secs_f64()
    }
}

/// An environment in which the table answers as it did.
fn environment(replay: Replay, now: Timestamp) -> Environment {
    Environment {
        name: "on-command-event".to_owned(),
        id: EnvironmentId(0),
        http_client: SharedHttpClient::new(replay),
        clock: VirtualClock::new(now),
        seed: 0,
    }
}

/// The use cases in this environment.
pub(crate) fn orchestrator(environment: &Environment) -> Orchestrator {
    let SdkClients { dynamodb, ssm, sns, events, sqs } = SdkClients::new(environment);
    let clock = environment.clock.clone();
    let (time, sleep) = (SharedTimeSource::new(clock.clone()), SharedAsyncSleep::new(clock));
    let clients = Clients { dynamodb, ssm, ssm_by_role: BTreeMap::new(), sqs, sns, events, time, sleep };
    let config = Config {
        table: TABLE.to_owned(),
        prompt_queue_url: None,
        notifications: None,
        people_topic_arn: None,
        event_bus: None,
        place: Place {
            account_id: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            partition: "aws".to_owned(),
        },
        retention_days: 365,
        resend_absent: true,
        assume_roles: AssumeRoles::RecordOnly,
        track_others: false,
        answered: BTreeSet::new(),
    };
    Orchestrator::new(clients, config, Arc::new(Fixed))
}
