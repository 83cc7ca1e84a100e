//! `fleetwright local`: an embedded AWS, and Fleetwright in it, for any tool that speaks HTTP.

use crate::args::{Format, Local};
use crate::failure::Failure;
use crate::files;
use crate::input::{self, RunbookText};
use crate::text::plural;
use fleetwright_local::fleet::Fleet;
use fleetwright_local::serve::{LambdaEndpoint, ServeOptions, ServedDocument, Server};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::Future;
use std::io::{Write, stdout};
use std::path::Path;
use tokio::runtime::Builder;

/// The type of documents that can be started.
const AUTOMATION: &str = "Automation";

/// Serves until it is interrupted. True: nothing it was asked for can be unsuccessful.
pub(crate) fn run(options: &Local) -> Result<bool, Failure> {
    let documents = options.documents.as_deref().map_or_else(|| Ok(Vec::new()), documents)?;
    let fleet = fleet(options)?;
    let about = About {
        nodes: fleet.nodes().len(),
        runbook: documents
            .iter()
            .find(|document| document.kind == AUTOMATION)
            .map(|document| document.name.clone()),
        documents: documents.iter().map(|document| document.name.clone()).collect(),
        speed: options.speed,
        functions: options.functions.clone(),
    };
    let served = ServeOptions {
        aws_port: options.aws_port,
        api_port: options.api_port,
        fleet,
        documents,
        data: options.data.clone(),
        seed: options.seed,
        speed: options.speed,
        functions: options.functions.clone(),
    };
    let unable = |error: std::io::Error| Failure::Defect(format!("no runtime: {error}"));
    let runtime = Builder::new_current_thread().enable_all().build().map_err(unable)?;
    runtime.block_on(async {
        let interrupted = interrupted().map_err(unable)?;
        let server = Server::start(served).await?;
        match options.format {
            Format::Json => writeln!(stdout(), "{}", urls(&server))?,
            Format::Text => writeln!(stdout(), "{}", about.page(&server))?,
        }
        stdout().flush()?;
        Ok(server.run(interrupted).await.map(|()| true)?)
    })
}

/// The fleet that was asked for.
fn fleet(options: &Local) -> Result<Fleet, Failure> {
    match &options.fleet {
        Some(file) => input::fleet(file, options.seed),
        None => Ok(Fleet::synthetic(usize::try_from(options.nodes).unwrap_or(usize::MAX), options.seed)),
    }
}

/// Completes when the process is told to end. What tells it is caught from this call on.
#[cfg(unix)]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            biased;
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes when the process is told to end.
#[cfg(not(unix))]
fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler the interrupt ends the process by itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn urls(server: &Server) -> Value {
    json!({ "aws": server.aws_url(), "api": server.api_url() })
}

/// What people are told.
struct About {
    nodes: usize,
    documents: Vec<String>,
    /// One of the documents that can be started.
    runbook: Option<String>,
    speed: f64,
    /// Where the functions are, if not in here.
    functions: Option<LambdaEndpoint>,
}

impl About {
    fn page(&self, server: &Server) -> String {
        let (aws, api) = (server.aws_url(), server.api_url());
        let documents = if self.documents.is_empty() {
            "none but AWS' own; add yours with --documents DIR, or with aws ssm create-document".to_owned()
        } else {
            self.documents.join(", ")
        };
        let runbook = self.runbook.as_deref().unwrap_or("NAME");
        let nodes = plural(self.nodes as u64, "simulated node");
        let pace = if (self.speed - 1.0).abs() < f64::EPSILON {
            String::new()
        } else {
            format!(", time passes {} times as fast", self.speed)
        };
        let functions = self.functions.as_ref().map_or_else(String::new, |endpoint| {
            format!("Functions     {endpoint}, with AWS_ENDPOINT_URL={aws}\n")
        });
        format!(
            "AWS           {aws}\nFleetwright   {api}\n{functions}Fleet         {nodes}{pace}\n\
             Documents     {documents}\n\n\
             Any access key will do, as signatures are not verified. Try:\n  \
             aws ssm describe-instance-information --endpoint-url {aws}\n  \
             fleetwright start {runbook} --endpoint {api}\n\nCtrl-C ends it."
        )
    }
}

/// All documents of a folder.
fn documents(folder: &Path) -> Result<Vec<ServedDocument>, Failure> {
    let mut by_name: BTreeMap<String, ServedDocument> = BTreeMap::new();
    for found in files::find(&[folder.to_owned()]) {
        let path = found.map_err(|unreadable| Failure::Input(format!("error: {}", unreadable.reason)))?;
        let Some(document) = document(&path)? else { continue };
        if let Some(other) = by_name.get(&document.name) {
            let both = format!("{} and {}", other.file, document.file);
            return Err(Failure::Input(format!(
                "error: both {both} would be the document {}",
                document.name
            )));
        }
        by_name.insert(document.name.clone(), document);
    }
    Ok(by_name.into_values().collect())
}

/// What tells documents apart, whatever their schema.
#[derive(Deserialize)]
struct Head {
    #[serde(rename = "schemaVersion")]
    schema_version: Option<String>,
    groups: Option<IgnoredAny>,
}

/// None for a fleet file: these often lie beside the runbooks that are tried on them.
fn document(path: &Path) -> Result<Option<ServedDocument>, Failure> {
    let text = input::read(path)?;
    let (file, name) = (path.display().to_string(), input::name_of(path));
    let wrong = |reason: &str| Failure::Input(format!("error: {file} is no document: {reason}"));
    // JSON is YAML.
    let head: Head = serde_saphyr::from_str(&text).map_err(|error| {
        // Further lines show the text around it.
        wrong(error.to_string().lines().next().unwrap_or_default())
    })?;
    let kind = match head.schema_version.as_deref() {
        Some("0.3") => AUTOMATION,
        Some("1.2" | "2.0" | "2.2") => "Command",
        None if head.groups.is_some() => return Ok(None),
        None => return Err(wrong("it has no schemaVersion")),
        Some(other) => {
            return Err(wrong(&format!("nobody knows schemaVersion {other}; it is 0.3, 1.2, 2.0 or 2.2")));
        }
    };
    if kind == AUTOMATION {
        RunbookText::parse(&file, name.clone(), text.clone())?;
    }
    Ok(Some(ServedDocument { file, name, text, kind }))
}
