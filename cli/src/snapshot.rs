//! An execution as its items in the table have it. Looking costs nothing and changes nothing: no call is counted, no
//! virtual time passes, and a night that is watched is the night that is not.

use crate::failure::Failure;
use crate::target;
use crate::view::is_over;
use fleetwright_engine::{StepExecution, Targets, Work};
use fleetwright_fleet::{Asked, Command, CommandId, Counts, NodeId, Partition, Terminal};
use fleetwright_local::fleet::Fleet;
use fleetwright_local::{Cloud, TABLE};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Chunk items of a command by Targets.
const CHUNKS: usize = 64;
/// Keys in one BatchGetItem.
const KEYS_MAX: usize = 100;

/// An execution at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// Its status in SSM's words.
    pub(crate) status: String,
    /// Why it was set aside, if it was.
    pub(crate) parked: Option<String>,
    /// Its steps, in the order they began.
    pub(crate) steps: Vec<StepSight>,
}

/// A step at one moment.
#[derive(Debug, Clone)]
pub(crate) struct StepSight {
    /// Its state.
    pub(crate) step: StepExecution,
    /// Its nodes by outcome: as reported so far, or as they ended. `None`: a step without nodes.
    pub(crate) counts: Option<Counts>,
    /// How many nodes it is for, where that is known.
    pub(crate) total: Option<u64>,
}

impl Snapshot {
    /// Looks at an execution.
    pub(crate) fn take(cloud: &Cloud, fleet: &Fleet, id: &str) -> Result<Self, Failure> {
        let items = partition(cloud, &format!("EXEC#{id}"))?;
        let mut snapshot = Self { status: String::new(), parked: None, steps: Vec::new() };
        for item in &items {
            match text(item, "sk") {
                "EXEC" => {
                    text(item, "status").clone_into(&mut snapshot.status);
                    snapshot.parked = item["parked"]["S"].as_str().map(str::to_owned);
                }
                key if key.starts_with("STEP#") => {
                    snapshot.steps.push(sight(cloud, fleet, step_of(item)?, &items)?);
                }
                _ => {}
            }
        }
        Ok(snapshot)
    }

    /// Whether nothing more will happen: it has ended, or it waits for a person.
    pub(crate) fn is_over(&self) -> bool {
        is_over(&self.status) || self.parked.is_some()
    }
}

/// Other writes than commits may set it aside; a look for that is not taken more often.
const LOOKED_FOR: SignedDuration = SignedDuration::from_secs(10);

/// Whether an execution has ended or was set aside. Cheap enough to ask at every moment.
pub(crate) fn over(id: &str) -> impl FnMut(&Cloud) -> bool {
    let key = json!({ "pk": { "S": format!("EXEC#{id}") }, "sk": { "S": "EXEC" } });
    let request = json!({ "TableName": TABLE, "Key": key, "ConsistentRead": true,
        "ProjectionExpression": "#status, #parked",
        "ExpressionAttributeNames": { "#status": "status", "#parked": "parked" } });
    let mut seen = (0, 0, Timestamp::MIN);
    move |cloud| {
        let (commits, written) = (commits(cloud), writes(cloud));
        let long_ago = cloud.now().duration_since(seen.2) >= LOOKED_FOR;
        if commits == seen.0 && (written == seen.1 || !long_ago) {
            return false;
        }
        seen = (commits, written, cloud.now());
        let (answer, _) = cloud.dynamodb.handle("GetItem", &request);
        let item = &answer.body["Item"];
        is_over(text(item, "status")) || item["parked"].is_object()
    }
}

/// Whether an execution is over or, where steps are answered for, one of them waits for that.
pub(crate) fn over_or_answerable(id: &str, with_answers: bool) -> impl FnMut(&Cloud) -> bool {
    let mut over = over(id);
    let id = id.to_owned();
    let mut seen = 0;
    move |cloud| {
        let commits = commits(cloud);
        let committed = std::mem::replace(&mut seen, commits) != commits;
        over(cloud) || (with_answers && committed && matches!(answerable(cloud, &id), Ok(Some(_))))
    }
}

/// The open step of an execution, if it waits for an answer.
pub(crate) fn answerable(cloud: &Cloud, id: &str) -> Result<Option<StepExecution>, Failure> {
    let pk = format!("EXEC#{id}");
    let get = |sk: &str| {
        let key = json!({ "pk": { "S": &pk }, "sk": { "S": sk } });
        let mut body =
            look(cloud, "GetItem", &json!({ "TableName": TABLE, "Key": key, "ConsistentRead": true }))?;
        Ok::<Value, Failure>(body["Item"].take())
    };
    let execution = get("EXEC")?;
    let open = execution["open_step"]["N"].as_str().and_then(|n| n.parse().ok());
    let Some(ordinal) = open.filter(|_| !execution["parked"].is_object()) else { return Ok(None) };
    let step = step_of(&get(&step_key(ordinal))?)?;
    Ok(Some(step).filter(|step| matches!(step.work, Some(Work::Answered))))
}

/// The sort key of a step item.
fn step_key(ordinal: u32) -> String {
    format!("STEP#{ordinal:06}")
}

fn step_of(item: &Value) -> Result<StepExecution, Failure> {
    let wrong = |error| Failure::Defect(format!("step item {}: {error}", text(item, "sk")));
    serde_json::from_str(text(item, "body")).map_err(wrong)
}

/// How often something was committed.
fn commits(cloud: &Cloud) -> u64 {
    cloud.counters.applied("dynamodb:TransactWriteItems")
}

/// How often the table was written to.
pub(crate) fn writes(cloud: &Cloud) -> u64 {
    commits(cloud) + cloud.counters.applied("dynamodb:UpdateItem")
}

/// What the nodes of a closed step reported.
pub(crate) fn reported(cloud: &Cloud, step: &StepExecution) -> Result<Partition, Failure> {
    progress(cloud, step.commands.iter().map(CommandId::as_str))
}

fn sight(cloud: &Cloud, fleet: &Fleet, step: StepExecution, items: &[Value]) -> Result<StepSight, Failure> {
    let Some(Work::Fleet(work)) = &step.work else {
        return Ok(StepSight { counts: step.counts, total: step.counts.map(|counts| counts.total()), step });
    };
    let total = match &work.targets {
        Targets::Nodes(list) => Some(list.count),
        Targets::Query(targets) => target::count(fleet, targets),
    };
    let of_attempt = |item: &&Value| {
        text(item, "sk").starts_with("SEND#")
            && item["step"]["N"].as_str() == Some(&step.ordinal.to_string())
            && item["attempt"]["N"].as_str() == Some(&step.attempt.to_string())
    };
    let commands = items.iter().filter(of_attempt).filter_map(|item| item["command_id"]["S"].as_str());
    let counts = progress(cloud, commands)?.counts();
    Ok(StepSight { step, counts: Some(counts), total })
}

/// Nodes by outcome over commands, as far as reported.
fn progress<'a>(cloud: &Cloud, ids: impl Iterator<Item = &'a str>) -> Result<Partition, Failure> {
    let keys = ids.map(|id| format!("CMD#{id}")).collect::<Vec<_>>();
    let mut chunks = Vec::new();
    let mut commands: BTreeMap<String, Command> = BTreeMap::new();
    for item in batch(cloud, &keys)? {
        let key = text(&item, "pk");
        if item["chunked"]["BOOL"] == true {
            chunks.extend((0..CHUNKS).map(|chunk| format!("{key}#{chunk:02}")));
        }
        commands.insert(
            key.to_owned(),
            Command { asked: asked(&item), nodes: nodes(&item), ..Command::default() },
        );
    }
    for item in batch(cloud, &chunks)? {
        let base = text(&item, "pk").rsplit_once('#').and_then(|(base, _)| commands.get_mut(base));
        let Some(command) = base else { continue };
        for (status, ids) in nodes(&item) {
            command.nodes.entry(status).or_default().extend(ids);
        }
    }
    let mut partition = Partition::default();
    commands.values().for_each(|command| partition.add(command.progress()));
    Ok(partition)
}

fn asked(item: &Value) -> Option<Asked> {
    item["asked"]["SS"].as_array().map(|ids| Asked::Nodes(node_ids(ids).collect()))
}

fn nodes(item: &Value) -> BTreeMap<Terminal, BTreeSet<NodeId>> {
    let reported = |status: Terminal| {
        let ids = item[format!("nodes_{}", status.as_str())]["SS"].as_array()?;
        Some((status, node_ids(ids).collect()))
    };
    Terminal::ALL.into_iter().filter_map(reported).collect()
}

fn node_ids(ids: &[Value]) -> impl Iterator<Item = NodeId> {
    ids.iter().filter_map(|id| id.as_str()?.parse().ok())
}

fn text<'a>(item: &'a Value, attribute: &str) -> &'a str {
    item[attribute]["S"].as_str().unwrap_or_default()
}

/// All items of a partition, in the order of their sort keys.
fn partition(cloud: &Cloud, pk: &str) -> Result<Vec<Value>, Failure> {
    let mut items = Vec::new();
    let mut request = json!({ "TableName": TABLE, "ConsistentRead": true, "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": pk } } });
    loop {
        let mut body = look(cloud, "Query", &request)?;
        items.extend(body["Items"].as_array_mut().map(std::mem::take).unwrap_or_default());
        request["ExclusiveStartKey"] = body["LastEvaluatedKey"].take();
        if request["ExclusiveStartKey"].is_null() {
            return Ok(items);
        }
    }
}

/// Base or chunk items of commands: those of the keys that exist.
fn batch(cloud: &Cloud, keys: &[String]) -> Result<Vec<Value>, Failure> {
    let mut items = Vec::new();
    for keys in keys.chunks(KEYS_MAX) {
        let keys: Vec<Value> =
            keys.iter().map(|pk| json!({ "pk": { "S": pk }, "sk": { "S": "CMD" } })).collect();
        let mut wanted = json!({ TABLE: { "Keys": keys, "ConsistentRead": true } });
        while wanted.as_object().is_some_and(|tables| !tables.is_empty()) {
            let mut body = look(cloud, "BatchGetItem", &json!({ "RequestItems": wanted }))?;
            items.extend(body["Responses"][TABLE].as_array_mut().map(std::mem::take).unwrap_or_default());
            wanted = body["UnprocessedKeys"].take();
        }
    }
    Ok(items)
}

fn look(cloud: &Cloud, operation: &str, request: &Value) -> Result<Value, Failure> {
    let (answer, _) = cloud.dynamodb.handle(operation, request);
    match answer.error_code() {
        None => Ok(answer.body),
        Some(code) => Err(Failure::Defect(format!("{operation} of the table: {code}"))),
    }
}
