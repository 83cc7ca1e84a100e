//! What must be true once everything is over, whoever died.

use crate::stage::tokens;
use crate::workload::Done;
use fleetwright_local::ssm::CommandEntry;
use fleetwright_local::{Deployment, TABLE};
use fleetwright_protocols::{outcome_of, text};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Virtual minutes until everything must be over: a look 90 s, 2 and 4 minutes after a try, and what follows from it, for
/// each of a handful of sends in a row that were cut off.
const MINUTES_MAX: usize = 6 * 60;
const OVER: [&str; 4] = ["Success", "Failed", "TimedOut", "Cancelled"];
const QUEUES: [&str; 4] = ["facts", "prompt", "facts-dead", "prompt-dead"];

/// What was found.
pub(crate) struct Finding {
    /// What is not as it must be.
    pub(crate) wrong: Vec<String>,
    executions: BTreeMap<String, usize>,
    commands: usize,
    runs: usize,
    minutes: usize,
    /// Calls whose process was gone before the answer.
    unheard: BTreeMap<String, u64>,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wrong, executions, commands, runs, minutes, unheard } = self;
        writeln!(formatter, "executions {executions:?}, {commands} commands, {runs} runs on nodes")?;
        writeln!(formatter, "calls nobody heard the answer of: {unheard:?}")?;
        write!(formatter, "over after {minutes} more minutes; {} things wrong", wrong.len())
    }
}

/// A stored send.
struct Send {
    execution: String,
    token: String,
    step: u32,
    state: String,
    command_id: Option<String>,
}

/// What is stored, and what really happened.
struct Books {
    items: Vec<Value>,
    sends: Vec<Send>,
    /// What SSM accepted, by the token that is in its comment.
    commands: BTreeMap<String, Vec<CommandEntry>>,
}

impl Finding {
    /// How often a process died before it had the answer to such a call.
    pub(crate) fn unheard(&self, action: &str) -> u64 {
        self.unheard.get(action).copied().unwrap_or_default()
    }

    /// Lets everything come to its end, and looks.
    pub(crate) fn of(deployment: &mut Deployment, done: &Done) -> Self {
        let mut wrong = Vec::new();
        let minutes = wait(deployment);
        let books = Books::read(deployment);
        books.everything_ended(done, &mut wrong);
        books.one_command_a_send(&mut wrong);
        nothing_ran_twice(deployment, &books, &mut wrong);
        steps_in_order(deployment, &books, &mut wrong);
        for id in &done.started {
            aggregate_is_true(deployment, &books, id, *id == done.stopped, &mut wrong);
        }
        let later = tokens(deployment, &done.stopped);
        for token in later.difference(&done.intents) {
            wrong.push(format!("send {token} of {} was intended after its stop", done.stopped));
        }
        let cloud = deployment.simulation.cloud();
        wrong.extend(cloud.violations.iter().map(|violation| format!("{violation:?}")));
        for queue in QUEUES {
            let left = cloud.sqs.queue(queue).expect("a queue").len();
            if left > 0 {
                wrong.push(format!("{left} messages left in {queue}"));
            }
        }
        let mut unheard = BTreeMap::new();
        for (action, count) in cloud.counters.calls.values().flatten().filter(|(_, count)| count.unheard > 0)
        {
            *unheard.entry(action.clone()).or_default() += count.unheard;
        }
        Self {
            wrong,
            executions: books.executions(),
            commands: cloud.ssm.ledger().commands().len(),
            runs: cloud.ssm.ledger().runs().len(),
            minutes,
            unheard,
        }
    }
}

/// Lets time pass until every execution is over and no message is under way; how many minutes.
fn wait(deployment: &mut Deployment) -> usize {
    for minutes in 0..MINUTES_MAX {
        deployment.pass(SignedDuration::from_mins(1)).expect("time passes");
        let under_way: usize = {
            let cloud = deployment.simulation.cloud();
            QUEUES[..2].iter().map(|queue| cloud.sqs.queue(queue).expect("a queue").len()).sum()
        };
        if under_way == 0 && Books::read(deployment).is_over() {
            return minutes + 1;
        }
    }
    MINUTES_MAX
}

impl Books {
    fn read(deployment: &Deployment) -> Self {
        let cloud = deployment.simulation.cloud();
        let items = cloud.dynamodb.items(TABLE).expect("the table");
        let sends = items.iter().filter_map(Send::read).collect();
        let mut commands: BTreeMap<String, Vec<CommandEntry>> = BTreeMap::new();
        for command in cloud.ssm.ledger().commands() {
            let token = command.comment.strip_prefix("fw:").and_then(|rest| rest.split(' ').next());
            commands.entry(token.unwrap_or("no mark").to_owned()).or_default().push(command.clone());
        }
        Self { items, sends, commands }
    }

    fn stored_executions(&self) -> impl Iterator<Item = &Value> {
        self.items.iter().filter(|item| text(item, "sk") == Some("EXEC"))
    }

    fn is_over(&self) -> bool {
        self.stored_executions().all(|item| OVER.contains(&text(item, "status").unwrap_or_default()))
    }

    fn executions(&self) -> BTreeMap<String, usize> {
        let mut count = BTreeMap::new();
        for item in self.stored_executions() {
            *count.entry(text(item, "status").unwrap_or_default().to_owned()).or_default() += 1;
        }
        count
    }

    fn everything_ended(&self, done: &Done, wrong: &mut Vec<String>) {
        let stored: BTreeMap<&str, &Value> = self
            .stored_executions()
            .filter_map(|item| Some((text(item, "pk")?.strip_prefix("EXEC#")?, item)))
            .collect();
        let started: BTreeSet<&str> = done.started.iter().map(String::as_str).collect();
        if stored.keys().copied().collect::<BTreeSet<_>>() != started {
            wrong.push(format!("started {started:?}, stored {:?}", stored.keys()));
        }
        for (id, item) in stored {
            let status = text(item, "status").unwrap_or_default();
            let is_stopped = id == done.stopped;
            if !OVER.contains(&status) || (status == "Cancelled") != is_stopped {
                wrong.push(format!("{id} is {status}, stopped: {is_stopped}"));
            }
            if item.get("parked").is_some() || item.get("due_at").is_some() {
                wrong.push(format!("{id} is parked, or due although it is over: {item:#}"));
            }
        }
        for send in self.sends.iter().filter(|send| send.state != "ended") {
            wrong.push(format!("send {} of {} is {}", send.token, send.execution, send.state));
        }
    }

    /// SSM shows a command long before it is looked for, so that there is no excuse for a second one.
    fn one_command_a_send(&self, wrong: &mut Vec<String>) {
        let by_token: BTreeMap<&str, &Send> =
            self.sends.iter().map(|send| (send.token.as_str(), send)).collect();
        for (token, commands) in &self.commands {
            let ids: Vec<&str> = commands.iter().map(|command| &*command.command_id).collect();
            match by_token.get(token.as_str()) {
                None => wrong.push(format!("commands {ids:?} were sent for {token}, which nobody intended")),
                Some(send) if ids != [send.command_id.as_deref().unwrap_or_default()] => {
                    wrong.push(format!("send {token} has commands {ids:?}, and knows {:?}", send.command_id));
                }
                Some(_) => {}
            }
        }
    }
}

impl Send {
    fn read(item: &Value) -> Option<Self> {
        let (execution, token) =
            (text(item, "pk")?.strip_prefix("EXEC#")?, text(item, "sk")?.strip_prefix("SEND#")?);
        Some(Self {
            execution: execution.to_owned(),
            token: token.to_owned(),
            step: item["step"]["N"].as_str()?.parse().ok()?,
            state: text(item, "state")?.to_owned(),
            command_id: text(item, "command_id").map(str::to_owned),
        })
    }
}

fn nothing_ran_twice(deployment: &Deployment, books: &Books, wrong: &mut Vec<String>) {
    let of_command: BTreeMap<&str, &str> = books
        .commands
        .iter()
        .flat_map(|(token, commands)| commands.iter().map(|command| (&*command.command_id, token.as_str())))
        .collect();
    let mut times: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let cloud = deployment.simulation.cloud();
    for run in cloud.ssm.ledger().runs() {
        *times.entry((of_command[&*run.command_id], &*run.node)).or_default() += 1;
    }
    for ((token, node), times) in times.into_iter().filter(|(_, times)| *times > 1) {
        wrong.push(format!("send {token} ran {times} times on {node}"));
    }
}

/// No step begins on any node before the step before it is over on all.
fn steps_in_order(deployment: &Deployment, books: &Books, wrong: &mut Vec<String>) {
    let cloud = deployment.simulation.cloud();
    let mut spans = BTreeMap::new();
    for send in &books.sends {
        let commands = books.commands.get(&send.token).into_iter().flatten();
        for run in commands.flat_map(|command| cloud.ssm.ledger().runs_of(&command.command_id)) {
            let end = run.end.map_or(run.began, |(at, _)| at);
            let span = spans.entry((&send.execution, send.step)).or_insert((run.began, end));
            *span = (span.0.min(run.began), span.1.max(end));
        }
    }
    for (((id, step), (_, end)), ((next_id, next), (began, _))) in spans.iter().zip(spans.iter().skip(1)) {
        if id == next_id && began < end {
            wrong.push(format!("{id}: step {next} began at {began}, step {step} ended at {end}"));
        }
    }
}

/// What the API shows of each step's nodes is what SSM's own books say, and the counts are theirs.
fn aggregate_is_true(
    deployment: &mut Deployment,
    books: &Books,
    id: &str,
    stopped: bool,
    wrong: &mut Vec<String>,
) {
    let summary = deployment.get(&format!("/executions/{id}/summary")).expect("the API answers");
    for step in summary["Steps"].as_array().expect("a list") {
        let ordinal = u32::try_from(step["Ordinal"].as_u64().expect("a number")).expect("a small one");
        let truth = truth(deployment, books, id, ordinal);
        let path = format!("/executions/{id}/nodes?status=NotSuccess&step={ordinal}&limit=1000");
        let nodes = deployment.get(&path).expect("the API answers");
        let mut shown: BTreeMap<String, String> =
            truth.keys().map(|node| (node.clone(), "Success".to_owned())).collect();
        for node in nodes["Nodes"].as_array().expect("a list") {
            let part = |name: &str| node[name].as_str().unwrap_or_default().to_owned();
            shown.insert(part("InstanceId"), part("Outcome"));
        }
        let name = &step["StepName"];
        for (node, outcome) in &shown {
            // Without a command nothing ran. Of a send that was stopped while it was tried that cannot be known (P6): its
            // command might still be under way.
            let is_true = match truth.get(node) {
                Some(true_outcome) => outcome == true_outcome,
                None => outcome == "NotRun" || stopped && outcome == "Unknown",
            };
            if !is_true {
                wrong.push(format!("{id} {name} {node}: shown {outcome}, true {:?}", truth.get(node)));
            }
        }
        for outcome in ["Success", "Failed", "TimedOut", "Unknown", "NotRun"] {
            let counted = shown.values().filter(|shown| *shown == outcome).count();
            if step["Counts"][outcome] != json!(counted) {
                wrong.push(format!("{id} {name}: {counted} are {outcome}, shown {}", step["Counts"]));
            }
        }
    }
}

/// What really became of a step's nodes.
fn truth(deployment: &Deployment, books: &Books, id: &str, step: u32) -> BTreeMap<String, &'static str> {
    let cloud = deployment.simulation.cloud();
    let sends = books.sends.iter().filter(|send| send.execution == id && send.step == step);
    let mut truth = BTreeMap::new();
    for command in sends.flat_map(|send| books.commands.get(&send.token).into_iter().flatten()) {
        for (node, details) in &command.nodes {
            let ran = cloud.ssm.ledger().runs_of(&command.command_id).any(|run| run.node == *node);
            truth.insert(node.to_string(), outcome_of(*details, ran));
        }
    }
    truth
}
