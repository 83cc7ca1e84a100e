//! What happened, line by line, and a hash of it by which two runs are compared.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

use crate::protocol::{Request, Service};
use crate::seed::Hash64;

/// Members of requests the SDK fills in at random, which change nothing.
/// (The DynamoDB client's seeded token provider loses its seed: it is cloned for each call, and a clone is random.)
const RANDOM_MEMBERS: &[&str] = &["ClientRequestToken"];

/// One thing that happened. Ids only: parameters and outputs never stand here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceLine {
    /// When, in true virtual time.
    pub at: Timestamp,
    /// Who did it: a function, a client, or what carried a delivery.
    pub actor: String,
    /// What was done: an action like `ssm:SendCommand`, or `invoke`, `deliver`.
    pub operation: String,
    /// To what.
    pub subject: String,
    /// How it ended: `ok`, an error's name, or what a fault made of it.
    pub outcome: String,
}

impl fmt::Display for TraceLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, actor, operation, subject, outcome } = self;
        write!(formatter, "{at:.6} {actor} {operation} {subject}: {outcome}")
    }
}

/// The trace of a simulation.
#[derive(Clone, Debug)]
pub struct Trace {
    lines: Vec<TraceLine>,
    keep: bool,
    hash: Hash64,
}

impl Trace {
    /// An empty trace. Without `keep` only the hash is.
    pub fn new(keep: bool) -> Self {
        Self { lines: Vec::new(), keep, hash: Hash64::default() }
    }

    /// What happened so far, if it is kept.
    pub fn lines(&self) -> &[TraceLine] {
        &self.lines
    }

    /// A hash of all lines and all decoded requests so far. Equal seeds give equal hashes on every platform.
    pub fn hash(&self) -> u64 {
        self.hash.finish()
    }

    pub(crate) fn add(&mut self, line: TraceLine) {
        self.hash.write(&line.at.as_microsecond().to_le_bytes());
        for part in [&line.actor, &line.operation, &line.subject, &line.outcome] {
            self.hash.write(part.as_bytes());
            self.hash.write(&[0]);
        }
        if self.keep {
            self.lines.push(line);
        }
    }

    /// Takes a request into the hash: its meaning, not its bytes.
    pub(crate) fn add_body(&mut self, body: &Value) {
        canonical(&mut self.hash, body);
    }
}

/// Hashes a value independently of the order of its members.
fn canonical(hash: &mut Hash64, value: &Value) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            hash.write(b"{");
            for (name, value) in members {
                if !RANDOM_MEMBERS.contains(&name.as_str()) {
                    hash.write(name.as_bytes());
                    hash.write(b":");
                    canonical(hash, value);
                }
            }
            hash.write(b"}");
        }
        Value::Array(values) => {
            hash.write(b"[");
            values.iter().for_each(|value| canonical(hash, value));
            hash.write(b"]");
        }
        Value::String(text) => {
            hash.write(text.as_bytes());
            hash.write(b"\"");
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => hash.write(value.to_string().as_bytes()),
    }
}

/// The ids a request is about.
pub(crate) fn subject(request: &Request) -> String {
    let body = &request.body;
    match request.service {
        Service::DynamoDb => dynamodb_subject(body),
        Service::Ssm => ssm_subject(body),
        Service::Sqs => last(&body["QueueUrl"], '/'),
        Service::Sns => last(&body["TopicArn"], ':'),
        Service::Iam => last(&body["RoleName"], '/'),
        Service::Lambda => last(&body["FunctionName"], ':'),
        Service::EventBridge => {
            let kinds = body["Entries"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|entry| last(&entry["DetailType"], '\0'));
            kinds.collect::<Vec<_>>().join(",")
        }
    }
}

fn last(value: &Value, separator: char) -> String {
    crate::names::last_part(value.as_str().unwrap_or_default(), separator).to_owned()
}

fn dynamodb_subject(body: &Value) -> String {
    if let Some(actions) = body["TransactItems"].as_array() {
        let keys = actions.iter().flat_map(|action| action.as_object().into_iter().flatten());
        return keys.map(|(kind, action)| format!("{kind} {}", key(action))).collect::<Vec<_>>().join(", ");
    }
    if let Some(tables) = body["RequestItems"].as_object() {
        let keys = tables
            .values()
            .flat_map(|table| table["Keys"].as_array().or(table.as_array()).into_iter().flatten());
        return keys.map(batch_key).collect::<Vec<_>>().join(", ");
    }
    if let Some(index) = body["IndexName"].as_str() {
        return format!("index {index}");
    }
    key(body)
}

fn batch_key(entry: &Value) -> String {
    match entry.as_object().and_then(|members| members.values().next()) {
        Some(write) if entry.get("PutRequest").or_else(|| entry.get("DeleteRequest")).is_some() => key(write),
        _ => pair(entry),
    }
}

fn key(action: &Value) -> String {
    pair(action.get("Key").or_else(|| action.get("Item")).unwrap_or(&Value::Null))
}

/// The key attributes as every table of ours names them.
fn pair(attributes: &Value) -> String {
    let text = |name: &str| attributes[name]["S"].as_str().unwrap_or_default();
    format!("{}/{}", text("pk"), text("sk"))
}

fn ssm_subject(body: &Value) -> String {
    let members = ["CommandId", "InstanceId", "DocumentName", "Name"];
    let named = members.iter().filter_map(|member| body[*member].as_str().map(str::to_owned));
    let nodes = body["InstanceIds"].as_array().map(|nodes| format!("{} nodes", nodes.len()));
    named.chain(nodes).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hash(value: &Value) -> u64 {
        let mut hash = Hash64::default();
        canonical(&mut hash, value);
        hash.finish()
    }

    #[test]
    fn the_hash_is_of_the_meaning() {
        let one = json!({ "a": [1, 2], "b": "x", "ClientRequestToken": "1" });
        let same: Value = serde_json::from_str(r#"{"ClientRequestToken":"2","b":"x","a":[1,2]}"#).unwrap();
        assert_eq!(hash(&one), hash(&same));
        assert_ne!(hash(&one), hash(&json!({ "a": [2, 1], "b": "x" })));
    }

    #[test]
    fn a_transaction_is_named_by_its_keys() {
        let body = json!({ "TransactItems": [
            { "Update": { "Key": { "pk": { "S": "EXEC#1" }, "sk": { "S": "EXEC" } } } },
            { "Put": { "Item": { "pk": { "S": "EXEC#1" }, "sk": { "S": "STEP#1" }, "x": { "S": "secret" } } } },
        ] });
        assert_eq!(dynamodb_subject(&body), "Update EXEC#1/EXEC, Put EXEC#1/STEP#1");
    }
}
