//! Whether Run Command can tell which nodes are done: topic, subscription, service role.

use crate::doctor::account::{Account, Trouble};
use crate::doctor::finding::Finding;
use crate::doctor::wiring::{Found, Wiring, name_in};
use aws_sdk_iam::types::PolicyEvaluationDecisionType;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

const SUBSCRIPTION: &str = "notifications";
const ROLE: &str = "service role";
const MAY_PUBLISH: &str = "role may publish";
/// Who acts in the role.
const SSM: &str = "ssm.amazonaws.com";
const PUBLISH: &str = "sns:Publish";
const NOT_WANTED: &str = "not used: no topic is set, EventBridge and reconcile tell";
const BLIND: &str = "Nothing is lost (G3), but nobody hears which nodes are done: progress stands still while a command \
     runs, and what its nodes did is known only when SSM is asked after its end.";
const REFUSED: &str = "Sends name this role: SSM refuses them, or takes them and tells nobody which nodes are done. What \
     was taken is lost to nobody (G3), but known only when SSM is asked, minutes late.";

const DEAD: &str = "The functions do not start: nothing is sent, looked at or shown. What is stored stays, and goes on \
     when they do.";

/// The trust policy that the role has to have.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

fn role_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The command that lets a role publish to a topic.
fn let_publish(account: &Account, role_arn: &str, topic: &str) -> String {
    let policy = json!({ "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": PUBLISH, "Resource": topic }] });
    let name = role_name(role_arn);
    account.aws(&format!(
        "iam put-role-policy --role-name {name} --policy-name publish --policy-document '{policy}'"
    ))
}

/// The topic and the role that the functions ask SSM to publish with, if they do.
fn asked(wiring: &Wiring) -> Found<Option<(&str, Option<&str>)>> {
    let topic = wiring.setting("FLEETWRIGHT_NOTIFICATION_TOPIC_ARN")?;
    let role = wiring.setting("FLEETWRIGHT_NOTIFICATION_ROLE_ARN")?;
    Ok(topic.map(|topic| (topic, role)))
}

/// Whether a queue that is worked off hears of what is published.
pub(in crate::doctor) async fn subscription(account: &Account, wiring: &Wiring) -> Finding {
    let (topic, queues) = match (asked(wiring), wiring.queues()) {
        (Ok(Some((topic, _))), Ok(queues)) => (topic, queues),
        (Ok(None), _) => return Finding::ok(SUBSCRIPTION, NOT_WANTED),
        (Err(trouble), _) | (_, Err(trouble)) => return Finding::unchecked(SUBSCRIPTION, trouble),
    };
    let listed = account.sns.list_subscriptions_by_topic().topic_arn(topic).into_paginator().items().send();
    let subscriptions = match listed.collect::<Result<Vec<_>, _>>().await.map_err(Trouble::from) {
        Ok(subscriptions) => subscriptions,
        Err(trouble) if trouble.is_absence() => {
            let found = format!("there is no topic {}", name_in(topic));
            return Finding::wrong(SUBSCRIPTION, found, BLIND, wiring.deploy(account));
        }
        Err(trouble) => return Finding::unchecked(SUBSCRIPTION, trouble),
    };
    let hears = |endpoint: &str| queues.contains(&endpoint);
    let subscribed = subscriptions.iter().find(|one| one.endpoint().is_some_and(hears));
    match subscribed {
        Some(one) => {
            let queue = name_in(one.endpoint().unwrap_or_default());
            Finding::ok(SUBSCRIPTION, format!("topic {} leads to the queue {queue}", name_in(topic)))
        }
        None => {
            let found = format!("no queue that is worked off is subscribed to topic {}", name_in(topic));
            let facts = queues.first().copied().unwrap_or_default();
            let mend =
                format!("sns subscribe --topic-arn {topic} --protocol sqs --notification-endpoint {facts}");
            Finding::wrong(SUBSCRIPTION, found, BLIND, account.aws(&mend))
        }
    }
}

/// Whether the role is there and SSM may act in it, and whether it may publish.
pub(in crate::doctor) async fn role(account: &Account, wiring: &Wiring) -> [Finding; 2] {
    match asked(wiring) {
        Ok(Some((topic, Some(role)))) => {
            [trusts(account, role, topic).await, may_publish(account, role, topic).await]
        }
        Ok(Some((topic, None))) => {
            let found = format!("topic {} is set, and no role to publish to it", name_in(topic));
            let role = Finding::wrong(ROLE, found, DEAD, wiring.deploy(account));
            [role, Finding::unchecked(MAY_PUBLISH, "no role is set")]
        }
        Ok(None) => [ROLE, MAY_PUBLISH].map(|check| Finding::ok(check, NOT_WANTED)),
        Err(trouble) => [ROLE, MAY_PUBLISH].map(|check| Finding::unchecked(check, &trouble)),
    }
}

async fn trusts(account: &Account, role_arn: &str, topic: &str) -> Finding {
    let name = role_name(role_arn);
    let trust = match account.iam.get_role().role_name(name).send().await.map_err(Trouble::from) {
        Ok(answer) => answer.role.and_then(|role| role.assume_role_policy_document).unwrap_or_default(),
        Err(trouble) if trouble.is_absence() => {
            let create =
                format!("iam create-role --role-name {name} --assume-role-policy-document '{TRUST}'");
            let mend = format!("{}\n{}", account.aws(&create), let_publish(account, role_arn, topic));
            return Finding::wrong(ROLE, format!("there is no role {name}"), REFUSED, mend);
        }
        Err(trouble) => return Finding::unchecked(ROLE, trouble),
    };
    if lets_assume(&trust, SSM) {
        Finding::ok(ROLE, format!("{name}, which {SSM} may assume"))
    } else {
        let mend = format!("iam update-assume-role-policy --role-name {name} --policy-document '{TRUST}'");
        Finding::wrong(ROLE, format!("{SSM} may not assume {name}"), REFUSED, account.aws(&mend))
    }
}

/// Whether a trust policy, percent-encoded as IAM answers it, lets a service assume its role.
fn lets_assume(policy: &str, service: &str) -> bool {
    let policy = percent_decode_str(policy).decode_utf8_lossy();
    let policy: Value = serde_json::from_str(&policy).unwrap_or_default();
    let lets = |statement: &Value| {
        statement["Effect"] == "Allow"
            && listed(&statement["Principal"]["Service"]).contains(&service)
            && listed(&statement["Action"])
                .iter()
                .any(|action| ["sts:AssumeRole", "sts:*", "*"].contains(action))
    };
    one_or_more(&policy["Statement"]).iter().any(lets)
}

/// A policy has single things without brackets.
fn one_or_more(value: &Value) -> &[Value] {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
}

fn listed(value: &Value) -> Vec<&str> {
    one_or_more(value).iter().filter_map(Value::as_str).collect()
}

async fn may_publish(account: &Account, role_arn: &str, topic: &str) -> Finding {
    let asked = account.iam.simulate_principal_policy().policy_source_arn(role_arn);
    let asked = asked.action_names(PUBLISH).resource_arns(topic).send().await;
    let results = match asked.map_err(Trouble::from) {
        Ok(answer) => answer.evaluation_results.unwrap_or_default(),
        Err(trouble) if trouble.is_absence() => {
            return Finding::unchecked(MAY_PUBLISH, "there is no such role");
        }
        Err(trouble) => return Finding::unchecked(MAY_PUBLISH, trouble),
    };
    let decision = results.first().map(|result| result.eval_decision());
    match decision {
        Some(PolicyEvaluationDecisionType::Allowed) => {
            Finding::ok(MAY_PUBLISH, format!("{PUBLISH} to {} is allowed", name_in(topic)))
        }
        Some(other) => {
            let found = format!("{PUBLISH} to {} is denied ({})", name_in(topic), other.as_str());
            Finding::wrong(MAY_PUBLISH, found, BLIND, let_publish(account, role_arn, topic))
        }
        None => Finding::unchecked(MAY_PUBLISH, "IAM's simulation said nothing"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trust_policy_is_read_in_every_spelling() {
        for (policy, lets) in [
            (
                r#"{"Statement":{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}}"#,
                true,
            ),
            (
                "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%5B%22ec2.amazonaws.com%22%2C%22ssm.amazonaws.com%22%5D%7D%2C%22Action%22%3A%5B%22sts%3AAssumeRole%22%5D%7D%5D%7D",
                true,
            ),
            (
                r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
                false,
            ),
            (
                r#"{"Statement":[{"Effect":"Deny","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
                false,
            ),
            ("nonsense", false),
        ] {
            assert_eq!(lets_assume(policy, SSM), lets, "{policy}");
        }
    }
}
