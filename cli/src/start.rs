//! `fleetwright start`: runs a runbook.

use crate::args::{Format, Start};
use crate::client::Client;
use crate::clock;
use crate::failure::Failure;
use crate::watch;
use fleetwright_wire::{Parameters, StartAutomationExecutionRequest, StartAutomationExecutionResult};
use std::io::{Write, stdout};

/// Starts it. Whether it was started or, if it is watched, ended in Success.
pub(crate) fn run(options: &Start) -> Result<bool, Failure> {
    let client = Client::new(&options.service.endpoint)?;
    let mut parameters = Parameters::new();
    for (name, value) in &options.parameters {
        parameters.entry(name.clone()).or_default().push(value.clone());
    }
    let request = StartAutomationExecutionRequest {
        document_name: Some(options.document.clone()),
        document_version: options.document_version.clone(),
        parameters: Some(parameters),
        client_token: Some(options.client_token.unwrap_or_else(clock::unique).to_string()),
        ..Default::default()
    };
    let started: StartAutomationExecutionResult = client.operation("StartAutomationExecution", &request)?;
    let id = started
        .automation_execution_id
        .ok_or_else(|| Failure::Defect("the service started an execution and didn't say which".to_owned()))?;
    match options.format {
        Format::Text => writeln!(stdout(), "{id}")?,
        // Of an execution that is watched, its result is all that is printed.
        Format::Json if options.watch => {}
        Format::Json => writeln!(stdout(), "{}", serde_json::json!({ "AutomationExecutionId": id }))?,
    }
    if options.watch { watch::until_over(&client, &id, options.format) } else { Ok(true) }
}
