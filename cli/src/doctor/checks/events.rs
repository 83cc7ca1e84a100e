//! Whether EventBridge tells of commands that ended.

use super::rules::{self, Rules};
use crate::doctor::account::Account;
use crate::doctor::finding::Finding;
use crate::doctor::wiring::{Wiring, name_in};

const RULE: &str = "command events";
const LATE: &str = "Nothing is lost (G3), but the end of a command is noticed only when reconcile asks SSM: 90 seconds \
     after it was sent, then less and less often, up to 15 minutes late. Steps end late by as much.";

/// The rule that leads to the queue for command events.
pub(in crate::doctor) async fn rule(account: &Account, wiring: &Wiring) -> Finding {
    let (prompt, queues) = match (wiring.prompt_queue(), wiring.queues()) {
        (Ok(prompt), Ok(queues)) => (prompt, queues),
        (Err(trouble), _) | (_, Err(trouble)) => return Finding::unchecked(RULE, trouble),
    };
    let Some(arn) = queues.into_iter().find(|arn| Some(name_in(arn)) == prompt) else {
        let found = prompt.map_or_else(
            || "FLEETWRIGHT_PROMPT_QUEUE_URL is not set".to_owned(),
            |queue| format!("nothing works off the queue {queue}"),
        );
        return Finding::wrong(RULE, found, LATE, wiring.deploy(account));
    };
    let rules = match Rules::to(account, arn).await {
        Ok(rules) => rules,
        Err(trouble) => return Finding::unchecked(RULE, trouble),
    };
    match (rules.enabled.as_slice(), rules.disabled.as_slice()) {
        ([], []) => {
            let found = format!("no rule leads to the queue {}", name_in(arn));
            Finding::wrong(RULE, found, LATE, wiring.deploy(account))
        }
        (_, [rule, ..]) => {
            Finding::wrong(RULE, format!("{rule} is disabled"), LATE, rules::enable(account, rule))
        }
        (enabled, []) => Finding::ok(RULE, format!("{} is enabled, to {}", enabled.join(", "), name_in(arn))),
    }
}
