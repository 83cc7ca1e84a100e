//! People and programs that call our API, and try again when nobody answers.

use fleetwright_local::{Invoker, VirtualClock};
use serde_json::{Value, json};
use std::time::Duration;

/// Pauses between tries: a person's patience, not a program's.
const PAUSES_S: [u64; 4] = [2, 5, 15, 30];

/// Somebody who calls our API.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) invoker: Invoker,
    pub(crate) clock: VirtualClock,
}

/// What the API said, good or bad.
pub(crate) enum Said {
    /// It did what was asked.
    Done(Value),
    /// It refused, by the name of the error.
    Refused(String, String),
}

impl Client {
    /// Asks until there is an answer.
    pub(crate) async fn ask(&self, operation: &str, body: &Value) -> Said {
        let event = event(operation, body, operation);
        for pause in PAUSES_S.iter().chain(std::iter::repeat(&PAUSES_S[3])) {
            if let Some(said) = self.once(&event).await {
                return said;
            }
            self.clock.sleep(Duration::from_secs(*pause)).await;
        }
        unreachable!("pauses have no end")
    }

    /// Asks as an SDK does: three times at most, each with the same id.
    pub(crate) async fn ask_as_an_sdk(&self, operation: &str, body: &Value, id: &str) -> Option<Said> {
        let event = event(operation, body, id);
        for pause in [1, 2, 0] {
            if let Some(said) = self.once(&event).await {
                return Some(said);
            }
            self.clock.sleep(Duration::from_secs(pause)).await;
        }
        None
    }

    /// One try; nothing if it should be made again.
    async fn once(&self, event: &Value) -> Option<Said> {
        let answer = self.invoker.invoke("api-control", event.clone()).await.ok()?;
        let body: Value = answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok())?;
        if answer["statusCode"] == 200 {
            return Some(Said::Done(body));
        }
        let code = body["__type"].as_str().unwrap_or_default().to_owned();
        let message =
            body["message"].as_str().or_else(|| body["Message"].as_str()).unwrap_or_default().to_owned();
        let passing = matches!(code.as_str(), "InternalServerError" | "ThrottlingException");
        (!passing).then_some(Said::Refused(code, message))
    }
}

/// A request of our SSM API as a function URL delivers it.
fn event(operation: &str, body: &Value, id: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/", "rawQueryString": "",
        "headers": { "x-amz-target": format!("AmazonSSM.{operation}"), "amz-sdk-invocation-id": id },
        "requestContext": {
            "accountId": "123456789012", "apiId": "url", "requestId": "1", "routeKey": "$default",
            "stage": "$default", "time": "", "timeEpoch": 0, "http": { "method": "POST", "path": "/" },
            "authorizer": { "iam": { "accessKey": "local", "accountId": "123456789012", "callerId": "local",
                "userArn": "arn:aws:iam::123456789012:user/local", "userId": "local" } },
        },
        "body": body.to_string(), "isBase64Encoded": false,
    })
}
