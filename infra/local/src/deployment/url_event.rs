//! Requests to our API as a function URL delivers them, and its answers.

use crate::names::ACCOUNT;
use serde_json::{Value, json};
use thiserror::Error;

/// Who calls our API, unless somebody else is said to.
const CALLER: &str = "arn:aws:iam::123456789012:user/local";

/// An error of our API, as its caller gets it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// SSM's error name.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

/// A request of our SSM API as a function URL delivers it.
pub(crate) fn post(operation: &str, body: &Value) -> Value {
    url_event("POST", "/", Some(&format!("AmazonSSM.{operation}")), &body.to_string())
}

pub(crate) fn url_event(method: &str, path: &str, target: Option<&str>, body: &str) -> Value {
    let mut headers = json!({ "content-type": "application/x-amz-json-1.1" });
    if let Some(target) = target {
        headers["x-amz-target"] = json!(target);
    }
    json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": {
            "accountId": ACCOUNT, "apiId": "local", "domainName": "local", "domainPrefix": "local",
            "requestId": "local", "routeKey": "$default", "stage": "$default", "time": "", "timeEpoch": 0,
            "authorizer": { "iam": { "accessKey": "", "accountId": ACCOUNT, "callerId": "",
                "userArn": CALLER, "userId": "" } },
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                "userAgent": "fleetwright" }
        },
        "body": body, "isBase64Encoded": false
    })
}

/// The body of an answer, or the error in it.
pub(crate) fn read_answer(answer: &Value) -> Result<Value, ApiError> {
    let body: Value =
        answer["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    if answer["statusCode"] == 200 {
        return Ok(body);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let message = if body["Message"].is_string() { text(&body["Message"]) } else { text(&body["message"]) };
    Err(ApiError { code: text(&body["__type"]), message })
}
