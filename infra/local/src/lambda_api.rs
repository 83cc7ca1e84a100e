//! What Lambda tells of the functions that are deployed: their settings, and the queues they work off.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::lambda::{EventSource, FunctionDefinition};
use crate::names::{ACCOUNT, REGION, last_part, queue_arn};
use crate::protocol::Answer;

/// What a deployment's functions are called by begins with its stack's name: `fleetwright-reconcile`.
pub const STACK: &str = "fleetwright";

/// The functions as clients see them.
#[derive(Debug, Default)]
pub struct LambdaApi {
    functions: BTreeMap<String, Deployed>,
    sources: Vec<EventSource>,
    environment: BTreeMap<&'static str, String>,
    configured_at: Timestamp,
}

/// What is kept of a function.
#[derive(Debug)]
struct Deployed {
    timeout_s: u64,
    reserved: Option<usize>,
}

/// The ARN of a function as clients see it.
pub fn function_arn(name: &str) -> String {
    format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}-{name}")
}

impl LambdaApi {
    /// A function is deployed.
    pub(crate) fn deploy(&mut self, definition: &FunctionDefinition) {
        let deployed =
            Deployed { timeout_s: definition.timeout.as_secs(), reserved: definition.reserved_concurrency };
        self.functions.insert(definition.name.clone(), deployed);
    }

    /// A function works off a queue.
    pub(crate) fn connect(&mut self, source: &EventSource) {
        self.sources.push(source.clone());
    }

    /// The environment variables that all functions have from now on.
    pub(crate) fn configure(&mut self, environment: BTreeMap<&'static str, String>, now: Timestamp) {
        self.environment = environment;
        self.configured_at = now;
    }

    /// Applies one operation of a client.
    pub fn handle(&self, operation: &str, body: &Value) -> Answer {
        // A name, or an ARN.
        let asked = last_part(body["FunctionName"].as_str().unwrap_or_default(), ':');
        let name = asked.strip_prefix(STACK).and_then(|rest| rest.strip_prefix('-')).unwrap_or_default();
        let Some(function) = self.functions.get(name) else {
            let message = format!("Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:{asked}");
            return Answer::error(404, "ResourceNotFoundException", &message);
        };
        match operation {
            "GetFunctionConfiguration" => Answer::ok(json!({
                "FunctionName": asked, "FunctionArn": function_arn(name), "Timeout": function.timeout_s,
                "State": "Active", "LastUpdateStatus": "Successful",
                "LastModified": self.configured_at.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string(),
                "Environment": { "Variables": self.environment },
            })),
            "GetFunctionConcurrency" => Answer::ok(match function.reserved {
                Some(reserved) => json!({ "ReservedConcurrentExecutions": reserved }),
                None => json!({}),
            }),
            "ListEventSourceMappings" => {
                let sources = self.sources.iter().filter(|source| source.function == name);
                Answer::ok(json!({ "EventSourceMappings": sources.map(mapping).collect::<Vec<_>>() }))
            }
            other => Answer::error(
                404,
                "ResourceNotFoundException",
                &format!("{other} is not part of the embedded cloud"),
            ),
        }
    }
}

fn mapping(source: &EventSource) -> Value {
    json!({
        "UUID": uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, source.queue.as_bytes()).to_string(),
        "EventSourceArn": queue_arn(&source.queue), "FunctionArn": function_arn(&source.function),
        "State": "Enabled", "BatchSize": source.batch_size,
        "MaximumBatchingWindowInSeconds": source.batch_window.as_secs(),
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    })
}
