//! Lambda's two APIs over HTTP: Invoke for callers, the Runtime API for processes, each below a path of its own.

use crate::invocations::{Given, Invocations, Outcome, ProcessId};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use futures::channel::oneshot;
use jiff::Timestamp;
use std::time::Duration;

/// The largest event (Lambda quotas: 6 MB).
const EVENT_BYTES_MAX: usize = 6 * 1024 * 1024;
/// What every function may take. Nobody is stopped then: whoever invokes has given it up.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Where a process finds the Runtime API: what AWS_LAMBDA_RUNTIME_API is set to.
pub(crate) fn runtime_api(address: &str, process: ProcessId) -> String {
    format!("{address}/runtime/{process}")
}

/// Both APIs.
pub(crate) fn router(invocations: Invocations) -> Router {
    const RUNTIME: &str = "/runtime/{process}/2018-06-01/runtime";
    Router::new()
        .route("/2015-03-31/functions/{function}/invocations", post(invoke))
        .route(&format!("{RUNTIME}/invocation/next"), get(next))
        .route(&format!("{RUNTIME}/invocation/{{id}}/response"), post(response))
        .route(&format!("{RUNTIME}/invocation/{{id}}/error"), post(error))
        // The process ends after it, and is found dead then.
        .route(&format!("{RUNTIME}/init/error"), post(async || StatusCode::ACCEPTED))
        .layer(DefaultBodyLimit::max(EVENT_BYTES_MAX))
        .with_state(invocations)
}

/// Lambda API reference, Invoke.
async fn invoke(
    State(invocations): State<Invocations>,
    Path(function): Path<String>,
    event: Bytes,
) -> Response<Body> {
    let Some(outcome) = invocations.invoke(&function, event) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match outcome.await {
        Ok(Outcome::Answered(body)) => body.into_response(),
        Ok(Outcome::Failed(body)) => ([("x-amz-function-error", "Unhandled")], body).into_response(),
        Err(oneshot::Canceled) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Lambda developer guide, runtimes-api: Next invocation.
async fn next(State(invocations): State<Invocations>, Path(process): Path<ProcessId>) -> Response<Body> {
    let Some(given) = invocations.next(process) else { return StatusCode::FORBIDDEN.into_response() };
    let Ok(Given { id, event }) = given.await else { return StatusCode::FORBIDDEN.into_response() };
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline().as_millisecond().to_string()),
        (
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:123456789012:function:f".to_owned(),
        ),
        ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000".to_owned()),
    ];
    (headers, event).into_response()
}

#[expect(clippy::disallowed_methods, reason = "processes have the real clock")]
fn deadline() -> Timestamp {
    Timestamp::now().saturating_add(TIMEOUT).unwrap_or(Timestamp::MAX)
}

/// Lambda developer guide, runtimes-api: Invocation response.
async fn response(
    State(invocations): State<Invocations>,
    Path((process, id)): Path<(ProcessId, String)>,
    body: Bytes,
) -> StatusCode {
    accepted(invocations.answer(process, &id, Outcome::Answered(body)))
}

/// Lambda developer guide, runtimes-api: Invocation error.
async fn error(
    State(invocations): State<Invocations>,
    Path((process, id)): Path<(ProcessId, String)>,
    body: Bytes,
) -> StatusCode {
    accepted(invocations.answer(process, &id, Outcome::Failed(body)))
}

const fn accepted(was_its_own: bool) -> StatusCode {
    if was_its_own { StatusCode::ACCEPTED } else { StatusCode::FORBIDDEN }
}
