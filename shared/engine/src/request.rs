//! Resolving the inputs of `aws:runCommand` (User Guide, automation-action-runcommand).

use crate::scope::{Scope, Unopened, Unresolved};
use crate::{Bound, FleetWork, NodeList, Request, Target, Targets};
use fleetwright_fleet::NodeId;
use fleetwright_runbook::{OrReference, Reference, RunCommand, Template, into_texts};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The step's work with nothing sent yet, and the node list it names.
pub(crate) fn resolve(
    command: &RunCommand,
    scope: &Scope<'_>,
) -> Result<(FleetWork, Option<NodeList>), Unopened> {
    let look_up = |reference: &Reference| scope.look_up(reference);
    let (targets, list) = targets(command, &look_up)?;
    let work = FleetWork {
        request: request(command, &look_up)?,
        targets,
        max_concurrency: bound(command.max_concurrency.as_ref(), "MaxConcurrency", &look_up)?,
        max_errors: bound(command.max_errors.as_ref(), "MaxErrors", &look_up)?,
        given: 0,
        returned: Vec::new(),
        planned: 0,
        done: Vec::new(),
        errors: 0,
        rejected: false,
        forced: false,
        halting: None,
    };
    Ok((work, list))
}

fn request(
    command: &RunCommand,
    look_up: &impl Fn(&Reference) -> Result<Value, Unresolved>,
) -> Result<Request, Unopened> {
    let text = |template: &Option<Template>| -> Result<Option<String>, Unopened> {
        Ok(template.as_ref().map(|template| template.resolve_text(look_up)).transpose()?)
    };
    let timeout_seconds = match &command.timeout_seconds {
        None => None,
        Some(seconds) => Some(i32::try_from(seconds.resolve(look_up)?).unwrap_or(i32::MAX)),
    };
    Ok(Request {
        document_name: command.document_name.resolve_text(look_up)?,
        document_version: text(&command.document_version)?,
        document_hash: text(&command.document_hash)?,
        document_hash_type: text(&command.document_hash_type)?,
        parameters: parameters(command, look_up)?,
        comment: text(&command.comment)?,
        timeout_seconds,
        output_s3_bucket_name: text(&command.output_s3_bucket_name)?,
        output_s3_key_prefix: text(&command.output_s3_key_prefix)?,
        output_s3_region: text(&command.output_s3_region)?,
        notification_config: notification_config(command, look_up)?,
        service_role_arn: text(&command.service_role_arn)?,
        cloud_watch_output_config: cloud_watch_output_config(command, look_up)?,
        alarm_configuration: alarm_configuration(command, look_up)?,
    })
}

/// InstanceIds from literals and references alike: a list inside a list is spliced, an id given twice counts once
/// (SendCommand refuses duplicates).
fn targets(
    command: &RunCommand,
    look_up: &impl Fn(&Reference) -> Result<Value, Unresolved>,
) -> Result<(Targets, Option<NodeList>), Unopened> {
    if let Some(targets) = &command.targets {
        let query = match targets {
            OrReference::Literal(targets) => targets
                .iter()
                .map(|target| {
                    let key = target.key.resolve_text(look_up)?;
                    Ok(Target { key, values: target.values.resolve(look_up)? })
                })
                .collect::<Result<Vec<_>, Unopened>>()?,
            OrReference::Template(template) => query(&template.resolve(look_up)?)
                .ok_or_else(|| Unopened::Fails("Targets: not a list of Key and Values".to_owned()))?,
        };
        return Ok((Targets::Query(query), None));
    }
    let mut seen = BTreeSet::new();
    let mut nodes = Vec::new();
    for id in command.instance_ids.as_ref().map(|ids| ids.resolve(look_up)).transpose()?.unwrap_or_default() {
        let node: NodeId = id.parse().map_err(|error| Unopened::Fails(format!("InstanceIds: {error}")))?;
        if seen.insert(node.clone()) {
            nodes.push(node);
        }
    }
    let list = NodeList::of(nodes);
    Ok((Targets::Nodes(list.reference.clone()), Some(list)))
}

/// A MapList parameter given as Targets.
fn query(value: &Value) -> Option<Vec<Target>> {
    let target = |entry: &Value| {
        let values = entry.get("Values")?.as_array()?;
        Some(Target {
            key: entry.get("Key")?.as_str()?.to_owned(),
            values: values.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<_>>()?,
        })
    };
    value.as_array()?.iter().map(target).collect()
}

/// A parameter's value that is no list stands for a list of one; what is not text goes as compact JSON, which is how
/// documents take maps and numbers.
fn parameters(
    command: &RunCommand,
    look_up: &impl Fn(&Reference) -> Result<Value, Unresolved>,
) -> Result<BTreeMap<String, Vec<String>>, Unopened> {
    let values: BTreeMap<String, Value> = match &command.parameters {
        None => BTreeMap::new(),
        Some(OrReference::Literal(parameters)) => parameters
            .iter()
            .map(|(name, template)| Ok((name.clone(), template.resolve(look_up)?)))
            .collect::<Result<_, Unopened>>()?,
        Some(OrReference::Template(template)) => match template.resolve(look_up)? {
            Value::Object(map) => map.into_iter().collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(Unopened::Fails("Parameters: not a map".to_owned()));
            }
        },
    };
    Ok(values.into_iter().map(|(name, value)| (name, into_texts(value))).collect())
}

fn bound(
    template: Option<&Template>,
    input: &str,
    look_up: &impl Fn(&Reference) -> Result<Value, Unresolved>,
) -> Result<Option<Bound>, Unopened> {
    let Some(template) = template else { return Ok(None) };
    let text = template.resolve_text(look_up)?;
    text.parse().map(Some).map_err(|error| Unopened::Fails(format!("{input}: {error}")))
}

fn notification_config(
    command: &RunCommand,
    look_up: &impl Fn(&Reference) -> Result<Value, Unresolved>,
) -> Result<Option<Value>, Unopened> {
    Ok(match &command.notification_config {
        None => None,
        Some(OrReference::Template(template)) => Some(template.resolve(look_up)?),
        Some(OrReference::Literal(config)) => {
            let mut map = Map::new();
            put(&mut map, "NotificationArn", config.notification_arn.as_ref(), look_up)?;
            put(&mut map, "NotificationType", config.notification_type.as_ref(), look_up)?;
            if let Some(events) = &config.notification_events {
                map.insert("NotificationEvents".to_owned(), json!(events.resolve(look_up)?));
            }
            Some(Value::Object(map))
        }
    })
}

fn cloud_watch_output_config(
    command: &RunCommand,
    look_up: &impl Fn(&Reference) -> Result<Value, Unresolved>,
) -> Result<Option<Value>, Unopened> {
    Ok(match &command.cloud_watch_output_config {
        None => None,
        Some(OrReference::Template(template)) => Some(template.resolve(look_up)?),
        Some(OrReference::Literal(config)) => {
            let mut map = Map::new();
            put(&mut map, "CloudWatchLogGroupName", config.log_group_name.as_ref(), look_up)?;
            if let Some(enabled) = &config.output_enabled {
                map.insert("CloudWatchOutputEnabled".to_owned(), Value::Bool(enabled.resolve(look_up)?));
            }
            Some(Value::Object(map))
        }
    })
}

fn alarm_configuration(
    command: &RunCommand,
    look_up: &impl Fn(&Reference) -> Result<Value, Unresolved>,
) -> Result<Option<Value>, Unopened> {
    Ok(match &command.alarm_configuration {
        None => None,
        Some(OrReference::Template(template)) => Some(template.resolve(look_up)?),
        Some(OrReference::Literal(config)) => {
            let alarms = config
                .alarms
                .iter()
                .map(|alarm| Ok(json!({ "Name": alarm.resolve_text(look_up)? })))
                .collect::<Result<Vec<_>, Unopened>>()?;
            let mut map = Map::from_iter([("Alarms".to_owned(), Value::Array(alarms))]);
            if let Some(ignore) = &config.ignore_poll_alarm_failure {
                map.insert("IgnorePollAlarmFailure".to_owned(), Value::Bool(ignore.resolve(look_up)?));
            }
            Some(Value::Object(map))
        }
    })
}

fn put(
    map: &mut Map<String, Value>,
    key: &str,
    template: Option<&Template>,
    look_up: &impl Fn(&Reference) -> Result<Value, Unresolved>,
) -> Result<(), Unopened> {
    if let Some(template) = template {
        map.insert(key.to_owned(), Value::String(template.resolve_text(look_up)?));
    }
    Ok(())
}
