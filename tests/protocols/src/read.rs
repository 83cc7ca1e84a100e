//! Reading a story: what its user sees, what the table holds, and what really happened on the nodes.

use crate::Run;
use crate::checks::text;
use fleetwright_local::TABLE;
use fleetwright_local::ssm::{CommandEntry, Run as NodeRun};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A send as the table holds it.
#[derive(Debug, Clone)]
pub struct SendRow {
    /// Its token.
    pub token: String,
    /// The step's ordinal.
    pub step: u32,
    /// The step's attempt.
    pub attempt: u32,
    /// `trying`, `refused`, `sent` or `ended`.
    pub state: String,
    /// Tries begun.
    pub tries: u32,
    /// The command, once recorded.
    pub command_id: Option<String>,
    /// Commands too many that were found.
    pub extra_commands: Vec<String>,
    /// The whole item.
    pub item: Value,
}

impl Run {
    /// The execution, as GetAutomationExecution answers.
    pub fn execution(&mut self) -> Value {
        let id = self.id.clone();
        let answer = self.ask("GetAutomationExecution", &json!({ "AutomationExecutionId": id }));
        answer["AutomationExecution"].clone()
    }

    /// Its status.
    pub fn status(&mut self) -> String {
        self.execution()["AutomationExecutionStatus"].as_str().expect("a status").to_owned()
    }

    /// A step of it.
    pub fn step(&mut self, name: &str) -> Value {
        let execution = self.execution();
        let steps = execution["StepExecutions"].as_array().expect("steps");
        steps
            .iter()
            .find(|step| step["StepName"] == name)
            .cloned()
            .unwrap_or_else(|| panic!("no step {name}"))
    }

    /// An output of a step, as a list of text; empty if there is none.
    pub fn output(&mut self, step: &str, name: &str) -> Vec<String> {
        let values = self.step(step)["Outputs"][name].as_array().cloned().unwrap_or_default();
        values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    /// An output of a step that is one number.
    pub fn number(&mut self, step: &str, name: &str) -> u64 {
        let output = self.output(step, name);
        output
            .first()
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| panic!("{step}.{name} is {output:?}"))
    }

    /// Its fleet steps in numbers, as the results API answers, each with its nodes that are over and not well.
    pub fn summary(&mut self) -> Vec<Value> {
        let path = format!("/executions/{}/summary", self.id);
        let mut steps = self.get(&path)["Steps"].as_array().expect("a list").clone();
        for step in &mut steps {
            step["Nodes"] = Value::Array(self.step_nodes(&step["Ordinal"].clone()));
        }
        steps
    }

    fn step_nodes(&mut self, ordinal: &Value) -> Vec<Value> {
        let path = format!("/executions/{}/nodes?status=NotSuccess&step={ordinal}&limit=1000", self.id);
        let (mut nodes, mut next) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}{next}"));
            nodes.extend(page["Nodes"].as_array().expect("a list").iter().cloned());
            match page["NextToken"].as_str() {
                Some(token) => next = format!("&next={token}"),
                None => return nodes,
            }
        }
    }

    /// The summary without what may differ between two runs that came to the same: nothing but nodes and outcomes.
    pub fn aggregate(&mut self) -> Value {
        let only = |value: &Value, names: &[&str]| -> Value {
            names.iter().map(|name| ((*name).to_owned(), value[*name].clone())).collect()
        };
        let mut steps = self.summary();
        for step in &mut steps {
            for node in step["Nodes"].as_array_mut().into_iter().flatten() {
                *node = only(node, &["InstanceId", "Outcome", "StatusDetails", "ResponseCode"]);
            }
            *step = only(step, &["StepName", "Status", "Targets", "Counts", "Nodes"]);
        }
        Value::Array(steps)
    }

    /// Every stored item in key order, but for the heartbeat: each minute writes it, whatever happens.
    pub fn items(&self) -> Vec<Value> {
        let mut items = self.cloud().dynamodb.items(TABLE).expect("the table");
        items.retain(|item| text(item, "pk") != Some("HEALTH"));
        items
    }

    /// The execution's own item.
    pub fn item(&self) -> Value {
        let key = format!("EXEC#{}", self.id);
        let own = |item: &Value| text(item, "pk") == Some(&key) && text(item, "sk") == Some("EXEC");
        self.items().into_iter().find(own).expect("the execution is stored")
    }

    /// The execution's sends, in the order of their tokens.
    pub fn sends(&self) -> Vec<SendRow> {
        let key = format!("EXEC#{}", self.id);
        let items = self.items().into_iter().filter(|item| text(item, "pk") == Some(&key));
        let mut sends = Vec::new();
        for item in items {
            let Some(token) = text(&item, "sk").and_then(|sk| sk.strip_prefix("SEND#")) else { continue };
            let number =
                |name: &str| item[name]["N"].as_str().and_then(|n| n.parse().ok()).expect("a number");
            let extra = item["extra_commands"]["SS"].as_array().cloned().unwrap_or_default();
            sends.push(SendRow {
                token: token.to_owned(),
                step: number("step"),
                attempt: number("attempt"),
                state: text(&item, "state").expect("a state").to_owned(),
                tries: number("tries"),
                command_id: text(&item, "command_id").map(str::to_owned),
                extra_commands: extra.iter().filter_map(|id| id.as_str().map(str::to_owned)).collect(),
                item,
            });
        }
        sends
    }

    /// Commands that SSM really accepted, in order.
    pub fn commands(&self) -> Vec<CommandEntry> {
        self.cloud().ssm.ledger().commands().to_vec()
    }

    /// What really ran on nodes, in the order it began.
    pub fn runs(&self) -> Vec<NodeRun> {
        self.cloud().ssm.ledger().runs().to_vec()
    }

    /// How often each node really ran each step, by the step's ordinal.
    pub fn times_run(&self) -> BTreeMap<(u32, String), usize> {
        let steps: BTreeMap<String, u32> =
            self.sends().into_iter().map(|send| (send.token, send.step)).collect();
        let commands: BTreeMap<String, u32> = self
            .commands()
            .iter()
            .map(|command| {
                let token = token_of(command).expect("a command of ours bears a mark");
                let step = steps.get(token).expect("a command is sent for a send that is stored");
                (command.command_id.to_string(), *step)
            })
            .collect();
        let mut times = BTreeMap::new();
        for run in self.runs() {
            *times.entry((commands[&*run.command_id], run.node.to_string())).or_insert(0) += 1;
        }
        times
    }

    /// How often an action, such as `ssm:SendCommand`, reached its service.
    pub fn applied(&self, action: &str) -> u64 {
        self.cloud().counters.applied(action)
    }

    /// Holds that no node really ran a step more than once.
    pub fn each_target_ran_once(&self) {
        let more: Vec<_> = self.times_run().into_iter().filter(|(_, count)| *count > 1).collect();
        assert!(more.is_empty(), "ran more than once: {more:?}");
    }

    /// Holds that every node really ran each of so many steps, and each once.
    pub fn each_node_ran_once_in_each_of(&self, steps: u32) {
        let times = self.times_run();
        let nodes: Vec<String> = self.cloud().ssm.node_ids().map(str::to_owned).collect();
        assert_eq!(times.len(), nodes.len() * steps as usize, "nodes that ran, by step: {times:?}");
        let more = times.iter().filter(|(_, count)| **count != 1).collect::<Vec<_>>();
        assert!(more.is_empty(), "ran more than once: {more:?}");
    }
}

/// The token a command's comment bears.
pub(crate) fn token_of(command: &CommandEntry) -> Option<&str> {
    command.comment.strip_prefix("fw:")?.split(' ').next()
}
