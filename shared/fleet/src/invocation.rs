//! What SSM says about one finished invocation.

use crate::{NodeId, Outcome, Terminal};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One plugin (document step) of an invocation (SSM API reference, CommandPlugin).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginResult {
    /// The name of the document's step.
    pub name: String,
    /// SSM's status detail.
    pub status: String,
    /// SSM's coarse status, in its own word.
    #[serde(default)]
    pub coarse_status: String,
    /// The exit code; -1 means not started or not received.
    pub response_code: i32,
    /// The first 2,500 characters of output, shorter if the result had to be cut to fit.
    pub output: String,
    /// SHA-256 of the output as SSM gave it, in hexadecimal: equal outputs are found without comparing them, also
    /// where they were shortened.
    pub output_sha256: String,
    /// When it began on the node.
    pub started_at: Option<Timestamp>,
    /// When it ended there.
    pub ended_at: Option<Timestamp>,
    /// Where the whole standard output is, if the command had it kept.
    pub standard_output_url: Option<String>,
    /// Where the whole standard error is.
    pub standard_error_url: Option<String>,
}

/// What SSM's reads show of an invocation, in its own words: kept to be shown again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InvocationShown {
    /// The node's name.
    pub instance_name: String,
    /// The coarse status.
    pub status: String,
    /// The finer status.
    pub status_details: String,
    /// Where the whole standard output is.
    pub standard_output_url: String,
    /// Where the whole standard error is.
    pub standard_error_url: String,
}

/// One invocation as a settle read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvocationResult {
    /// The node.
    pub node: NodeId,
    /// The status; `None` where SSM had not finished it when the settle gave up waiting.
    pub status: Option<Terminal>,
    /// What SSM's reads show of it beside that.
    #[serde(default)]
    pub shown: InvocationShown,
    /// What it did, plugin by plugin.
    pub plugins: Vec<PluginResult>,
    /// Whether output was shortened to fit our own limits (beyond SSM's).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shortened: bool,
}

impl InvocationResult {
    /// The plugin that speaks for the invocation: the first that did not end well, else the last.
    #[must_use]
    pub fn telling(&self) -> Option<&PluginResult> {
        self.plugins.iter().find(|p| p.status != Terminal::Success.as_str()).or_else(|| self.plugins.last())
    }

    /// The exit code of the telling plugin; -1 where there is none.
    #[must_use]
    pub fn response_code(&self) -> i32 {
        self.telling().map_or(-1, |plugin| plugin.response_code)
    }

    /// What it means for the node.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.status.map_or(Outcome::Unknown, |status| status.outcome(Some(self.response_code() != -1)))
    }
}
