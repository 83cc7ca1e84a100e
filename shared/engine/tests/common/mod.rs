//! A runbook, an execution, and a shell that knows everything it is asked for.
#![allow(dead_code, reason = "each test uses a part of it")]

pub(crate) mod loops;

use fleetwright_engine::{
    Answer, AnswerStatus, Decision, Document, Execution, ExecutionId, Input, Need, Observations, Output,
    Phase, Place, Rejection, Report, Send, SendState, Signal, SignalRequest, Start, Status, StepExecution,
    StopType, decide, start,
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

/// The head of a runbook in YAML, with the parameters `Ids` and `Text`.
pub(crate) const HEAD: &str = "schemaVersion: '0.3'\nparameters:\n  Ids: { type: StringList, default: [] }\n  Text: { type: String, default: blue }\n";

/// A runbook with these steps, in YAML, and the parameters `Ids` and `Text`.
pub(crate) fn runbook(steps: &str) -> Runbook {
    parsed(&format!("{HEAD}mainSteps:\n{steps}"))
}

pub(crate) fn parsed(text: &str) -> Runbook {
    parse(text).unwrap_or_else(|wrong| panic!("{wrong:?}\n{text}"))
}

/// A start with nothing given.
pub(crate) fn request() -> Start {
    Start {
        id: ExecutionId::new("5ea4d7a3-22c8-4d5e-9c5a-000000000001"),
        document: Document { name: "Test".into(), version: "1".into(), sha256: "0".into() },
        place: Place {
            account_id: "123456789012".into(),
            region: "us-east-1".into(),
            partition: "aws".into(),
        },
        parameters: BTreeMap::new(),
        executed_by: "me".into(),
        answered: BTreeSet::new(),
        stored: BTreeMap::new(),
        announced: false,
    }
}

/// One execution and what its shell has read.
pub(crate) struct Shell {
    pub(crate) runbook: Runbook,
    pub(crate) execution: Execution,
    pub(crate) seen: Observations,
    pub(crate) begun: Vec<StepExecution>,
    pub(crate) closed: Vec<StepExecution>,
    pub(crate) planned: Vec<Send>,
    pub(crate) now: Timestamp,
}

impl Shell {
    pub(crate) fn new(steps: &str, nodes: usize) -> Self {
        let ids = (0..nodes).map(node).collect();
        let parameters = BTreeMap::from([("Ids".to_owned(), ids)]);
        Self::of(runbook(steps), Start { parameters, ..request() })
    }

    /// A rehearsal: these steps are answered for.
    pub(crate) fn rehearsal(steps: &str, answered: &[&str]) -> Self {
        let answered = answered.iter().map(|name| name.parse().expect("a step name")).collect();
        Self::of(runbook(steps), Start { answered, ..request() })
    }

    pub(crate) fn of(runbook: Runbook, request: Start) -> Self {
        let execution = start(request, &runbook, at(0)).expect("starts");
        let seen = Observations { resend_absent: true, ..Observations::default() };
        let (begun, closed, planned) = (Vec::new(), Vec::new(), Vec::new());
        Self { runbook, execution, seen, begun, closed, planned, now: at(0) }
    }

    /// A person's word.
    pub(crate) fn signal(
        &mut self,
        signal: Signal,
        caller: &str,
        payload: &[(&str, &str)],
    ) -> Result<Decision, Rejection> {
        let entry = |(key, value): &(&str, &str)| ((*key).to_owned(), vec![(*value).to_owned()]);
        let payload = payload.iter().map(entry).collect();
        let request =
            SignalRequest { signal, caller: caller.to_owned(), payload, ordinal: None, request_id: None };
        self.signal_request(&request)
    }

    pub(crate) fn signal_request(&mut self, request: &SignalRequest) -> Result<Decision, Rejection> {
        let decision = decide(&self.execution, &self.runbook, &Input::Signal(request), self.now)?;
        self.commit(&decision);
        Ok(decision)
    }

    pub(crate) fn answer(&mut self, answer: &Answer) -> Result<Decision, Rejection> {
        let decision = decide(&self.execution, &self.runbook, &Input::Answer(answer), self.now)?;
        self.commit(&decision);
        Ok(decision)
    }

    /// An answer to the attempt that waits for one.
    pub(crate) fn reply(&self, status: AnswerStatus) -> Answer {
        let step = self.open();
        Answer {
            ordinal: step.ordinal,
            attempt: step.attempt,
            status,
            response: None,
            outputs: BTreeMap::new(),
            message: None,
        }
    }

    pub(crate) fn open(&self) -> &StepExecution {
        self.execution.open_step().unwrap_or_else(|| panic!("no step is open: {:?}", self.execution.phase))
    }

    /// Answers step after step as told, until the execution has ended or waits for something else.
    pub(crate) fn rehearse(&mut self, reply: impl Fn(&StepExecution) -> AnswerStatus) {
        for _ in 0..2_000 {
            let decision = match self.look() {
                Ok(decision) => decision,
                Err(Rejection::Stale(_)) => return,
                Err(other) => panic!("{other:?}"),
            };
            if decision.again {
                continue;
            }
            match self.execution.open_step() {
                Some(step) if step.work == Some(fleetwright_engine::Work::Answered) => {
                    let answer = self.reply(reply(step));
                    self.answer(&answer).expect("an answer is taken");
                }
                Some(_) => self.now = self.now.max(decision.due.expect("a moment to look again")),
                None => {}
            }
        }
        panic!("the execution does not end: {:?}", self.execution.phase);
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
        let under_way = |step: &StepExecution| match step.status {
            Status::InProgress => true,
            Status::Cancelling => self.execution.stop.is_some(),
            Status::Waiting | Status::Success | Status::Failed | Status::TimedOut | Status::Cancelled => {
                false
            }
        };
        assert!(decision.begun.iter().all(under_way));
        self.begun.extend(decision.begun.iter().cloned());
        self.closed.extend(decision.closed.iter().cloned());
        self.planned.extend(decision.planned.iter().cloned());
    }

    /// SSM takes a send; its nodes then end as `outcome` says, and are settled.
    pub(crate) fn finish(&mut self, send: &Send, outcome: impl Fn(usize) -> (Terminal, i32)) -> CommandId {
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
                    shown: Default::default(),
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
                self.finish(send, &outcome);
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

    /// The value of an output of a closed step.
    pub(crate) fn output(&self, step: &str, name: &str) -> Option<serde_json::Value> {
        let closed = self.closed.iter().rev().find(|closed| closed.name == *step)?;
        match closed.outputs.get(name)? {
            Output::Value(value) => Some(value.clone()),
            Output::Nodes(list) => Some(self.seen.lists[&list.id].iter().map(ToString::to_string).collect()),
        }
    }

    /// Why a step ended as it did.
    pub(crate) fn message(&self, step: &str) -> String {
        let closed = self.closed.iter().rev().find(|closed| closed.name == *step);
        closed.and_then(|closed| closed.failure_message.clone()).unwrap_or_default()
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

/// Rejections that a caller is told of: their code and message.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, Rejection>) -> (&'static str, String) {
    match result {
        Err(Rejection::Refused { code, message }) => (code, message),
        other => panic!("{other:?}"),
    }
}
