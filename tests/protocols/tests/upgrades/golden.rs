//! Golden items: a table as a release wrote it, with what its API answered, and a new deployment that finds it.

use crate::moments::Moment;
use fleetwright_local::fleet::{Behaviour, Fleet, Share, Span};
use fleetwright_local::{DeploymentError, TABLE};
use fleetwright_protocols::{Run, Story, steady_fleet, text, ticks};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

/// Releases whose items must be read, the oldest first.
pub(crate) const RELEASES: [&str; 1] = ["0.1.0"];

/// What stood in the table at a moment of a story.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Golden {
    /// The moment.
    pub(crate) at: Timestamp,
    /// The execution, if the story is about one.
    pub(crate) execution: String,
    /// What the API answered.
    pub(crate) answers: Vec<Answered>,
    /// The table's items as DynamoDB's JSON.
    pub(crate) items: Vec<Value>,
}

/// A question, and what the API answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answered {
    /// An operation of SSM's API, or a path of the results API.
    pub(crate) asked: String,
    /// The operation's request.
    pub(crate) body: Value,
    /// The answer; of a refusal, its name.
    pub(crate) answer: Value,
}

/// Nodes of which one in three takes twenty minutes, and one in four fails; all bear the tag Role=web.
pub(crate) fn fleet(nodes: usize) -> Fleet {
    let mut fleet = Fleet::plain(nodes, 1);
    for (index, node) in fleet.nodes_mut().iter_mut().enumerate() {
        let seconds = if index % 3 == 2 { 1_200 } else { 10 };
        let failed = if index % 4 == 3 { Share::new(1.0) } else { Share::default() };
        let duration = Span::seconds(seconds, seconds);
        node.behaviours = Arc::new([Behaviour { duration, failed, ..Behaviour::default() }]);
        node.tags = Arc::new([("Role".to_owned(), "web".to_owned())].into());
    }
    fleet
}

impl Golden {
    /// Where a moment of a release is kept.
    pub(crate) fn path(release: &str, moment: &Moment) -> PathBuf {
        let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/golden"));
        folder.join(release).join(format!("{}.json", moment.name))
    }

    /// As a release wrote it.
    pub(crate) fn read(release: &str, moment: &Moment) -> Self {
        let path = Self::path(release, moment);
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// As this code writes it.
    pub(crate) fn played(moment: &Moment) -> Self {
        let run = moment.play();
        Self { at: run.now(), execution: run.id.clone(), answers: Vec::new(), items: run.items() }
    }

    /// A deployment of today over the items, at their moment. Its SSM knows the nodes, and has forgotten the commands.
    pub(crate) fn deploy(&self, moment: &Moment, story: impl FnOnce(Story) -> Story) -> Run {
        // Of another seed: what is drawn now is not what was drawn then.
        let new = Story::new().fleet(steady_fleet(moment.nodes, 10)).runbook(moment.runbook).seed(2);
        let at = self.at;
        let mut run = story(new.deployed(|options| options.start = at)).deploy();
        put(&run, &self.items);
        run.id.clone_from(&self.execution);
        run
    }

    /// What the API answers to all that can be read of these items, while nothing else happens.
    pub(crate) fn ask(&self, moment: &Moment) -> Vec<Answered> {
        self.ask_in(&mut self.deploy(moment, |story| story.delivery(ticks().lost())))
    }

    /// What the API answers to all that can be read of these items.
    pub(crate) fn ask_in(&self, run: &mut Run) -> Vec<Answered> {
        self.questions(run).into_iter().map(|(asked, body)| answered(run, asked, body)).collect()
    }

    fn questions(&self, run: &Run) -> Vec<(String, Value)> {
        let operation = |name: &str, body: Value| (name.to_owned(), body);
        let path = |path: String| (path, Value::Null);
        let node = run.nodes().remove(0);
        let mut asked = vec![
            operation("DescribeAutomationExecutions", json!({})),
            operation("ListCommands", json!({})),
            operation("ListCommandInvocations", json!({ "InstanceId": node, "Details": true })),
            path("/executions".to_owned()),
            path(format!("/nodes/{node}")),
        ];
        for id in self.ids("EXEC") {
            asked.push(operation("GetAutomationExecution", json!({ "AutomationExecutionId": id })));
            asked.push(operation("DescribeAutomationStepExecutions", json!({ "AutomationExecutionId": id })));
            for rest in ["", "/steps", "/summary", "/timeline", "/nodes", "/groups"] {
                asked.push(path(format!("/executions/{id}{rest}")));
            }
        }
        for id in self.ids("CMD") {
            asked.push(operation("ListCommandInvocations", json!({ "CommandId": id, "Details": true })));
            asked.push(operation("GetCommandInvocation", json!({ "CommandId": id, "InstanceId": node })));
            asked.push(path(format!("/commands/{id}/summary")));
        }
        asked
    }

    /// The ids of all executions or commands.
    pub(crate) fn ids(&self, kind: &str) -> Vec<String> {
        let own = |item: &&Value| text(item, "sk") == Some(kind);
        let id = |item: &Value| text(item, "pk").and_then(|pk| pk.split('#').nth(1)).map(str::to_owned);
        let ids: BTreeSet<String> = self.items.iter().filter(own).filter_map(id).collect();
        ids.into_iter().collect()
    }
}

fn answered(run: &mut Run, asked: String, body: Value) -> Answered {
    let answer = if body.is_null() { run.deployment.get(&asked) } else { run.deployment.call(&asked, &body) };
    let answer = match answer {
        Ok(answer) => answer,
        Err(DeploymentError::Api(error)) => json!({ "Refused": error.code }),
        Err(error) => panic!("{asked} {body}: {error}"),
    };
    Answered { asked, body, answer }
}

/// Puts items into the table, in the place of what stands there.
pub(crate) fn put(run: &Run, items: &[Value]) {
    for item in items {
        let (answer, _) =
            run.cloud().dynamodb.handle("PutItem", &json!({ "TableName": TABLE, "Item": item }));
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

/// What kind of item it is, by its key.
pub(crate) fn kind(item: &Value) -> String {
    let (pk, sk) = (text(item, "pk").expect("a key"), text(item, "sk").expect("a key"));
    let word = |key: &str| key.split('#').next().unwrap_or_default().to_owned();
    match word(pk).as_str() {
        "EXEC" => word(sk),
        "CMD" if sk == "CMD" && pk.split('#').count() > 2 => "chunk".to_owned(),
        "CMD" => word(sk),
        other => other.to_owned(),
    }
}
