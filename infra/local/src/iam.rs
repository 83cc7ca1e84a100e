//! Identity and Access Management: roles that services act in, and what their inline policies allow.
//!
//! As much of it as a service role can be broken and mended by. A role that nobody has made here may do everything:
//! whoever sends a command may name any.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::names::{ACCOUNT, last_part, role_arn};
use crate::protocol::Answer;

/// All roles.
#[derive(Debug, Default)]
pub struct Iam {
    roles: BTreeMap<String, Role>,
    /// Names of those that were deleted.
    deleted: BTreeSet<String>,
}

/// A role.
#[derive(Debug)]
struct Role {
    created_at: Timestamp,
    /// The policy that says who may assume it.
    trust: Value,
    /// Inline policies by name.
    policies: BTreeMap<String, Value>,
}

type Refusal = Answer;

impl Iam {
    /// Makes a role that a service may assume, such as `ssm.amazonaws.com`, with a policy that allows one action.
    pub fn create(&mut self, name: &str, service: &str, action: &str, resource: &str, now: Timestamp) {
        let trust = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" } ] });
        let policy = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": action, "Resource": resource } ] });
        let policies = BTreeMap::from([(name.to_owned(), policy)]);
        self.roles.insert(name.to_owned(), Role { created_at: now, trust, policies });
    }

    /// Whether a service may assume a role and then do something.
    pub fn lets(&self, service: &str, role_arn: &str, action: &str, resource: &str) -> bool {
        let name = last_part(role_arn, '/');
        match self.roles.get(name) {
            Some(role) => role.trusts(service) && role.decision(action, resource) == "allowed",
            None => !self.deleted.contains(name),
        }
    }

    /// Applies one operation of a client.
    pub fn handle(&mut self, operation: &str, body: &Value, now: Timestamp) -> Answer {
        let done = match operation {
            "CreateRole" => self.create_for_client(body, now),
            "GetRole" => self.named(body).map(|(name, role)| json!({ "Role": role.described(name) })),
            "DeleteRole" => self.delete(body),
            "UpdateAssumeRolePolicy" => self.update_trust(body),
            "ListRolePolicies" => self.named(body).map(|(_, role)| {
                json!({ "PolicyNames": role.policies.keys().collect::<Vec<_>>(), "IsTruncated": false })
            }),
            "PutRolePolicy" => self.put_policy(body),
            "DeleteRolePolicy" => self.delete_policy(body),
            "SimulatePrincipalPolicy" => self.simulate(body),
            other => Err(Answer::error(
                400,
                "InvalidAction",
                &format!("{other} is not part of the embedded cloud"),
            )),
        };
        done.map_or_else(|refusal| refusal, Answer::ok)
    }

    fn named(&self, body: &Value) -> Result<(&str, &Role), Refusal> {
        let name = text(body, "RoleName")?;
        let found = self.roles.get_key_value(name).map(|(name, role)| (name.as_str(), role));
        found.ok_or_else(|| absent("role", name))
    }

    fn role_mut(&mut self, body: &Value) -> Result<&mut Role, Refusal> {
        let name = text(body, "RoleName")?;
        self.roles.get_mut(name).ok_or_else(|| absent("role", name))
    }

    fn create_for_client(&mut self, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let name = text(body, "RoleName")?;
        let trust = document(body, "AssumeRolePolicyDocument")?;
        if self.roles.contains_key(name) {
            let message = format!("Role with name {name} already exists.");
            return Err(Answer::error(409, "EntityAlreadyExists", &message));
        }
        let role = Role { created_at: now, trust, policies: BTreeMap::new() };
        let described = role.described(name);
        self.roles.insert(name.to_owned(), role);
        Ok(json!({ "Role": described }))
    }

    fn delete(&mut self, body: &Value) -> Result<Value, Refusal> {
        let (name, role) = self.named(body)?;
        if !role.policies.is_empty() {
            let message = "Cannot delete entity, must delete policies first.";
            return Err(Answer::error(409, "DeleteConflict", message));
        }
        let name = name.to_owned();
        self.roles.remove(&name);
        self.deleted.insert(name);
        Ok(json!({}))
    }

    fn update_trust(&mut self, body: &Value) -> Result<Value, Refusal> {
        let trust = document(body, "PolicyDocument")?;
        self.role_mut(body)?.trust = trust;
        Ok(json!({}))
    }

    fn put_policy(&mut self, body: &Value) -> Result<Value, Refusal> {
        let (name, policy) = (text(body, "PolicyName")?.to_owned(), document(body, "PolicyDocument")?);
        self.role_mut(body)?.policies.insert(name, policy);
        Ok(json!({}))
    }

    fn delete_policy(&mut self, body: &Value) -> Result<Value, Refusal> {
        let name = text(body, "PolicyName")?;
        let removed = self.role_mut(body)?.policies.remove(name);
        removed.map(|_| json!({})).ok_or_else(|| absent("role policy", name))
    }

    /// What a role may do, one result for each pair of action and resource.
    fn simulate(&self, body: &Value) -> Result<Value, Refusal> {
        let name = last_part(text(body, "PolicySourceArn")?, '/');
        let role = self.roles.get(name).ok_or_else(|| absent("entity", name))?;
        let resources = list(body, "ResourceArns");
        let resources = if resources.is_empty() { vec!["*"] } else { resources };
        let results = list(body, "ActionNames").into_iter().flat_map(|action| {
            resources.iter().map(move |resource| {
                json!({ "EvalActionName": action, "EvalResourceName": resource,
                    "EvalDecision": role.decision(action, resource) })
            })
        });
        Ok(json!({ "EvaluationResults": results.collect::<Vec<_>>(), "IsTruncated": false }))
    }
}

impl Role {
    fn described(&self, name: &str) -> Value {
        // A policy document comes percent-encoded (IAM API reference, Role.AssumeRolePolicyDocument).
        let trust = utf8_percent_encode(&self.trust.to_string(), NON_ALPHANUMERIC).to_string();
        json!({
            "Path": "/", "RoleName": name, "RoleId": format!("AROA{ACCOUNT}"), "Arn": role_arn(name),
            "CreateDate": format!("{:.0}", self.created_at), "AssumeRolePolicyDocument": trust,
        })
    }

    fn trusts(&self, service: &str) -> bool {
        statements(&self.trust)
            .iter()
            .any(|statement| allows(statement) && holds(&statement["Principal"]["Service"], service))
    }

    /// In the words of SimulatePrincipalPolicy.
    fn decision(&self, action: &str, resource: &str) -> &'static str {
        let applies = |statement: &&Value| {
            holds(&statement["Action"], action) && holds(&statement["Resource"], resource)
        };
        let mut applying = self.policies.values().flat_map(statements).filter(applies).peekable();
        if applying.peek().is_none() {
            "implicitDeny"
        } else if applying.all(allows) {
            "allowed"
        } else {
            "explicitDeny"
        }
    }
}

fn statements(policy: &Value) -> &[Value] {
    let statements = &policy["Statement"];
    statements.as_array().map_or_else(|| std::slice::from_ref(statements), Vec::as_slice)
}

fn allows(statement: &Value) -> bool {
    statement["Effect"] == "Allow"
}

/// Whether a text, or one of a list of texts, is this one or ends in a star behind its beginning.
fn holds(patterns: &Value, text: &str) -> bool {
    let matches = |pattern: &str| {
        pattern == text || pattern.strip_suffix('*').is_some_and(|beginning| text.starts_with(beginning))
    };
    let patterns = patterns.as_array().map_or_else(|| std::slice::from_ref(patterns), Vec::as_slice);
    patterns.iter().filter_map(Value::as_str).any(matches)
}

fn text<'a>(body: &'a Value, member: &str) -> Result<&'a str, Refusal> {
    let missing = || Answer::error(400, "ValidationError", &format!("{member} must not be null"));
    body.get(member).and_then(Value::as_str).ok_or_else(missing)
}

/// The query protocol numbers the items of a list.
fn list<'a>(body: &'a Value, member: &str) -> Vec<&'a str> {
    (1..).map_while(|at| body.get(format!("{member}.member.{at}")).and_then(Value::as_str)).collect()
}

fn document(body: &Value, member: &str) -> Result<Value, Refusal> {
    let malformed =
        || Answer::error(400, "MalformedPolicyDocument", "The policy is not in the valid format.");
    serde_json::from_str(text(body, member)?).ok().filter(Value::is_object).ok_or_else(malformed)
}

fn absent(kind: &str, name: &str) -> Refusal {
    Answer::error(404, "NoSuchEntity", &format!("The {kind} with name {name} cannot be found."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::START;

    const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:run-command";
    const ARN: &str = "arn:aws:iam::123456789012:role/notifier";

    fn notifier() -> Iam {
        let mut iam = Iam::default();
        iam.create("notifier", "ssm.amazonaws.com", "sns:Publish", TOPIC, START);
        iam
    }

    fn publishes(iam: &Iam) -> bool {
        iam.lets("ssm.amazonaws.com", ARN, "sns:Publish", TOPIC)
    }

    #[test]
    fn a_role_may_what_its_policy_says_until_that_is_gone() {
        let mut iam = notifier();
        assert!(publishes(&iam));
        assert!(
            !iam.lets("ec2.amazonaws.com", ARN, "sns:Publish", TOPIC),
            "another service may not assume it"
        );
        let gone = json!({ "RoleName": "notifier", "PolicyName": "notifier" });
        assert_eq!(iam.handle("DeleteRole", &gone, START).error_code(), Some("DeleteConflict"));
        assert_eq!(iam.handle("DeleteRolePolicy", &gone, START).status, 200);
        assert!(!publishes(&iam));
        let asked = json!({ "PolicySourceArn": ARN, "ActionNames.member.1": "sns:Publish" });
        let told = iam.handle("SimulatePrincipalPolicy", &asked, START);
        assert_eq!(told.body["EvaluationResults"][0]["EvalDecision"], "implicitDeny");
    }

    #[test]
    fn a_role_that_was_deleted_may_nothing_and_one_nobody_made_may_all() {
        let mut iam = notifier();
        assert!(iam.lets("ssm.amazonaws.com", "arn:aws:iam::1:role/elsewhere", "sns:Publish", TOPIC));
        let gone = json!({ "RoleName": "notifier", "PolicyName": "notifier" });
        iam.handle("DeleteRolePolicy", &gone, START);
        assert_eq!(iam.handle("DeleteRole", &gone, START).status, 200);
        assert!(!publishes(&iam));
        assert_eq!(iam.handle("GetRole", &gone, START).error_code(), Some("NoSuchEntity"));
    }

    #[test]
    fn what_is_denied_is_denied_whatever_else_allows_it() {
        let mut iam = notifier();
        let deny = json!({ "Statement": { "Effect": "Deny", "Action": ["sns:*"], "Resource": "*" } });
        let put = json!({ "RoleName": "notifier", "PolicyName": "no", "PolicyDocument": deny.to_string() });
        assert_eq!(iam.handle("PutRolePolicy", &put, START).status, 200);
        assert!(!publishes(&iam));
    }
}
