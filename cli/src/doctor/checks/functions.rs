//! Whether the functions are there and may run.

use crate::doctor::account::{Account, Trouble};
use crate::doctor::finding::Finding;
use crate::doctor::wiring::{Found, Wiring};
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::types::{LastUpdateStatus, State};

const FUNCTIONS: &str = "functions";
const MAY_RUN: &str = "reconcile may run";
const NOTHING_RUNS: &str =
    "Without its functions nothing goes on: executions stand where they are, and events wait in the queues.";
/// What a deployment without reconcile does not hold to.
pub(super) const NO_NET: &str = "Every execution reaches its end even if events are lost (G3), because reconcile looks \
     every minute. Now nothing looks: a lost event stops its execution, no timeout is noticed, and a send without an \
     answer is never looked for.";

/// Both functions that executions need.
pub(in crate::doctor) fn both(account: &Account, wiring: &Wiring) -> Finding {
    let mut names = Vec::new();
    for (name, found) in [("reconcile", &wiring.reconcile), ("on-command-event", &wiring.on_command_event)] {
        let name = wiring.function(name);
        match state(&name, found) {
            Ok(()) => names.push(name),
            Err(Wrong::Absent) => {
                let found = format!("there is no {name} in {}", account.region());
                let mend = format!(
                    "name the one that is meant (--stack, --region, --profile), or\n{}",
                    wiring.deploy(account)
                );
                return Finding::wrong(FUNCTIONS, found, NOTHING_RUNS, mend);
            }
            Err(Wrong::Broken(found)) => {
                return Finding::wrong(FUNCTIONS, found, NOTHING_RUNS, wiring.deploy(account));
            }
            Err(Wrong::Unknown(trouble)) => return Finding::unchecked(FUNCTIONS, trouble),
        }
    }
    Finding::ok(FUNCTIONS, format!("{} are active", names.join(" and ")))
}

enum Wrong {
    Absent,
    Broken(String),
    Unknown(Trouble),
}

fn state(name: &str, found: &Found<GetFunctionConfigurationOutput>) -> Result<(), Wrong> {
    let configuration = found.as_ref().map_err(|trouble| {
        if trouble.is_absence() { Wrong::Absent } else { Wrong::Unknown(trouble.clone()) }
    })?;
    let reason = |reason: Option<&str>| reason.map_or_else(String::new, |reason| format!(": {reason}"));
    if configuration.state() == Some(&State::Failed) {
        return Err(Wrong::Broken(format!("{name} is Failed{}", reason(configuration.state_reason()))));
    }
    if configuration.last_update_status() == Some(&LastUpdateStatus::Failed) {
        let reason = reason(configuration.last_update_status_reason());
        return Err(Wrong::Broken(format!("the last update of {name} failed{reason}")));
    }
    Ok(())
}

/// Whether anything is reserved for reconcile.
pub(in crate::doctor) async fn may_run(account: &Account, wiring: &Wiring) -> Finding {
    let name = wiring.function("reconcile");
    let asked = account.lambda.get_function_concurrency().function_name(&name).send().await;
    match asked.map_err(Trouble::from) {
        Ok(concurrency) if concurrency.reserved_concurrent_executions() == Some(0) => {
            let command = format!(
                "lambda put-function-concurrency --function-name {name} --reserved-concurrent-executions 1"
            );
            Finding::wrong(MAY_RUN, "its reserved concurrency is 0", NO_NET, account.aws(&command))
        }
        Ok(concurrency) => {
            let reserved = concurrency.reserved_concurrent_executions();
            let found = reserved.map_or_else(
                || "it shares the account's concurrency".to_owned(),
                |reserved| format!("reserved concurrency {reserved}"),
            );
            Finding::ok(MAY_RUN, found)
        }
        Err(trouble) => Finding::unchecked(MAY_RUN, trouble.with_function()),
    }
}
