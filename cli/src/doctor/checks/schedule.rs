//! Whether reconcile runs every minute, and keeps up.

use super::functions::NO_NET;
use super::rules::{self, Rules};
use crate::doctor::account::Account;
use crate::doctor::finding::Finding;
use crate::doctor::look::Look;
use crate::doctor::wiring::Wiring;
use crate::text::{clock, duration};
use jiff::{SignedDuration, Timestamp};

const RULE: &str = "schedule rule";
const FIRES: &str = "schedule fires";
const KEEPS_UP: &str = "reconcile keeps up";
/// It fires every minute: two in a row may get lost on the way.
const FIRED_WITHIN: SignedDuration = SignedDuration::from_mins(3);
/// What is due is worked on by the next tick, or by one soon after where there is much.
const DUE_AT_MOST: SignedDuration = SignedDuration::from_mins(5);

/// The rule that leads to reconcile.
pub(in crate::doctor) async fn rule(account: &Account, wiring: &Wiring) -> Finding {
    let arn = match &wiring.reconcile {
        Ok(function) => function.function_arn().unwrap_or_default(),
        Err(trouble) => return Finding::unchecked(RULE, trouble.with_function()),
    };
    let rules = match Rules::to(account, arn).await {
        Ok(rules) => rules,
        Err(trouble) => return Finding::unchecked(RULE, trouble),
    };
    match (rules.enabled.as_slice(), rules.disabled.as_slice()) {
        ([], []) => {
            let found = format!("no rule leads to {}", wiring.function("reconcile"));
            Finding::wrong(RULE, found, NO_NET, wiring.deploy(account))
        }
        ([], [rule, ..]) => {
            Finding::wrong(RULE, format!("{rule} is disabled"), NO_NET, rules::enable(account, rule))
        }
        (enabled, _) => Finding::ok(RULE, format!("{} is enabled", enabled.join(", "))),
    }
}

/// Whether reconcile has been there lately, by its own word.
pub(in crate::doctor) fn fires(account: &Account, wiring: &Wiring, look: &Look) -> Finding {
    let health = match &look.health {
        Ok(health) => health,
        Err(why) => return Finding::unchecked(FIRES, why),
    };
    let logs = account.aws(&format!("logs tail /aws/lambda/{} --since 30m", wiring.function("reconcile")));
    let logs = format!("where its rule is on and it may run, its log says why it does not:\n{logs}");
    let Some(last) = health.last_reconcile_at else {
        if let Some(age) = deployed_at(wiring).map(|at| health.now.duration_since(at))
            && age <= FIRED_WITHIN
        {
            return Finding::ok(
                FIRES,
                format!("not yet, but reconcile was deployed only {} ago", duration(age)),
            );
        }
        return Finding::wrong(FIRES, "reconcile has never run", NO_NET, logs);
    };
    let since = health.now.duration_since(last);
    if since > FIRED_WITHIN {
        let found = format!("reconcile last ran {} ago, at {} UTC", duration(since), clock(last));
        return Finding::wrong(FIRES, found, NO_NET, logs);
    }
    Finding::ok(FIRES, format!("reconcile ran {} ago", duration(since)))
}

/// When reconcile was deployed as it is.
fn deployed_at(wiring: &Wiring) -> Option<Timestamp> {
    wiring.reconcile.as_ref().ok()?.last_modified()?.parse().ok()
}

/// Whether anything has waited for reconcile for long.
pub(in crate::doctor) fn keeps_up(look: &Look) -> Finding {
    let health = match &look.health {
        Ok(health) => health,
        Err(why) => return Finding::unchecked(KEEPS_UP, why),
    };
    let late = health.oldest_due_at.map_or(SignedDuration::ZERO, |due| health.now.duration_since(due));
    if late > DUE_AT_MOST {
        return Finding::wrong(
            KEEPS_UP,
            format!("something has been due for {}", duration(late)),
            "Executions still reach their end (G3), but late: timeouts, retries and lost events are noticed only when \
             their turn comes.",
            "if the schedule fires, its log says what takes so long; SSM may be throttling it (40 calls a minute are \
             its budget)",
        );
    }
    Finding::ok(KEEPS_UP, "nothing is overdue")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_moment_of_a_deployment_is_read_as_lambda_writes_it() {
        let moment: Timestamp = "2026-03-14T02:00:00.000+0000".parse().expect("a moment");
        assert_eq!(moment.to_string(), "2026-03-14T02:00:00Z");
    }
}
