//! Rules as clients find them, and switch them off and on.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{EventBridge, Rule, Trigger, minute_after};
use crate::lambda_api::function_arn;
use crate::names::{queue_arn, rule_arn};
use crate::protocol::Answer;
use crate::sns::Target;

type Refusal = Answer;

impl EventBridge {
    /// Applies one operation of a client on rules.
    pub(super) fn handle_rules(&mut self, operation: &str, body: &Value, now: Timestamp) -> Answer {
        let done = match operation {
            "ListRules" => {
                Ok(json!({ "Rules": self.rules.iter().map(|rule| self.described(rule)).collect::<Vec<_>>() }))
            }
            "ListRuleNamesByTarget" => {
                let asked = body["TargetArn"].as_str().unwrap_or_default();
                let rules = self.rules.iter().filter(|rule| target_arn(&rule.target) == asked);
                Ok(json!({ "RuleNames": rules.map(|rule| &rule.name).collect::<Vec<_>>() }))
            }
            "DescribeRule" => self.named(body).map(|rule| self.described(rule)),
            "DisableRule" => self.disable(body),
            "EnableRule" => self.enable(body, now),
            other => Err(Answer::error(
                400,
                "UnknownOperationException",
                &format!("{other} is not part of the embedded cloud"),
            )),
        };
        done.map_or_else(|refusal| refusal, Answer::ok)
    }

    fn named(&self, body: &Value) -> Result<&Rule, Refusal> {
        let name = body["Name"].as_str().unwrap_or_default();
        let absent =
            || Answer::error(400, "ResourceNotFoundException", &format!("Rule {name} does not exist."));
        self.rules.iter().find(|rule| rule.name == name).ok_or_else(absent)
    }

    fn disable(&mut self, body: &Value) -> Result<Value, Refusal> {
        let name = self.named(body)?.name.clone();
        self.disabled.insert(name);
        Ok(json!({}))
    }

    fn enable(&mut self, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let name = self.named(body)?.name.clone();
        self.disabled.remove(&name);
        // The minutes it was off for are gone.
        self.next_minute = self.next_minute.max(minute_after(now));
        Ok(json!({}))
    }

    fn described(&self, rule: &Rule) -> Value {
        let state = if self.disabled.contains(&rule.name) { "DISABLED" } else { "ENABLED" };
        let mut described = json!({
            "Name": rule.name, "Arn": rule_arn(&rule.name), "State": state, "EventBusName": "default",
        });
        match &rule.trigger {
            Trigger::Pattern(pattern) => described["EventPattern"] = json!(pattern.to_string()),
            Trigger::EveryMinute => described["ScheduleExpression"] = json!("rate(1 minute)"),
        }
        described
    }
}

fn target_arn(target: &Target) -> String {
    match target {
        Target::Queue(queue) => queue_arn(queue),
        Target::Function(function) => function_arn(function),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::START;
    use jiff::SignedDuration;

    #[test]
    fn a_rule_that_is_disabled_routes_nothing_until_it_is_enabled_again() {
        let mut bus = EventBridge::new(1, START);
        let target = Target::Function("reconcile".to_owned());
        bus.add(Rule {
            name: "tick".to_owned(),
            trigger: Trigger::EveryMinute,
            target,
            input_template: None,
        });
        let by_target = json!({ "TargetArn": function_arn("reconcile") });
        let found = bus.handle_rules("ListRuleNamesByTarget", &by_target, START);
        assert_eq!(found.body, json!({ "RuleNames": ["tick"] }));
        let (tick, minute) = (json!({ "Name": "tick" }), bus.next_at().expect("it is due"));
        assert_eq!(bus.handle_rules("DisableRule", &tick, START).status, 200);
        assert_eq!(bus.handle_rules("DescribeRule", &tick, START).body["State"], "DISABLED");
        assert_eq!((bus.next_at(), bus.scheduled(minute)), (None, Vec::new()));
        let later = minute + SignedDuration::from_hours(1);
        bus.handle_rules("EnableRule", &tick, later);
        assert_eq!(bus.next_at(), Some(later + SignedDuration::from_mins(1)), "what was missed stays missed");
        let other = bus.handle_rules("DisableRule", &json!({ "Name": "tock" }), START);
        assert_eq!(other.error_code(), Some("ResourceNotFoundException"));
    }
}
