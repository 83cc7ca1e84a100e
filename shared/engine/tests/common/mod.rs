//! A runbook, an execution, and a shell that knows everything it is asked for.
#![allow(dead_code, reason = "each test uses a part of it")]

use fleetwright_engine::{
    Decision, Document, Execution, ExecutionId, Input, Need, Observations, Phase, Place, Rejection, Report,
    Send, SendState, Start, StepExecution, StopType, decide, start,
};
use fleetwright_fleet::{
    Asked, Command, CommandId, InvocationResult, NodeId, PluginResult, SettledMark, Settlement, Terminal,
};
use fleetwright_runbook::{Runbook, parse};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_773_453_600 + seconds)
}

pub(crate) fn node(number: usize) -> String {
    format!("i-{number:017x}")
}

/// A runbook with these steps, in YAML, and the parameter `Ids`.
pub(crate) fn runbook(steps: &str) -> Runbook {
    let text = format!(
        "schemaVersion: '0.3'\nparameters:\n  Ids: {{ type: StringList, default: [] }}\n  Text: {{ type: String, default: blue }}\nmainSteps:\n{steps}"
    );
    parse(&text).unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}"))
}

/// One execution and what its shell has read.
pub(crate) struct Shell {
    pub(crate) runbook: Runbook,
    pub(crate) execution: Execution,
    pub(crate) seen: Observations,
    pub(crate) closed: Vec<StepExecution>,
    pub(crate) planned: Vec<Send>,
    pub(crate) now: Timestamp,
}

impl Shell {
    pub(crate) fn new(steps: &str, nodes: usize) -> Self {
        let runbook = runbook(steps);
        let ids = (0..nodes).map(node).collect();
        let request = Start {
            id: ExecutionId::new("5ea4d7a3-22c8-4d5e-9c5a-000000000001"),
            document: Document { name: "Test".into(), version: "1".into(), sha256: "0".into() },
            place: Place {
                account_id: "123456789012".into(),
                region: "us-east-1".into(),
                partition: "aws".into(),
            },
            parameters: BTreeMap::from([("Ids".to_owned(), ids)]),
            executed_by: "me".into(),
            announced: false,
        };
        let execution = start(request, &runbook, at(0)).expect("starts");
        let seen = Observations { resend_absent: true, ..Observations::default() };
        Self { runbook, execution, seen, closed: Vec::new(), planned: Vec::new(), now: at(0) }
    }

    /// Decides once, and takes what was decided as committed.
    pub(crate) fn look(&mut self) -> Result<Decision, Rejection> {
        let decision = decide(&self.execution, &self.runbook, &Input::Look(&self.seen), self.now)?;
        self.commit(&decision);
        Ok(decision)
    }

    pub(crate) fn stop(&mut self, kind: StopType) -> Result<Decision, Rejection> {
        let decision = decide(&self.execution, &self.runbook, &Input::Stop(kind), self.now)?;
        self.commit(&decision);
        Ok(decision)
    }

    fn commit(&mut self, decision: &Decision) {
        decision.execution.check().expect("a decision passes its own check");
        self.execution = decision.execution.clone();
        for list in &decision.lists {
            self.seen.lists.insert(list.reference.id.clone(), list.nodes.clone());
        }
        for send in &decision.planned {
            self.seen.sends.insert(send.token.clone(), send.clone());
        }
        for ended in &decision.ended {
            self.seen.sends.remove(&ended.send.token);
        }
        self.closed.extend(decision.closed.iter().cloned());
        self.planned.extend(decision.planned.iter().cloned());
    }

    /// SSM takes a send; its nodes then end as `outcome` says, and are settled.
    pub(crate) fn answer(&mut self, send: &Send, outcome: impl Fn(usize) -> (Terminal, i32)) -> CommandId {
        let number = self.seen.reports.len();
        let command_id: CommandId =
            format!("a8c7e76f-15f1-4c33-9052-{number:012x}").parse().expect("a command id");
        let nodes: BTreeSet<NodeId> = self.nodes_of(send);
        let invocations: BTreeMap<NodeId, InvocationResult> = nodes
            .iter()
            .map(|node| {
                let index = usize::from_str_radix(&node.as_str()[2..], 16).expect("a number");
                let (status, response_code) = outcome(index);
                let plugin = PluginResult {
                    name: "run".into(),
                    status: status.as_str().into(),
                    response_code,
                    output: format!("node {index}"),
                    ..PluginResult::default()
                };
                let result = InvocationResult {
                    node: node.clone(),
                    status: Some(status),
                    plugins: vec![plugin],
                    shortened: false,
                };
                (node.clone(), result)
            })
            .collect();
        let settlement = Settlement {
            status: Some(Terminal::Success),
            target_count: nodes.len() as u64,
            requested_at: self.now,
            invocations,
            patch: None,
        };
        let command = Command {
            asked: Some(Asked::Nodes(nodes)),
            statuses: BTreeSet::from([Terminal::Success]),
            nodes: BTreeMap::new(),
            settled: Some(SettledMark { generation: "g".into(), facts: 0, parts: 1 }),
        };
        let report = Report {
            command,
            settlement: Some(settlement),
            expires_after: self.now + SignedDuration::from_hours(2),
            terminal_since: Some(self.now),
            last_fact_at: Some(self.now),
        };
        self.seen.reports.insert(command_id.clone(), report);
        self.set_state(send, SendState::Sent { command_id: command_id.clone() });
        command_id
    }

    pub(crate) fn set_state(&mut self, send: &Send, state: SendState) {
        let live = self.seen.sends.get_mut(&send.token).expect("a live send");
        if let SendState::Refused(_) = state {
            live.refused_tries = live.tries;
        }
        live.state = state;
    }

    fn nodes_of(&self, send: &Send) -> BTreeSet<NodeId> {
        match &send.slice {
            fleetwright_engine::Slice::Targets => BTreeSet::new(),
            fleetwright_engine::Slice::Nodes { list, offset, length } => {
                let all = &self.seen.lists[&list.id];
                let (from, count) = (usize::try_from(*offset).unwrap(), usize::try_from(*length).unwrap());
                all.iter().skip(from).take(count).cloned().collect()
            }
        }
    }

    /// Answers every planned send alike until the execution has ended.
    pub(crate) fn run(&mut self, outcome: impl Fn(usize) -> (Terminal, i32)) {
        for _ in 0..100 {
            let decision = match self.look() {
                Ok(decision) => decision,
                Err(Rejection::Stale(_)) => return,
                Err(other) => panic!("{other:?}"),
            };
            for send in &decision.planned {
                self.answer(send, &outcome);
            }
            if let Some(due) = decision.due
                && decision.planned.is_empty()
                && !decision.again
            {
                self.now = self.now.max(due);
            }
        }
        panic!("the execution does not end: {:?}", self.execution.phase);
    }

    pub(crate) fn ended(&self) -> (&'static str, Option<&str>) {
        match &self.execution.phase {
            Phase::Ended { ending, .. } => (ending.status.as_str(), ending.failure_message.as_deref()),
            Phase::At(_) | Phase::In(_) | Phase::Ending(_) => panic!("it has not ended"),
        }
    }

    /// Names and statuses of the steps, in the order they closed.
    pub(crate) fn steps(&self) -> Vec<(String, &'static str)> {
        self.closed.iter().map(|step| (step.name.to_string(), step.status.as_str())).collect()
    }
}

/// Every node ends well.
pub(crate) fn well(_: usize) -> (Terminal, i32) {
    (Terminal::Success, 0)
}

pub(crate) fn needs(rejection: &Rejection) -> Vec<Need> {
    match rejection {
        Rejection::Needs(needs) => needs.clone(),
        Rejection::Refused { .. } | Rejection::Stale(_) | Rejection::Illegal(_) => panic!("{rejection:?}"),
    }
}

/// A runCommand step over the parameter `Ids`.
pub(crate) fn command(name: &str, more: &str) -> String {
    format!(
        "  - name: {name}\n    action: aws:runCommand\n{more}    inputs:\n      DocumentName: AWS-RunShellScript\n      InstanceIds: \"{{{{ Ids }}}}\"\n      Parameters: {{ commands: [uname] }}\n"
    )
}
