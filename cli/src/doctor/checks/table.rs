//! Whether items go when their time has come.

use crate::doctor::account::{Account, Trouble};
use crate::doctor::finding::Finding;
use crate::doctor::wiring::Wiring;
use aws_sdk_dynamodb::types::TimeToLiveStatus;

const EXPIRY: &str = "expiry";
/// The attribute that says when an item goes.
const ATTRIBUTE: &str = "expires";
const STAYS: &str = "What is stored is to expire (G10): commands, their outputs and parameters stay for ever, and the table \
     grows.";
const NO_TABLE: &str = "There is nothing to store anything in: every function fails.";

/// The table's time to live.
pub(in crate::doctor) async fn expiry(account: &Account, wiring: &Wiring) -> Finding {
    let table = match wiring.setting("FLEETWRIGHT_TABLE") {
        Ok(Some(table)) => table,
        Ok(None) => {
            return Finding::wrong(EXPIRY, "FLEETWRIGHT_TABLE is not set", NO_TABLE, wiring.deploy(account));
        }
        Err(trouble) => return Finding::unchecked(EXPIRY, trouble),
    };
    let asked = account.dynamodb.describe_time_to_live().table_name(table).send().await;
    let description = match asked.map_err(Trouble::from) {
        Ok(answer) => answer.time_to_live_description,
        Err(trouble) if trouble.is_absence() => {
            return Finding::wrong(
                EXPIRY,
                format!("there is no table {table}"),
                NO_TABLE,
                wiring.deploy(account),
            );
        }
        Err(trouble) => return Finding::unchecked(EXPIRY, trouble),
    };
    let on = description.filter(|description| {
        let status = description.time_to_live_status();
        description.attribute_name() == Some(ATTRIBUTE)
            && matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
    });
    if on.is_some() {
        return Finding::ok(EXPIRY, format!("items of table {table} go by their `{ATTRIBUTE}`"));
    }
    let mend = account.aws(&format!(
        "dynamodb update-time-to-live --table-name {table} --time-to-live-specification \
         Enabled=true,AttributeName={ATTRIBUTE}"
    ));
    Finding::wrong(EXPIRY, format!("items of table {table} do not expire"), STAYS, mend)
}
