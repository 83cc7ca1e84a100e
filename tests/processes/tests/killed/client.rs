//! Somebody who uses the API over HTTP, and asks again where nobody answered.

use crate::clock;
use serde_json::{Value, json};
use std::time::Duration;
use ureq::Agent;

/// How often something is asked for.
const TRIES: usize = 30;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(300);
/// Longer than the function may take.
const PATIENCE: Duration = Duration::from_secs(35);

/// A caller of the API.
#[derive(Clone)]
pub(crate) struct Client {
    api: String,
    agent: Agent,
}

impl Client {
    pub(crate) fn new(api: String) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        Self { api, agent: config.build().into() }
    }

    /// Calls an operation until somebody answers.
    pub(crate) fn call(&self, operation: &str, body: &Value) -> Value {
        let mut last = (0, Value::Null);
        for _ in 0..TRIES {
            last = self.once(operation, body);
            if last.0 == 200 {
                return last.1;
            }
            assert!(may_pass(&last), "{operation}: {last:?}");
            clock::wait(PAUSE);
        }
        panic!("{operation} in {TRIES} tries: {last:?}");
    }

    /// Status and body; 0 where the connection broke.
    fn once(&self, operation: &str, body: &Value) -> (u16, Value) {
        let request = self.agent.post(&self.api).header("x-amz-target", format!("AmazonSSM.{operation}"));
        let Ok(mut answer) = request.send(body.to_string()) else { return (0, Value::Null) };
        let text = answer.body_mut().read_to_string().unwrap_or_default();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or_default())
    }

    /// Reads how an execution stands, whatever comes of it.
    pub(crate) fn look(&self, id: &str) {
        let answer = self.once("GetAutomationExecution", &json!({ "AutomationExecutionId": id }));
        assert!(answer.0 == 200 || may_pass(&answer), "an execution that was started is shown: {answer:?}");
    }
}

/// Whether the same request may be answered later: the process died, or had too much to do.
fn may_pass((status, answer): &(u16, Value)) -> bool {
    matches!(status, 0 | 429 | 500..) || answer["__type"] == "ThrottlingException"
}
