//! Tables that another DynamoDB keeps, behind a URL.

use fleetwright_local::dynamodb::Keeper;
use fleetwright_local::fleet::Fleet;
use fleetwright_local::names::REGION;
use fleetwright_local::protocol::Answer;
use fleetwright_local::{Deployment, DeploymentError, DeploymentOptions, TABLE};
use serde_json::{Value, json};
use std::time::Duration;
use ureq::Agent;
use uuid::Uuid;

/// Names the DynamoDB that keeps the tables of all stories of a process, in the place of the embedded one.
const URL: &str = "FLEETWRIGHT_TEST_DYNAMODB_URL";
/// The slowest request copies a table of a thousand items.
const PATIENCE: Duration = Duration::from_secs(60);
/// Members of a batch that have a table's name for a name.
const BY_TABLE: [&str; 4] = ["RequestItems", "Responses", "UnprocessedItems", "UnprocessedKeys"];

/// Deploys over a fleet. The tables are embedded unless the environment names another DynamoDB.
///
/// # Errors
/// Those of [`Deployment::new`].
pub fn deploy(fleet: Fleet, options: &DeploymentOptions) -> Result<Deployment, DeploymentError> {
    match url() {
        Some(url) => Deployment::over(fleet, options, Box::new(Elsewhere::at(url))),
        None => Deployment::new(fleet, options),
    }
}

#[expect(clippy::disallowed_methods, reason = "who runs the tests says what they run over")]
fn url() -> Option<String> {
    std::env::var(URL).ok().filter(|url| !url.is_empty())
}

/// A DynamoDB that stories share, each with a table of its own there.
struct Elsewhere {
    url: String,
    agent: Agent,
    /// What [`TABLE`] is called there.
    table: String,
}

impl Elsewhere {
    #[expect(clippy::disallowed_methods, reason = "stories that share a database must not meet in it")]
    fn at(url: String) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        let table = format!("{TABLE}-{}", Uuid::new_v4().simple());
        Self { url, agent: config.build().into(), table }
    }

    fn ask(&self, operation: &str, mut request: Value) -> Result<Answer, String> {
        rename(&mut request, TABLE, &self.table);
        // Nobody checks the signature. moto finds the service by the scope; DynamoDB Local wants the key to be of letters
        // and digits (developer guide, "DynamoDB local usage notes").
        let scope = format!("story/20260314/{REGION}/dynamodb/aws4_request");
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none");
        let sent = self
            .agent
            .post(&self.url)
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("authorization", authorization)
            .send(request.to_string());
        let mut answer = sent.map_err(|error| error.to_string())?;
        let text = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let mut body = serde_json::from_str(&text).map_err(|error| format!("{status}, no JSON: {error}"))?;
        rename(&mut body, &self.table, TABLE);
        Ok(Answer { status, body })
    }
}

impl Keeper for Elsewhere {
    /// What it cannot answer is no fault that a story is about: the story ends there.
    fn answer(&self, operation: &str, request: Value) -> Answer {
        self.ask(operation, request).unwrap_or_else(|error| panic!("{operation} at {}: {error}", self.url))
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // A table that cannot be deleted is in nobody's way: its name does not come again.
        let _ = self.ask("DeleteTable", json!({ "TableName": TABLE }));
    }
}

/// Calls a table otherwise in a request or an answer.
fn rename(message: &mut Value, from: &str, to: &str) {
    for member in BY_TABLE {
        if let Some(tables) = message.get_mut(member).and_then(Value::as_object_mut)
            && let Some(of_table) = tables.remove(from)
        {
            tables.insert(to.to_owned(), of_table);
        }
    }
    let actions = message.get_mut("TransactItems").and_then(Value::as_array_mut).into_iter().flatten();
    for action in actions.filter_map(Value::as_object_mut).flat_map(|action| action.values_mut()) {
        rename_in(action, from, to);
    }
    rename_in(message, from, to);
}

fn rename_in(named: &mut Value, from: &str, to: &str) {
    if let Some(name) = named.get_mut("TableName").filter(|name| **name == from) {
        *name = json!(to);
    }
}
