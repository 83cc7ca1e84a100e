//! What a policy allows, as IAM evaluates it: as far as the template's policies go.

use fleetwright_local::fleet::matches;
use serde_json::Value;
use std::collections::BTreeSet;

/// Statements of one or more policies. All of them allow; one that denied would not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy(Vec<Statement>);

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The actions, such as `ssm:SendCommand`.
    pub actions: Vec<String>,
    /// ARNs, with stars.
    pub resources: Vec<String>,
    /// The service that may, in a policy of a resource.
    pub service: Option<String>,
    conditions: Value,
}

/// Somebody wants to do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask<'a> {
    /// The action.
    pub action: &'a str,
    /// The ARN of what it is done to, or `*` where the action knows no resources.
    pub resource: &'a str,
    /// Condition keys and their values; one that has several comes several times.
    pub context: &'a [(&'a str, &'a str)],
}

impl Policy {
    /// Reads a policy's document.
    ///
    /// # Panics
    /// If it says something that is not evaluated here.
    #[must_use]
    pub fn read(document: &Value) -> Self {
        // A document may be given as text (`NodesPolicy`).
        let parsed = document.as_str().map(|text| serde_json::from_str(text).expect("a policy is JSON"));
        let document: &Value = parsed.as_ref().unwrap_or(document);
        Self(one_or_more(&document["Statement"]).iter().map(Statement::read).collect())
    }

    /// Its statements.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.0
    }

    /// All that it allows on something.
    #[must_use]
    pub fn actions(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(|statement| &statement.actions).map(String::as_str).collect()
    }

    /// Whether a principal that has it may do that.
    #[must_use]
    pub fn lets(&self, ask: &Ask<'_>) -> bool {
        self.0.iter().any(|statement| statement.lets(ask))
    }

    /// Whether a service may do that, by a policy of a resource.
    #[must_use]
    pub fn lets_service(&self, service: &str, ask: &Ask<'_>) -> bool {
        self.0.iter().any(|statement| statement.service.as_deref() == Some(service) && statement.lets(ask))
    }
}

impl FromIterator<Self> for Policy {
    fn from_iter<I: IntoIterator<Item = Self>>(policies: I) -> Self {
        Self(policies.into_iter().flat_map(|policy| policy.0).collect())
    }
}

impl Statement {
    fn read(statement: &Value) -> Self {
        let known = ["Effect", "Action", "Resource", "Principal", "Condition", "Sid"];
        let members = statement.as_object().expect("a statement");
        assert!(members.keys().all(|member| known.contains(&member.as_str())), "{statement}");
        assert_eq!(statement["Effect"], "Allow", "{statement}");
        Self {
            actions: texts(&statement["Action"]),
            resources: texts(&statement["Resource"]),
            service: statement["Principal"]["Service"].as_str().map(str::to_owned),
            conditions: statement["Condition"].clone(),
        }
    }

    fn lets(&self, ask: &Ask<'_>) -> bool {
        self.actions.iter().any(|action| action == ask.action)
            && (self.resources.is_empty() || self.resources.iter().any(|one| matches(one, ask.resource)))
            && self.conditions.as_object().is_none_or(|operators| {
                operators.iter().all(|(operator, keys)| {
                    let keys = keys.as_object().expect("condition keys");
                    keys.iter().all(|(key, patterns)| holds(operator, key, &texts(patterns), ask.context))
                })
            })
    }
}

fn holds(operator: &str, key: &str, patterns: &[String], context: &[(&str, &str)]) -> bool {
    let mut values = context.iter().filter(|(name, _)| *name == key).map(|(_, value)| *value);
    let is = |value: &str| match operator {
        "StringEquals" | "ForAllValues:StringEquals" | "ArnEquals" | "Bool" => {
            patterns.iter().any(|pattern| pattern == value)
        }
        "StringLike" | "ArnLike" | "ForAllValues:StringLike" => {
            patterns.iter().any(|pattern| matches(pattern, value))
        }
        other => panic!("{other} is not evaluated here"),
    };
    // Of no values, all are as they should be (IAM User Guide, reference_policies_condition-single-vs-multi-valued).
    if operator.starts_with("ForAllValues:") { values.all(is) } else { values.any(is) }
}

fn one_or_more(value: &Value) -> &[Value] {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
}

fn texts(value: &Value) -> Vec<String> {
    one_or_more(value).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_condition_about_something_unknown_does_not_hold() {
        let policy = Policy::read(&json!({ "Statement": { "Effect": "Allow", "Action": "ssm:SendCommand",
            "Resource": "*", "Condition": { "StringLike": { "ssm:resourceTag/Fleet": "web*" } } } }));
        let ask = |context| policy.lets(&Ask { action: "ssm:SendCommand", resource: "node", context });
        assert!(ask(&[("ssm:resourceTag/Fleet", "web-1")]));
        assert!(!ask(&[("ssm:resourceTag/Fleet", "db-1")]));
        assert!(!ask(&[]), "a node without the tag");
    }
}
