//! Starts that an event asks for: the input transformer of an EventBridge rule, a schedule's input or an SNS message names a
//! runbook, and its parameters by paths into the event (protocols, P6).

use crate::StartRequest;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json_path::JsonPath;
use std::collections::BTreeMap;

/// What the member `fleetwright` of such a message says.
pub(crate) const START: &str = "start";

/// A start that an event asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventStart {
    runbook: String,
    version: Option<String>,
    parameters: BTreeMap<String, Vec<String>>,
    /// The ARN of the rule, schedule or topic.
    asked_by: String,
    /// The same event that comes again is the same start.
    event_id: String,
    /// When the event happened, if it says so.
    pub(crate) at: Option<Timestamp>,
}

/// Why a message that asks for a start cannot be read. Names places, never values.
#[derive(Debug, thiserror::Error)]
pub enum MalformedStart {
    /// A member is missing, unknown, or of another kind.
    #[error("malformed start: {0}")]
    Shape(serde_json::Error),
    /// Nothing tells this event from others.
    #[error("malformed start: {0} is missing")]
    Anonymous(&'static str),
    /// A parameter's path cannot be read.
    #[error("malformed start: parameter {0}: not a JSONPath")]
    Path(String),
    /// A parameter's path leads to nothing, or to what is no text, number or truth value.
    #[error("malformed start: parameter {0}: its path selects no value in the event")]
    Nothing(String),
}

/// The message. Who writes a rule misspells a member sooner or later: unknown ones are mistakes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    #[serde(rename = "fleetwright")]
    _kind: String,
    runbook: String,
    version: Option<String>,
    #[serde(default)]
    parameters: BTreeMap<String, Given>,
    rule: Option<String>,
    #[serde(default)]
    event: Value,
}

/// A parameter as SSM takes it, or one text for a list of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Given {
    One(String),
    Many(Vec<String>),
}

/// The SNS envelope a message came in, if it came in one (SNS developer guide, sns-message-and-json-formats).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Envelope<'a> {
    pub(crate) topic_arn: Option<&'a str>,
    pub(crate) message_id: Option<&'a str>,
    pub(crate) at: Option<&'a str>,
}

impl EventStart {
    /// Reads a message that asks for a start.
    pub(crate) fn parse(message: &Value, envelope: Envelope<'_>) -> Result<Self, MalformedStart> {
        let read = Message::deserialize(message).map_err(MalformedStart::Shape)?;
        let of_event = |member: &str| read.event.get(member).and_then(Value::as_str);
        let asked_by =
            envelope.topic_arn.or(read.rule.as_deref()).ok_or(MalformedStart::Anonymous("rule"))?;
        let event_id =
            envelope.message_id.or_else(|| of_event("id")).ok_or(MalformedStart::Anonymous("event.id"))?;
        let at = envelope.at.or_else(|| of_event("time")).and_then(|at| at.parse().ok());
        let mut parameters = BTreeMap::new();
        for (name, given) in &read.parameters {
            let texts = match given {
                Given::One(text) => std::slice::from_ref(text),
                Given::Many(texts) => texts,
            };
            let values = texts.iter().map(|text| values(name, text, &read.event));
            parameters.insert(name.clone(), values.collect::<Result<Vec<_>, _>>()?.concat());
        }
        Ok(Self {
            asked_by: asked_by.to_owned(),
            event_id: event_id.to_owned(),
            at,
            parameters,
            runbook: read.runbook,
            version: read.version,
        })
    }

    /// Who asked.
    pub(crate) fn asked_by(&self) -> &str {
        &self.asked_by
    }

    /// As a caller of the API would ask.
    pub(crate) fn request(&self) -> StartRequest {
        StartRequest {
            document_name: self.runbook.clone(),
            document_version: self.version.clone(),
            parameters: self.parameters.clone(),
            client_token: Some(self.event_id.clone()),
            tags: BTreeMap::new(),
            executed_by: self.asked_by.clone(),
        }
    }
}

/// What a parameter's text stands for: itself, or, if it begins like a path, what that selects in the event.
fn values(parameter: &str, text: &str, event: &Value) -> Result<Vec<String>, MalformedStart> {
    if !(text.starts_with("$.") || text.starts_with("$[")) {
        return Ok(vec![text.to_owned()]);
    }
    let path = JsonPath::parse(text).map_err(|_| MalformedStart::Path(parameter.to_owned()))?;
    let nothing = || MalformedStart::Nothing(parameter.to_owned());
    let mut values = Vec::new();
    for selected in path.query(event).all() {
        let members = selected.as_array().map_or_else(|| std::slice::from_ref(selected), Vec::as_slice);
        for member in members {
            values.push(scalar(member).ok_or_else(nothing)?);
        }
    }
    if values.is_empty() { Err(nothing()) } else { Ok(values) }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(node_id(text).unwrap_or(text).to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The id in the ARN of a node: events name resources, runbooks take ids.
fn node_id(arn: &str) -> Option<&str> {
    let resource = arn.strip_prefix("arn:")?.splitn(5, ':').nth(4)?;
    resource.strip_prefix("instance/").or_else(|| resource.strip_prefix("managed-instance/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tagged() -> Value {
        json!({ "id": "7bf73129", "time": "2026-11-21T02:00:00Z", "detail": { "tags": { "PatchNow": "yes" }, "count": 2 },
            "resources": ["arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0",
                "arn:aws-cn:ssm:cn-north-1:123456789012:managed-instance/mi-0123456789abcdef0"] })
    }

    fn message(parameters: &Value) -> Value {
        json!({ "fleetwright": "start", "rule": "arn:rule", "runbook": "patch-now", "parameters": parameters,
            "event": tagged() })
    }

    fn parse(message: &Value) -> Result<EventStart, MalformedStart> {
        EventStart::parse(message, Envelope::default())
    }

    #[test]
    fn parameters_come_from_the_event_and_arns_of_nodes_become_ids() {
        let parameters = json!({ "InstanceIds": "$.resources", "Why": ["because", "$.detail.tags.PatchNow"],
            "Count": "$.detail.count", "Price": "$5" });
        let start = parse(&message(&parameters)).expect("it can be read");
        assert_eq!(start.parameters["InstanceIds"], ["i-0123456789abcdef0", "mi-0123456789abcdef0"]);
        assert_eq!(start.parameters["Why"], ["because", "yes"]);
        assert_eq!((&*start.parameters["Count"][0], &*start.parameters["Price"][0]), ("2", "$5"));
        assert_eq!(
            (start.request().client_token.as_deref(), start.asked_by()),
            (Some("7bf73129"), "arn:rule")
        );
    }

    #[test]
    fn a_message_of_a_topic_is_known_by_its_envelope() {
        let envelope = Envelope { topic_arn: Some("arn:topic"), message_id: Some("m1"), at: None };
        let start =
            EventStart::parse(&json!({ "fleetwright": "start", "runbook": "r" }), envelope).expect("read");
        assert_eq!((start.asked_by(), start.request().client_token.as_deref()), ("arn:topic", Some("m1")));
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_told() {
        let without = |member: &str| {
            let mut message = message(&json!({}));
            message.as_object_mut().expect("an object").remove(member);
            message
        };
        for (message, said) in [
            (without("runbook"), "missing field `runbook`"),
            (without("rule"), "rule is missing"),
            (without("event"), "event.id is missing"),
            (message(&json!({ "A": "$.nowhere" })), "parameter A: its path selects no value"),
            (message(&json!({ "A": "$.detail" })), "parameter A: its path selects no value"),
            (message(&json!({ "A": "$.detail[" })), "parameter A: not a JSONPath"),
            (json!({ "fleetwright": "start", "runbok": "x" }), "unknown field `runbok`"),
        ] {
            let error = parse(&message).expect_err("it cannot be read").to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
