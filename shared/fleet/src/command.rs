//! A command as facts have built it up.

use crate::{Fact, NodeId, Outcome, Partition, Settlement, Subject, Terminal};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Whom the command was sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// By InstanceIds: exactly these.
    Nodes(BTreeSet<NodeId>),
    /// By Targets: SSM resolves them, only its invocations tell whom.
    Targets,
}

/// Which read of SSM the results are from, and how much had been reported when it began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettledMark {
    /// Names the result items.
    pub generation: String,
    /// (node, status) pairs in the union when the read began.
    pub facts: usize,
    /// How many result items the generation has.
    pub parts: u32,
}

/// Facts of one command, united. Grow-only: nothing is ever removed or counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Command {
    /// Whom it was sent to; `None` until somebody recorded it (an event may come first).
    pub asked: Option<Asked>,
    /// Terminal statuses reported for the command as a whole.
    pub statuses: BTreeSet<Terminal>,
    /// Nodes by reported terminal status.
    pub nodes: BTreeMap<Terminal, BTreeSet<NodeId>>,
    /// The newest settle.
    pub settled: Option<SettledMark>,
}

impl Command {
    /// Unites a fact.
    pub fn fold(&mut self, fact: &Fact) {
        match &fact.subject {
            Subject::Command => {
                self.statuses.insert(fact.status);
            }
            Subject::Node(node) => {
                self.nodes.entry(fact.status).or_default().insert(node.clone());
            }
        }
    }

    /// Whether the node is one of those asked; of a command by Targets any node may be.
    #[must_use]
    pub fn asks(&self, node: &NodeId) -> bool {
        match &self.asked {
            Some(Asked::Nodes(nodes)) => nodes.contains(node),
            Some(Asked::Targets) | None => true,
        }
    }

    /// (node, status) pairs known from events.
    #[must_use]
    pub fn facts(&self) -> usize {
        self.nodes.values().map(|nodes| nodes.iter().filter(|node| self.asks(node)).count()).sum()
    }

    /// The statuses reported for a node.
    fn reported(&self, node: &NodeId) -> impl Iterator<Item = Terminal> {
        self.nodes.iter().filter(|(_, nodes)| nodes.contains(node)).map(|(status, _)| *status)
    }

    /// Every node the command has said anything about or was sent to.
    fn known(&self) -> BTreeSet<&NodeId> {
        let named = self.nodes.values().flatten().filter(|node| self.asks(node));
        match &self.asked {
            Some(Asked::Nodes(nodes)) => nodes.iter().chain(named).collect(),
            Some(Asked::Targets) | None => named.collect(),
        }
    }

    /// Every node the command was sent to or that has said anything.
    #[must_use]
    pub fn known_nodes(&self) -> BTreeSet<NodeId> {
        self.known().into_iter().cloned().collect()
    }

    /// How many nodes have ended, as far as reported.
    #[must_use]
    pub fn reported_nodes(&self) -> usize {
        self.known().into_iter().filter(|node| self.reported(node).next().is_some()).count()
    }

    /// Whether nothing more will happen: SSM called the command finished, or it went to named nodes and all of them
    /// are terminal. (Of a command by Targets only SSM knows how many there are.)
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let every_node = match &self.asked {
            Some(Asked::Nodes(nodes)) => nodes.iter().all(|node| self.reported(node).next().is_some()),
            Some(Asked::Targets) | None => false,
        };
        every_node || !self.statuses.is_empty()
    }

    /// Whether it went to named nodes and every one of them is reported as Success, and nothing else.
    ///
    /// A Success of the command alone is not enough: SSM calls a command Success that four of five nodes never got
    /// (User Guide, monitor-commands).
    #[must_use]
    pub fn is_plain_success(&self) -> bool {
        match &self.asked {
            Some(Asked::Nodes(nodes)) => {
                nodes.iter().all(|node| self.reported(node).eq([Terminal::Success]))
                    && self.statuses.iter().all(|status| *status == Terminal::Success)
            }
            Some(Asked::Targets) | None => false,
        }
    }

    /// Whether two reports about one node contradict each other (not: one is the finer word for the other).
    #[must_use]
    pub fn is_contradicted(&self) -> bool {
        self.known().into_iter().any(|node| {
            let mut coarse: Vec<Terminal> = self.reported(node).map(Terminal::coarse).collect();
            coarse.dedup();
            coarse.len() > 1
        })
    }

    /// Whether SSM must be read again: more was reported than the settle had seen, and reports contradict.
    #[must_use]
    pub fn outdates(&self, settled: &SettledMark) -> bool {
        self.facts() > settled.facts && self.is_contradicted()
    }

    /// The outcome of a node as reports alone have it; of contradicting ones the worst, of a coarse and a fine one
    /// the fine one.
    fn reported_outcome(&self, node: &NodeId) -> Option<Outcome> {
        let statuses: BTreeSet<Terminal> = self.reported(node).collect();
        let refined = |coarse: &Terminal| statuses.iter().any(|s| s != coarse && s.coarse() == *coarse);
        statuses.iter().filter(|status| !refined(status)).map(|status| status.outcome(None)).max()
    }

    /// The same where SSM was not read. An event's Failed is also said of nodes that were never reached, its TimedOut
    /// also of those from which no answer came: they may have run, or never begun.
    fn outcome_without_ssm(&self, node: &NodeId) -> Option<Outcome> {
        self.reported_outcome(node).map(|outcome| {
            let is_fine = self.reported(node).any(|status| status == Terminal::ExecutionTimedOut);
            match outcome {
                Outcome::Failed => Outcome::Unknown,
                Outcome::TimedOut if !is_fine => Outcome::Unknown,
                Outcome::Success | Outcome::NotRun | Outcome::Unknown | Outcome::TimedOut => outcome,
            }
        })
    }

    /// The targets by outcome, of a command of which no more is waited for. SSM's own answer stands where there is one;
    /// what it left open, reports fill in. Nodes of which nobody ever said anything are Unknown.
    #[must_use]
    pub fn partition(&self, settlement: Option<&Settlement>) -> Partition {
        // Of a command that SSM never sent out, nothing ran anywhere.
        let unsent = settlement.is_some_and(|s| {
            s.invocations.is_empty() && s.status.is_some_and(Terminal::explains_no_invocation)
        });
        let unheard = if unsent { Outcome::NotRun } else { Outcome::Unknown };
        let mut partition = Partition::default();
        for node in self.known() {
            partition.set(node.clone(), self.outcome_without_ssm(node).unwrap_or(unheard));
        }
        if let Some(settlement) = settlement {
            for (node, invocation) in &settlement.invocations {
                if invocation.status.is_some() || partition.outcome(node).is_none() {
                    partition.set(node.clone(), invocation.outcome());
                }
            }
            let named = partition.counts().total();
            partition.add_unnamed(settlement.target_count.saturating_sub(named));
        }
        partition
    }

    /// Progress while it runs: reported nodes by outcome. The rest of the targets is still in progress.
    #[must_use]
    pub fn progress(&self) -> Partition {
        let mut partition = Partition::default();
        for node in self.known() {
            if let Some(outcome) = self.reported_outcome(node) {
                partition.set(node.clone(), outcome);
            }
        }
        partition
    }

    /// How many nodes it was sent to; `None` where only SSM knows.
    #[must_use]
    pub fn asked_count(&self) -> Option<u64> {
        match &self.asked {
            Some(Asked::Nodes(nodes)) => Some(nodes.len() as u64),
            Some(Asked::Targets) | None => None,
        }
    }

    /// Errors as MaxErrors counts them, as far as reported. A coarse TimedOut may be a delivery's: not counted.
    #[must_use]
    pub fn errors_reported(&self) -> u64 {
        self.known().into_iter().filter(|node| self.reported(node).any(Terminal::counts_as_error)).count()
            as u64
    }
}
