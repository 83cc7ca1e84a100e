//! A caller of the embedded AWS, or of Fleetwright in it.

use crate::clock;
use serde_json::{Value, json};
use std::time::Duration;
use ureq::Agent;

/// Longer than a function may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks one of the ports.
pub(crate) struct Client {
    url: String,
    agent: Agent,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        Self { url: url.to_owned(), agent: config.build().into() }
    }

    /// Calls an operation, such as `AmazonSSM.SendCommand`.
    pub(crate) fn call(&self, target: &str, body: &Value) -> Value {
        let media_type = if target.starts_with("AmazonSQS") { "1.0" } else { "1.1" };
        let request = self.agent.post(&self.url).header("x-amz-target", target);
        let request = request.header("content-type", format!("application/x-amz-json-{media_type}"));
        read(target, request.send(body.to_string()))
    }

    /// Reads a resource, such as `/health`.
    pub(crate) fn get(&self, path: &str) -> Value {
        read(path, self.agent.get(format!("{}{path}", self.url)).call())
    }

    /// All of a list, page by page.
    pub(crate) fn list(&self, path: &str, member: &str) -> Vec<Value> {
        let mut page = self.get(path);
        let mut all = Vec::new();
        loop {
            let Value::Array(part) = page[member].take() else { panic!("{path}: no {member} in {page}") };
            all.extend(part);
            let Some(next) = page["NextToken"].as_str() else { return all };
            page = self.get(&format!("{path}&next={next}"));
        }
    }

    /// Reads a resource until it is as it should be.
    pub(crate) fn wait_for(&self, path: &str, longest: Duration, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut last = json!(null);
        let found = clock::wait_for(longest, || {
            last = self.get(path);
            is_so(&last).then(|| last.clone())
        });
        found.unwrap_or_else(|| panic!("{path} after {longest:?}: {last:#}"))
    }
}

fn read(what: &str, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
    let mut answer = answer.unwrap_or_else(|error| panic!("{what}: {error}"));
    let text = answer.body_mut().read_to_string().unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(answer.status().as_u16(), 200, "{what}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{what}: {error} in {text}"))
}
