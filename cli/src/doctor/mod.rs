//! `fleetwright doctor`: whether a deployment is in order, for whoever is called at three in the morning.
//!
//! It changes nothing. What it cannot find out it says, with what AWS said.

mod account;
mod checks;
mod dates;
mod finding;
mod look;
mod page;
mod wiring;

use crate::args::{Doctor, Format};
use crate::failure::Failure;
use account::Account;
use finding::{Finding, Report};
use look::Look;
use std::io::{Write, stdout};
use wiring::Wiring;

/// Examines it. Whether all is in order.
pub(crate) fn run(options: &Doctor) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Defect(format!("no runtime: {error}")))?;
    let report = runtime.block_on(examine(options))?;
    match options.format {
        Format::Text => write!(stdout(), "{}", page::page(&report))?,
        Format::Json => writeln!(stdout(), "{}", report.json())?,
    }
    Ok(report.is_healthy())
}

async fn examine(options: &Doctor) -> Result<Report, Failure> {
    let account = Account::open(options).await?;
    let wiring = Wiring::read(&account, &options.stack).await;
    let look = Look::take(&account, options, &wiring).await?;
    let mut findings: Vec<Finding> = Vec::new();
    findings.push(checks::functions::both(&account, &wiring));
    findings.push(checks::functions::may_run(&account, &wiring).await);
    findings.push(checks::schedule::rule(&account, &wiring).await);
    findings.push(checks::schedule::fires(&account, &wiring, &look));
    findings.push(checks::schedule::keeps_up(&look));
    findings.push(checks::events::rule(&account, &wiring).await);
    findings.push(checks::notifications::subscription(&account, &wiring).await);
    findings.extend(checks::notifications::role(&account, &wiring).await);
    findings.extend(checks::queues::all(&account, &wiring).await);
    findings.push(checks::table::expiry(&account, &wiring).await);
    findings.push(checks::clocks::here(&account));
    findings.push(checks::clocks::of_functions(&look));
    Ok(Report { stack: options.stack.clone(), region: account.region().to_owned(), findings })
}
