//! What really ran: the model's own books, which no call of the API shows.

use super::status::{CommandStatus, StatusDetails};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every command that was accepted and every run that began, whatever SSM says about them.
#[derive(Debug, Default)]
pub struct Ledger {
    commands: Vec<CommandEntry>,
    by_id: BTreeMap<Arc<str>, usize>,
    runs: Vec<Run>,
}

/// A command that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandEntry {
    /// Its id.
    pub command_id: Arc<str>,
    /// The caller's Comment.
    pub comment: String,
    /// The document's name.
    pub document: Arc<str>,
    /// When it was accepted.
    pub requested_at: Timestamp,
    /// When reads of SSM show it for the first time.
    pub shown_at: Timestamp,
    /// When a cancel of all of it was first accepted.
    pub cancelled_at: Option<Timestamp>,
    /// Its status now, without any lag.
    pub status: CommandStatus,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Status by node now, without any lag; empty until its targets are resolved.
    pub nodes: BTreeMap<Arc<str>, StatusDetails>,
}

/// A document that really began to run on a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The command.
    pub command_id: Arc<str>,
    /// The node.
    pub node: Arc<str>,
    /// The document's name.
    pub document: Arc<str>,
    /// When it began.
    pub began: Timestamp,
    /// How and when it ended; absent while it runs.
    pub end: Option<(Timestamp, RunEnd)>,
}

/// How a run really ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunEnd {
    /// With 0.
    Succeeded,
    /// With another code.
    Failed(i32),
    /// Stopped by the agent at its execution timeout.
    TimedOut,
    /// Stopped by a cancel.
    Killed,
}

impl Ledger {
    /// Commands in the order of their acceptance.
    pub fn commands(&self) -> &[CommandEntry] {
        &self.commands
    }

    /// One command.
    pub fn command(&self, command_id: &str) -> Option<&CommandEntry> {
        self.by_id.get(command_id).and_then(|index| self.commands.get(*index))
    }

    /// Runs in the order of their beginning.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Runs of one command.
    pub fn runs_of(&self, command_id: &str) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| &*run.command_id == command_id)
    }

    /// Runs on one node.
    pub fn runs_on(&self, node: &str) -> impl Iterator<Item = &Run> {
        self.runs.iter().filter(move |run| &*run.node == node)
    }

    pub(super) fn accept(&mut self, entry: CommandEntry) {
        self.by_id.insert(Arc::clone(&entry.command_id), self.commands.len());
        self.commands.push(entry);
    }

    /// The entry of the command at this position; commands are accepted in the model's own order.
    pub(super) fn entry(&mut self, command: usize) -> Option<&mut CommandEntry> {
        self.commands.get_mut(command)
    }

    pub(super) fn begin(&mut self, run: Run) -> usize {
        self.runs.push(run);
        self.runs.len() - 1
    }

    pub(super) fn end(&mut self, run: usize, at: Timestamp, end: RunEnd) {
        if let Some(run) = self.runs.get_mut(run) {
            run.end.get_or_insert((at, end));
        }
    }
}
