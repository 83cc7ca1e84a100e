//! Whether the clocks agree: AWS's own is in the date of every answer.

use crate::doctor::account::Account;
use crate::doctor::finding::Finding;
use crate::doctor::look::Look;
use crate::text::duration;
use jiff::SignedDuration;

const HERE: &str = "this machine's clock";
const FUNCTIONS: &str = "functions' clock";
/// The protocols assume that hosts' clocks differ by no more (P3).
const APART_AT_MOST: SignedDuration = SignedDuration::from_secs(10);

/// The clock of whoever asks.
pub(in crate::doctor) fn here(account: &Account) -> Finding {
    let Some(ahead) = account.dates.ahead() else {
        return Finding::unchecked(HERE, "no answer of AWS had a date");
    };
    if ahead.abs() <= APART_AT_MOST {
        return Finding::ok(HERE, format!("it is within {} of AWS's", duration(APART_AT_MOST)));
    }
    Finding::wrong(
        HERE,
        apart(ahead),
        "No guarantee, but you: AWS refuses what is signed more than 5 minutes off, and times you compare with the \
         logs' are not the same times.",
        "let this machine set its clock by the network, such as with `timedatectl set-ntp true`",
    )
}

/// The clock of the host that answered.
pub(in crate::doctor) fn of_functions(look: &Look) -> Finding {
    let health = match &look.health {
        Ok(health) => health,
        Err(why) => return Finding::unchecked(FUNCTIONS, why),
    };
    let Some(date) = look.date else {
        return Finding::unchecked(FUNCTIONS, "the API's answer had no date");
    };
    let ahead = health.now.duration_since(date);
    if ahead.abs() <= APART_AT_MOST {
        return Finding::ok(FUNCTIONS, format!("it is within {} of AWS's", duration(APART_AT_MOST)));
    }
    Finding::wrong(
        FUNCTIONS,
        apart(ahead),
        "At most one command runs per send (G4) as long as clocks differ by 10 seconds at most: a send without an \
         answer may now be looked for at the wrong time, not found, and sent again.",
        "Lambda sets its hosts' clocks itself: ask AWS Support, and until then let sends wait for a person \
         (FLEETWRIGHT_ABSENT_SEND=park)",
    )
}

fn apart(ahead: SignedDuration) -> String {
    let direction = if ahead.is_negative() { "behind" } else { "ahead of" };
    format!("it is {} {direction} AWS's", duration(ahead.abs()))
}
