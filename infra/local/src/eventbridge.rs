//! EventBridge: the default bus, its rules, and the schedule.

mod rules;

use std::collections::BTreeSet;

use jiff::Timestamp;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::names::{ACCOUNT, REGION, rule_arn};
use crate::protocol::Answer;
use crate::seed;
use crate::sns::{Payload, Target};

/// What a rule waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// Events that match: every member of the pattern is an object matched member by member, or a list of the values
    /// it may have, `{"exists": true}` for any.
    Pattern(Value),
    /// Every whole minute.
    EveryMinute,
}

/// A rule of the default bus.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// What it waits for.
    pub trigger: Trigger,
    /// Who gets the event.
    pub target: Target,
    /// What the target gets instead of the event: JSON with EventBridge's own variables in it (EventBridge user guide,
    /// eb-transform-target-input). Variables with paths are not modelled.
    pub input_template: Option<String>,
}

/// One event on its way from a rule to its target.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed {
    /// The rule's name.
    pub rule: String,
    /// Who gets it.
    pub target: Target,
    /// What it gets.
    pub payload: Payload,
}

/// The default bus.
pub struct EventBridge {
    rules: Vec<Rule>,
    /// Names of those that somebody has disabled.
    disabled: BTreeSet<String>,
    next_minute: Timestamp,
    random: ChaCha8Rng,
}

impl EventBridge {
    /// A bus without rules, whose schedule begins at the first whole minute after `start`.
    pub fn new(seed: u64, start: Timestamp) -> Self {
        let random = seed::generator(seed, "events");
        Self { rules: Vec::new(), disabled: BTreeSet::new(), next_minute: minute_after(start), random }
    }

    /// Adds a rule.
    pub fn add(&mut self, rule: Rule) {
        self.rules.push(rule);
    }

    /// Takes a rule off the bus. False if there is none of that name.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.rules.len();
        self.rules.retain(|rule| rule.name != name);
        self.rules.len() < before
    }

    fn enabled(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|rule| !self.disabled.contains(&rule.name))
    }

    /// Where an event goes.
    pub fn route(&self, event: &Value) -> Vec<Routed> {
        let matching = self.enabled().filter(|rule| match &rule.trigger {
            Trigger::Pattern(pattern) => matches(pattern, event),
            Trigger::EveryMinute => false,
        });
        matching.map(|rule| Routed::new(rule, event)).collect()
    }

    /// Applies one operation of a client. The accepted events come back for the cloud to deliver.
    pub fn handle(&mut self, operation: &str, body: &Value, now: Timestamp) -> (Answer, Vec<Value>) {
        if operation != "PutEvents" {
            return (self.handle_rules(operation, body, now), Vec::new());
        }
        let entries = body["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        if entries.is_empty() || entries.len() > 10 {
            return (
                Answer::error(400, "ValidationException", "Entries must have 1 to 10 members"),
                Vec::new(),
            );
        }
        let (mut answers, mut events, mut failed) = (Vec::new(), Vec::new(), 0);
        for entry in entries {
            match self.accepted(entry, now) {
                Ok(event) => {
                    answers.push(json!({ "EventId": event["id"] }));
                    events.push(event);
                }
                Err((code, message)) => {
                    answers.push(json!({ "ErrorCode": code, "ErrorMessage": message }));
                    failed += 1;
                }
            }
        }
        (Answer::ok(json!({ "FailedEntryCount": failed, "Entries": answers })), events)
    }

    fn accepted(&mut self, entry: &Value, now: Timestamp) -> Result<Value, (&'static str, String)> {
        let text = |member: &str| {
            let value = entry.get(member).and_then(Value::as_str).filter(|value| !value.is_empty());
            value.ok_or_else(|| ("InvalidArgument", format!("Parameter {member} is not valid.")))
        };
        let source = text("Source")?;
        if source.starts_with("aws.") {
            return Err(("NotAuthorizedForSourceException", "Not authorized for the source.".to_owned()));
        }
        let detail = serde_json::from_str::<Value>(text("Detail")?).ok().filter(Value::is_object);
        let detail = detail.ok_or_else(|| ("MalformedDetail", "Detail is malformed.".to_owned()))?;
        let resources = entry.get("Resources").cloned().unwrap_or_else(|| json!([]));
        Ok(self.event(source, text("DetailType")?, &resources, &detail, now))
    }

    fn event(&mut self, source: &str, kind: &str, resources: &Value, detail: &Value, at: Timestamp) -> Value {
        json!({
            "version": "0", "id": seed::uuid(&mut self.random), "detail-type": kind, "source": source,
            "account": ACCOUNT, "time": format!("{at:.0}"), "region": REGION,
            "resources": resources, "detail": detail,
        })
    }

    /// When the schedule is due next, if any rule follows it.
    pub fn next_at(&self) -> Option<Timestamp> {
        self.enabled().any(|rule| rule.trigger == Trigger::EveryMinute).then_some(self.next_minute)
    }

    /// What the schedule sends at `now`. Minutes nobody waited for are left out.
    pub fn scheduled(&mut self, now: Timestamp) -> Vec<Routed> {
        if self.next_minute > now {
            return Vec::new();
        }
        let at = self.next_minute;
        self.next_minute = minute_after(now);
        let rules: Vec<Rule> = self.enabled().cloned().collect();
        let due = rules.iter().filter(|rule| rule.trigger == Trigger::EveryMinute);
        let events = due.map(|rule| {
            let resources = json!([rule_arn(&rule.name)]);
            Routed::new(rule, &self.event("aws.events", "Scheduled Event", &resources, &json!({}), at))
        });
        events.collect()
    }
}

impl Routed {
    fn new(rule: &Rule, event: &Value) -> Self {
        let text = rule.input_template.as_ref().map(|template| transformed(template, rule, event));
        let payload = match &rule.target {
            Target::Queue(_) => Payload::Text(text.unwrap_or_else(|| event.to_string())),
            Target::Function(_) => {
                let input = text.and_then(|text| serde_json::from_str(&text).ok());
                Payload::Event(input.unwrap_or_else(|| event.clone()))
            }
        };
        Self { rule: rule.name.clone(), target: rule.target.clone(), payload }
    }
}

/// A template with the variables in it replaced, each by JSON.
fn transformed(template: &str, rule: &Rule, event: &Value) -> String {
    template
        .replace("<aws.events.rule-arn>", &json!(rule_arn(&rule.name)).to_string())
        .replace("<aws.events.rule-name>", &json!(rule.name).to_string())
        .replace("<aws.events.event.json>", &event.to_string())
}

/// The first whole minute strictly after a moment.
fn minute_after(moment: Timestamp) -> Timestamp {
    let second = (moment.as_second().div_euclid(60) + 1) * 60;
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

fn matches(pattern: &Value, event: &Value) -> bool {
    match (pattern, event) {
        (Value::Object(members), Value::Object(_)) => {
            members.iter().all(|(name, wanted)| event.get(name).is_some_and(|found| matches(wanted, found)))
        }
        // An event's own list matches when one of its members is wanted.
        (Value::Array(wanted), Value::Array(found)) => found.iter().any(|value| wanted.contains(value)),
        (Value::Array(wanted), found) => {
            wanted.contains(found) || wanted.contains(&json!({ "exists": true }))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::START;

    #[test]
    fn a_pattern_matches_only_what_it_names() {
        let pattern = json!({ "source": ["aws.ssm"], "detail": { "status": ["Success", "Failed"] } });
        let event = |status: &str| json!({ "source": "aws.ssm", "detail": { "status": status, "x": 1 } });
        assert!(matches(&pattern, &event("Failed")));
        assert!(!matches(&pattern, &event("InProgress")));
        assert!(!matches(&pattern, &json!({ "source": "aws.ssm" })));
    }

    #[test]
    fn the_schedule_names_its_minute_and_its_rule() {
        let mut bus = EventBridge::new(1, START);
        assert_eq!(bus.next_at(), None);
        let target = Target::Function("reconcile".to_owned());
        bus.add(Rule {
            name: "tick".to_owned(),
            trigger: Trigger::EveryMinute,
            target,
            input_template: None,
        });
        let minute = bus.next_at().unwrap();
        assert_eq!(minute.duration_since(START).as_secs(), 60);
        assert!(bus.scheduled(START).is_empty());
        let routed = bus.scheduled(minute);
        let Payload::Event(event) = &routed[0].payload else { panic!("a function gets an event") };
        assert_eq!(event["time"], "2026-03-14T02:01:00Z");
        assert_eq!(event["detail-type"], "Scheduled Event");
        assert_eq!(event["resources"][0], rule_arn("tick"));
    }

    #[test]
    fn events_in_the_name_of_aws_are_refused() {
        let mut bus = EventBridge::new(1, START);
        let entry = |source: &str| json!({ "Source": source, "DetailType": "t", "Detail": "{\"a\":1}" });
        let body = json!({ "Entries": [entry("aws.ssm"), entry("fleetwright")] });
        let (answer, events) = bus.handle("PutEvents", &body, START);
        assert_eq!(answer.body["FailedEntryCount"], 1);
        assert_eq!(events.len(), 1);
    }
}
