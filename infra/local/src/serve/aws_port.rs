//! The port that is AWS: SSM, DynamoDB, SNS, SQS, EventBridge, and what there is of IAM and Lambda, for any SDK.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;

use super::driver::{AwsRequest, Driver};
use super::lambda_path;
use super::request_id::{HEADER, RequestIds};
use crate::deployment::access_key;
use crate::protocol::{Answer, Request, Service};

/// The largest request of any of the services: DynamoDB's BatchWriteItem takes 16 MB.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Clone)]
struct Port {
    driver: Driver,
    ids: RequestIds,
}

/// What the port answers: AWS' services have one path, but for Lambda.
pub(super) fn router(driver: Driver) -> Router {
    let port = Port { driver, ids: RequestIds::new("aws") };
    Router::new().fallback(answer).layer(DefaultBodyLimit::max(BODY_BYTES_MAX)).with_state(port)
}

async fn answer(
    State(port): State<Port>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let target = headers.get("x-amz-target").map(|target| String::from_utf8_lossy(target.as_bytes()));
    let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    // What cannot be told otherwise: forms are SNS', everything else names its target, and speaks JSON.
    let is_form = target.is_none() && !media_type.starts_with(b"application/x-amz-json");
    let spoken = if is_form { Service::Sns } else { Service::Ssm };
    let refused = |status, code, message: &str| (Answer::error(status, code, message), spoken, String::new());
    let lambda = lambda_path::request(&method, &uri);
    let (answer, service, operation) = match body {
        Ok(_) if let Some(request) = lambda => {
            ask(&port.driver, AwsRequest { request, access_key: None }).await
        }
        _ if method != Method::POST => refused(405, "UnknownOperationException", "send a POST"),
        Err(rejection) => {
            refused(rejection.status().as_u16(), "RequestEntityTooLarge", &rejection.body_text())
        }
        Ok(_) if target.is_none() && !is_form => {
            refused(400, "UnknownOperationException", "the request names no operation in X-Amz-Target")
        }
        Ok(body) => match Request::decode(target.as_deref(), &body) {
            Err(answer) => (answer, spoken, String::new()),
            Ok(request) => {
                let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
                let access_key = authorization.and_then(access_key).map(str::to_owned);
                ask(&port.driver, AwsRequest { request, access_key }).await
            }
        },
    };
    response(&answer, service, &operation, (&port.ids.next(), &port.driver.date()))
}

async fn ask(driver: &Driver, request: AwsRequest) -> (Answer, Service, String) {
    let (service, operation) = (request.request.service, request.request.operation.clone());
    let gone = || Answer::error(503, "ServiceUnavailable", "the embedded cloud has ended");
    (driver.aws(request).await.unwrap_or_else(gone), service, operation)
}

fn response(answer: &Answer, service: Service, operation: &str, (id, date): (&str, &str)) -> Response {
    let (media_type, body) = answer.encode(service, operation);
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let query_error = answer.query_error(service);
    let headers = [
        ("content-type", Some(media_type)),
        (HEADER, Some(id)),
        ("date", Some(date)),
        ("x-amzn-query-error", query_error.as_deref()),
    ];
    for (name, value) in headers {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
