//! Rules of EventBridge by what they lead to.

use crate::doctor::account::{Account, Trouble};
use crate::doctor::wiring::Found;
use aws_sdk_eventbridge::types::RuleState;

/// The rules that lead to a target.
pub(super) struct Rules {
    /// Those that are on.
    pub(super) enabled: Vec<String>,
    /// Those that somebody has switched off.
    pub(super) disabled: Vec<String>,
}

impl Rules {
    /// Those of the default bus.
    pub(super) async fn to(account: &Account, target_arn: &str) -> Found<Self> {
        let listed = account.events.list_rule_names_by_target().target_arn(target_arn).send().await;
        let mut rules = Self { enabled: Vec::new(), disabled: Vec::new() };
        for name in listed.map_err(Trouble::from)?.rule_names() {
            let rule = account.events.describe_rule().name(name).send().await.map_err(Trouble::from)?;
            let list = if rule.state() == Some(&RuleState::Disabled) {
                &mut rules.disabled
            } else {
                &mut rules.enabled
            };
            list.push(name.clone());
        }
        Ok(rules)
    }
}

/// The command that switches a rule on.
pub(super) fn enable(account: &Account, rule: &str) -> String {
    account.aws(&format!("events enable-rule --name {rule}"))
}
