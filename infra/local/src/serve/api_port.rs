//! The port that is our API: each request invokes the function as its URL would.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Value, json};

use super::driver::Driver;
use super::request_id::{HEADER, RequestIds};
use crate::deployment::{UrlAnswer, UrlRequest};
use crate::lambda::InvokeError;

/// The largest request of a function (Lambda quotas: 6 MB).
const BODY_BYTES_MAX: usize = 6 * 1024 * 1024;

#[derive(Clone)]
struct Port {
    driver: Driver,
    ids: RequestIds,
}

/// What the port answers: the function knows its paths itself.
pub(super) fn router(driver: Driver) -> Router {
    let port = Port { driver, ids: RequestIds::new("api") };
    Router::new().fallback(answer).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(port)
}

async fn answer(
    State(port): State<Port>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) => return failure(rejection.status(), &rejection.body_text()),
    };
    let id = port.ids.next();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let request = UrlRequest {
        id: &id,
        method: method.as_str(),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), text(value.as_bytes()))).collect(),
        body: &body,
    };
    let mut response = match port.driver.api(request.event()).await {
        Some(Ok(answer)) => response(&answer),
        Some(Err(InvokeError::Throttled(_))) => failure(StatusCode::TOO_MANY_REQUESTS, "Rate exceeded"),
        Some(Err(error)) => failure(StatusCode::BAD_GATEWAY, &error.to_string()),
        None => failure(StatusCode::SERVICE_UNAVAILABLE, "the embedded cloud has ended"),
    };
    for (name, value) in [(HEADER, id), ("date", port.driver.date())] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().entry(name).or_insert(value);
        }
    }
    response
}

fn response(answer: &Value) -> Response {
    let answer = match UrlAnswer::read(answer) {
        Ok(answer) => answer,
        Err(error) => return failure(StatusCode::BAD_GATEWAY, &error),
    };
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let written = response.body(Body::from(answer.body));
    written.unwrap_or_else(|error| failure(StatusCode::BAD_GATEWAY, &error.to_string()))
}

/// What a function URL says itself where the function doesn't answer.
fn failure(status: StatusCode, message: &str) -> Response {
    let mut response = Response::new(Body::from(json!({ "Message": message }).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}
