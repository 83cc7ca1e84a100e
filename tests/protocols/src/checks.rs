//! What must be true at the end of every story.

use crate::Run;
use crate::read::{SendRow, token_of};
use fleetwright_local::ssm::{CommandEntry, Ledger, StatusDetails};
use jiff::SignedDuration;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Messages under way when an execution ends have arrived by then: a wake waits 15 minutes at most.
const AFTERMATH_MINUTES: usize = 30;
const OVER: [&str; 4] = ["Success", "Failed", "TimedOut", "Cancelled"];

impl Run {
    /// Lets everything under way arrive, and holds the guarantees: nothing forbidden was done, no message is left over,
    /// no send runs twice, what is shown equals what happened, every execution has ended.
    pub fn check(&mut self) {
        self.finish_quietly();
        self.one_command_a_send();
    }

    /// The same for a story in which SSM hid a command for longer than anybody waits: a second one of the same send
    /// may be there, but it is reported and runs no longer (G4).
    pub fn check_but_for_reported_duplicates(&mut self) {
        self.finish_quietly();
        let sends = self.sends();
        for (token, commands) in self.commands_by_token() {
            let send = sends.iter().find(|send| send.token == token).expect("a send");
            for command in commands {
                let id = command.command_id.to_string();
                if send.command_id.as_ref() != Some(&id) {
                    assert!(
                        send.extra_commands.contains(&id),
                        "command {id} is one too many and not reported"
                    );
                    assert!(command.ended_at.is_some(), "command {id} is one too many and runs on");
                }
            }
        }
    }

    fn finish_quietly(&mut self) {
        let idle = self.idle_rules();
        assert!(idle.is_empty(), "faults that never happened: {idle:#?}");
        self.calm();
        self.wait_for_messages();
        self.nothing_forbidden();
        self.everything_ended();
        self.sends_agree_with_steps();
        self.aggregate_is_true();
    }

    fn wait_for_messages(&mut self) {
        for _ in 0..AFTERMATH_MINUTES {
            if self.messages("facts") + self.messages("prompt") == 0 {
                break;
            }
            self.pass(SignedDuration::from_mins(1));
        }
        for queue in ["facts", "prompt", "facts-dead", "prompt-dead"] {
            assert_eq!(self.messages(queue), 0, "messages left in {queue}");
        }
    }

    /// Messages in a queue, hidden ones too.
    pub fn messages(&self, queue: &str) -> usize {
        self.cloud().sqs.queue(queue).expect("a queue").len()
    }

    fn nothing_forbidden(&self) {
        let violations = self.cloud().violations.clone();
        assert!(violations.is_empty(), "{violations:#?}");
    }

    fn everything_ended(&self) {
        for item in self.items().iter().filter(|item| text(item, "sk") == Some("EXEC")) {
            let status = text(item, "status").unwrap_or_default();
            assert!(OVER.contains(&status), "an execution is {status}: {item:#}");
            assert!(text(item, "parked").is_none(), "an execution is parked: {item:#}");
            assert!(item.get("due_at").is_none(), "an execution is over and due: {item:#}");
        }
        for send in self.sends() {
            assert_eq!(send.state, "ended", "a send is not over: {send:#?}");
        }
    }

    fn commands_by_token(&self) -> BTreeMap<String, Vec<CommandEntry>> {
        let mut by_token: BTreeMap<String, Vec<CommandEntry>> = BTreeMap::new();
        for command in self.commands() {
            let token = token_of(&command).expect("a command of ours bears a mark").to_owned();
            by_token.entry(token).or_default().push(command);
        }
        by_token
    }

    fn one_command_a_send(&self) {
        for (token, commands) in self.commands_by_token() {
            assert_eq!(commands.len(), 1, "commands of send {token}: {commands:#?}");
        }
    }

    /// Every command that ran belongs to a stored send.
    fn sends_agree_with_steps(&self) {
        let tokens: BTreeSet<String> = self.sends().into_iter().map(|send| send.token).collect();
        let executions = self.items().iter().filter(|item| text(item, "sk") == Some("EXEC")).count();
        if executions == 1 {
            for token in self.commands_by_token().keys() {
                assert!(tokens.contains(token), "a command was sent for {token}, which nobody intended");
            }
        }
    }

    /// What the results API shows equals what SSM's own books say, node by node, and the counts are theirs.
    fn aggregate_is_true(&mut self) {
        let sends = self.sends();
        let ordinals = self.step_ordinals();
        for step in self.summary() {
            let name = step["StepName"].as_str().expect("a name");
            let truth = truth_of_step(&sends, ordinals[name], self.cloud().ssm.ledger());
            let shown: BTreeMap<&str, &str> = step["Nodes"]
                .as_array()
                .expect("nodes")
                .iter()
                .map(|node| {
                    (
                        node["InstanceId"].as_str().expect("an id"),
                        node["Outcome"].as_str().expect("an outcome"),
                    )
                })
                .collect();
            for (node, outcome) in &truth {
                let shown = shown.get(node.as_str()).copied().unwrap_or("Success");
                assert_eq!(shown, *outcome, "step {name}, node {node}: shown and true");
            }
            for (node, outcome) in &shown {
                // Of nodes without a command nobody can say more than these.
                let known = truth.contains_key(*node) || matches!(*outcome, "NotRun" | "Unknown");
                assert!(known, "step {name}, node {node}: {outcome}, and no command ran there");
            }
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            for outcome in truth.values().copied() {
                *counts.entry(outcome).or_default() += 1;
            }
            for (_, outcome) in shown.iter().filter(|(node, _)| !truth.contains_key(**node)) {
                *counts.entry(outcome).or_default() += 1;
            }
            for outcome in ["Success", "Failed", "TimedOut", "Unknown", "NotRun"] {
                let counted = counts.get(outcome).copied().unwrap_or(0);
                assert_eq!(step["Counts"][outcome], counted, "step {name}: {outcome} in {step:#}");
            }
        }
    }

    fn step_ordinals(&mut self) -> BTreeMap<String, u32> {
        let execution = self.execution();
        let steps = execution["StepExecutions"].as_array().expect("steps");
        let names = steps.iter().map(|step| step["StepName"].as_str().expect("a name").to_owned());
        names.zip(0..).collect()
    }
}

/// What really became of the nodes of a step's last attempt, by the commands its sends named.
fn truth_of_step(sends: &[SendRow], step: u32, ledger: &Ledger) -> BTreeMap<String, &'static str> {
    let last = sends.iter().filter(|send| send.step == step).map(|send| send.attempt).max();
    let of_step = sends.iter().filter(|send| send.step == step && Some(send.attempt) == last);
    let mut truth = BTreeMap::new();
    for command_id in of_step.filter_map(|send| send.command_id.as_deref()) {
        let command = ledger.command(command_id).expect("a recorded command is one SSM accepted");
        for (node, details) in &command.nodes {
            let ran = ledger.runs_of(command_id).any(|run| run.node == *node);
            truth.insert(node.to_string(), outcome_of(*details, ran));
        }
    }
    truth
}

/// The outcome that a status stands for.
#[must_use]
pub const fn outcome_of(details: StatusDetails, ran: bool) -> &'static str {
    match details {
        StatusDetails::Success => "Success",
        StatusDetails::Failed => "Failed",
        StatusDetails::ExecutionTimedOut => "TimedOut",
        StatusDetails::Terminated | StatusDetails::InvalidPlatform | StatusDetails::AccessDenied => "NotRun",
        StatusDetails::Cancelled => {
            if ran {
                "Failed"
            } else {
                "NotRun"
            }
        }
        StatusDetails::DeliveryTimedOut
        | StatusDetails::Undeliverable
        | StatusDetails::Pending
        | StatusDetails::InProgress
        | StatusDetails::Cancelling => "Unknown",
    }
}

/// A text attribute of an item.
#[must_use]
pub fn text<'a>(item: &'a Value, name: &str) -> Option<&'a str> {
    item[name]["S"].as_str()
}
