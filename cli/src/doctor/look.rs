//! What the deployment says of itself: its API's `/health`.

use super::account::Account;
use super::dates;
use super::wiring::Wiring;
use crate::args::Doctor;
use crate::client::Client;
use crate::failure::Failure;
use crate::proxy::{Destination, Upstream};
use crate::resource::Resource;
use aws_sdk_lambda::operation::get_function_url_config::GetFunctionUrlConfigError;
use fleetwright_wire::results::{Health, Problem};
use http::{Request, StatusCode};
use jiff::Timestamp;

/// Where it is asked.
const PATH: &str = "/health";
/// More than it can have.
const BODY_BYTES_MAX: usize = 1 << 20;

/// What it said, or why it said nothing.
pub(super) struct Look {
    /// What it said.
    pub(super) health: Result<Health, String>,
    /// When it said it, by the clock of what passed it on.
    pub(super) date: Option<Timestamp>,
}

impl Look {
    /// Asks the endpoint that was named, or the function URL that the deployment has.
    pub(super) async fn take(account: &Account, options: &Doctor, wiring: &Wiring) -> Result<Self, Failure> {
        let answer = match &options.endpoint {
            Some(endpoint) => {
                let client = Client::new(endpoint)?;
                client.get_dated(&Resource::new(&["health"])).map_err(|failure| one_line(&failure))
            }
            None => ask_function_url(account, wiring).await,
        };
        Ok(match answer {
            Ok((health, date)) => Self { health: Ok(health), date: date.as_deref().and_then(dates::read) },
            Err(why) => Self { health: Err(why), date: None },
        })
    }
}

/// What a failure says first: the rest is advice for other commands.
fn one_line(failure: &Failure) -> String {
    let told = failure.to_string();
    let first = told.lines().next().unwrap_or_default();
    first.strip_prefix("error: ").unwrap_or(first).to_owned()
}

async fn ask_function_url(account: &Account, wiring: &Wiring) -> Result<(Health, Option<String>), String> {
    let function = wiring.function("api-read");
    let config = account.lambda.get_function_url_config().function_name(&function).send().await;
    let url = config.map_err(|error| match error.as_service_error() {
        Some(GetFunctionUrlConfigError::ResourceNotFoundException(_)) => {
            format!("{function} has no function URL; --endpoint says where the API answers")
        }
        Some(_) | None => super::account::Trouble::from(error).to_string(),
    })?;
    let destination = Destination::new("the function URL", url.function_url(), Some(account.region()));
    let destination = destination.map_err(|failure| one_line(&failure))?;
    let credentials = account.credentials().await.map_err(|trouble| trouble.to_string())?;
    let (head, ()) = Request::get(PATH)
        .header("accept", "application/json")
        .body(())
        .map_err(|error| error.to_string())?
        .into_parts();
    let answer = Upstream::new().send(&destination, &head, &[], credentials).await;
    let answer = answer.map_err(|refusal| refusal.to_string())?;
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok()).map(str::to_owned);
    let status = answer.status();
    let body = axum::body::to_bytes(axum::body::Body::new(answer.into_body()), BODY_BYTES_MAX).await;
    let body = body.map_err(|error| error.to_string())?;
    if status != StatusCode::OK {
        let problem: Option<Problem> = serde_json::from_slice(&body).ok();
        let said = problem.map(|problem| format!(": {}: {}", problem.code, problem.message));
        return Err(format!("{function} answered {status}{}", said.unwrap_or_default()));
    }
    let health = serde_json::from_slice(&body).map_err(|error| format!("{function}: {error}"))?;
    Ok((health, date))
}
