//! SSM Run Command over a simulated fleet: a deterministic model without clock, threads or I/O.
//!
//! Calls go in through [`Ssm::handle`] with the time they are made at. What happens by itself (deliveries, ends,
//! timeouts, cancels, notifications) happens in [`Ssm::run_until`]; [`Ssm::next_at`] tells when to call it. Reads show
//! what was true a little earlier, as SSM's do; [`Ssm::ledger`] shows what really ran.

mod agenda;
mod builtin;
mod cancel;
mod chance;
mod change;
mod command;
mod document;
mod document_list;
mod invocation;
mod ledger;
mod library;
mod list;
mod node_list;
mod options;
mod outcome;
mod output;
mod page;
mod parameter_store;
mod patch;
mod progress;
mod publish;
mod rate;
mod send;
mod shelf;
mod status;
mod time;
mod validate;

pub use ledger::{CommandEntry, Ledger, Run, RunEnd};
pub use options::{Notifications, SsmOptions};
pub use outcome::Outcome;
pub use publish::Published;
pub use rate::Limit;
pub use status::{CommandStatus, StatusDetails, Tally};

use crate::fleet::{Fleet, Node, Patches, matches};
use agenda::Agenda;
use command::Command;
use document::Document;
use fleetwright_wire::ServiceError;
use jiff::Timestamp;
use patch::PatchState;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use shelf::Library;
use std::collections::BTreeMap;
use std::sync::Arc;

/// When the documents that every account has were made: 2017, in milliseconds since 1970.
const BUILT_IN_SINCE_MS: i64 = 1_483_228_800_000;

/// The simulated service.
#[derive(Debug)]
pub struct Ssm {
    options: SsmOptions,
    seed: u64,
    rng: ChaCha8Rng,
    /// Milliseconds since 1970; never goes back.
    now: i64,
    /// When the service was first asked or run.
    began: Option<i64>,
    nodes: Vec<ManagedNode>,
    by_id: BTreeMap<Arc<str>, usize>,
    by_tag: BTreeMap<String, BTreeMap<String, Vec<usize>>>,
    library: Library,
    commands: Vec<Command>,
    by_command: BTreeMap<Arc<str>, usize>,
    agenda: Agenda,
    outbox: Vec<Published>,
    ledger: Ledger,
    /// How often a document was sent to a node.
    runs: BTreeMap<(usize, Arc<str>), RunCount>,
    scripts: BTreeMap<String, Vec<(String, Outcome)>>,
    parameters: BTreeMap<String, parameter_store::Stored>,
    hide_next: Option<i64>,
}

/// A node, and what SSM knows of it.
#[derive(Debug)]
struct ManagedNode {
    node: Node,
    /// Positions of the commands sent to it, oldest first.
    commands: Vec<usize>,
    states: Vec<PatchState>,
}

impl Ssm {
    /// A service that manages this fleet and knows the documents every account has.
    pub fn new(fleet: Fleet, options: SsmOptions, seed: u64) -> Self {
        let mut ssm = Self {
            options,
            seed,
            rng: ChaCha8Rng::seed_from_u64(seed),
            now: i64::MIN / 4,
            began: None,
            nodes: Vec::new(),
            by_id: BTreeMap::new(),
            by_tag: BTreeMap::new(),
            library: Library::default(),
            commands: Vec::new(),
            by_command: BTreeMap::new(),
            agenda: Agenda::default(),
            outbox: Vec::new(),
            ledger: Ledger::default(),
            runs: BTreeMap::new(),
            scripts: BTreeMap::new(),
            parameters: BTreeMap::new(),
            hide_next: None,
        };
        for node in fleet.into_nodes() {
            ssm.register_node(node);
        }
        for (name, content) in builtin::documents() {
            if let Ok(document) =
                Document::read(name, &content.to_string(), "Command", "JSON", BUILT_IN_SINCE_MS)
            {
                ssm.library.add_amazons(document);
            }
        }
        ssm
    }

    fn register_node(&mut self, node: Node) {
        let position = self.nodes.len();
        let mut tag = |key: &str, value: &str| {
            let by_value = self.by_tag.entry(key.to_owned()).or_default();
            by_value.entry(value.to_owned()).or_default().push(position);
        };
        for (key, value) in node.tags.iter() {
            tag(key, value);
        }
        if !node.tags.contains_key("Name") {
            tag("Name", &node.name);
        }
        self.by_id.insert(Arc::clone(&node.id), position);
        self.nodes.push(ManagedNode { node, commands: Vec::new(), states: Vec::new() });
    }

    /// One API call: `operation` as in `X-Amz-Target` after the dot, `body` the JSON request.
    pub fn handle(&mut self, operation: &str, body: &Value, now: Timestamp) -> Result<Value, ServiceError> {
        self.advance(now.as_millisecond());
        match operation {
            "SendCommand" => self.send_command(body).and_then(json),
            "CancelCommand" => self.cancel_command(body).and_then(json),
            "ListCommands" => self.list_commands(body).and_then(json),
            "ListCommandInvocations" => self.list_command_invocations(body).and_then(json),
            "GetCommandInvocation" => self.get_command_invocation(body).and_then(json),
            "PutParameter" => self.put_parameter_for_client(body).and_then(json),
            "GetParameter" => self.get_parameter(body).and_then(json),
            "GetParameters" => self.get_parameters(body).and_then(json),
            "GetDocument" => self.get_document(body).and_then(json),
            "DescribeDocument" => self.describe_document(body).and_then(json),
            "ListDocuments" => self.list_documents(body).and_then(json),
            "ListDocumentVersions" => self.list_document_versions(body).and_then(json),
            "CreateDocument" => self.create_document(body).and_then(json),
            "UpdateDocument" => self.update_document(body).and_then(json),
            "UpdateDocumentDefaultVersion" => self.update_document_default_version(body).and_then(json),
            "DeleteDocument" => self.delete_document(body).and_then(json),
            "DescribeInstanceInformation" => self.describe_instance_information(body).and_then(json),
            "DescribeInstancePatchStates" => self.describe_patch_states(body).and_then(json),
            _ => Err(ServiceError::unknown_operation(format!(
                "{operation} is not an operation of this service."
            ))),
        }
    }

    /// When something next happens by itself, if anything.
    pub fn next_at(&self) -> Option<Timestamp> {
        let waiting = self.outbox.first().map(Published::at);
        waiting.into_iter().chain(self.agenda.next_at().map(time::timestamp)).min()
    }

    /// Lets everything happen that is due at or before `now`; returns what is published, in order.
    pub fn run_until(&mut self, now: Timestamp) -> Vec<Published> {
        self.advance(now.as_millisecond());
        std::mem::take(&mut self.outbox)
    }

    fn advance(&mut self, now: i64) {
        while let Some((at, happening)) = self.agenda.take(now) {
            self.now = self.now.max(at);
            self.happen(happening);
        }
        self.now = self.now.max(now);
        self.began.get_or_insert(self.now);
    }

    /// Adds a document, or a version of one, which becomes its default. `document_type` is `Command`, `Automation`, …,
    /// `format` is `JSON` or `YAML`. A Command document must be readable; the text of others is only kept.
    pub fn register_document(
        &mut self,
        name: &str,
        content: &str,
        document_type: &str,
        format: &str,
    ) -> Result<(), ServiceError> {
        let document = Document::read(name, content, document_type, format, self.now.max(0))?;
        self.library.add(document, true);
        Ok(())
    }

    /// What really ran. Nothing that [`Ssm::handle`] answers shows it.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Forces the outcome of every further run of the documents a pattern matches on a node.
    pub fn script(&mut self, node: &str, document: &str, outcome: Outcome) {
        let scripts = self.scripts.entry(node.to_owned()).or_default();
        scripts.retain(|(pattern, _)| pattern != document);
        scripts.push((document.to_owned(), outcome));
    }

    /// Takes back what was forced on a node.
    pub fn unscript(&mut self, node: &str) {
        self.scripts.remove(node);
    }

    fn forced(&self, node: &str, document: &str) -> Option<Outcome> {
        let scripts = self.scripts.get(node)?;
        scripts.iter().rev().find(|(pattern, _)| matches(pattern, document)).map(|(_, outcome)| *outcome)
    }

    /// Hides the command of the next SendCommand from all other calls for this long.
    pub fn hide_next_command_for(&mut self, duration: std::time::Duration) {
        self.hide_next = Some(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4));
    }

    /// The service's settings, to change them while it runs: what is drawn from now on follows them.
    pub fn options_mut(&mut self) -> &mut SsmOptions {
        &mut self.options
    }

    /// The ids of all nodes, in the fleet's order.
    pub fn node_ids(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| &*node.node.id)
    }

    /// A node's patches as they really are.
    pub fn patches(&self, node: &str) -> Option<Patches> {
        self.by_id.get(node).and_then(|position| self.nodes.get(*position)).map(|node| node.node.patches)
    }

    /// A UUID from the model's own chance.
    fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid().to_string()
    }
}

/// A response's JSON.
fn json<T: serde::Serialize>(response: T) -> Result<Value, ServiceError> {
    serde_json::to_value(response).map_err(|error| ServiceError::internal_server_error(error.to_string()))
}

/// How often a document ran on a node.
#[derive(Clone, Debug, Default)]
struct RunCount {
    all: u32,
    /// By the node's behaviour that covered the run: what fails first, fails its own first runs.
    by_behaviour: BTreeMap<Option<usize>, u32>,
}
