//! Requests to our API as a function URL delivers them, and its answers (Lambda developer guide, urls-invocation).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use crate::names::ACCOUNT;

/// Who calls our API, unless somebody else is said to.
const CALLER: &str = "local";
/// Longest name of an IAM user (IAM API reference, CreateUser.UserName).
const USER_CHARS_MAX: usize = 64;

/// An error of our API, as its caller gets it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// SSM's error name.
    pub code: String,
    /// What is wrong.
    pub message: String,
}

/// One HTTP request to a function URL.
pub(crate) struct UrlRequest<'a> {
    pub(crate) id: &'a str,
    pub(crate) method: &'a str,
    /// As it was sent.
    pub(crate) path: &'a str,
    /// What follows the question mark, as it was sent.
    pub(crate) query: &'a str,
    /// With names in lower case; a name may come more than once.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: &'a [u8],
}

impl UrlRequest<'_> {
    /// The event the function gets. Its caller is the user that has the name of the access key the request is signed
    /// with; the signature itself is not verified.
    pub(crate) fn event(&self) -> Value {
        let (body, encoded) = match std::str::from_utf8(self.body) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (STANDARD.encode(self.body), true),
        };
        let mut headers: BTreeMap<&str, String> = BTreeMap::new();
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "cookie") {
            join(&mut headers, name, value);
        }
        let authorization = headers.get("authorization").map(String::as_str);
        let user = authorization.and_then(access_key).unwrap_or(CALLER);
        let agent = headers.get("user-agent").map_or("fleetwright", String::as_str);
        let cookies = self.headers.iter().filter(|(name, _)| name == "cookie");
        let cookies = cookies.flat_map(|(_, value)| value.split(';').map(str::trim));
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": self.path, "rawQueryString": self.query,
            "cookies": cookies.collect::<Vec<_>>(),
            "queryStringParameters": self.parameters(),
            "requestContext": {
                "accountId": ACCOUNT, "apiId": "local", "domainName": "local", "domainPrefix": "local",
                "requestId": self.id, "routeKey": "$default", "stage": "$default", "time": "", "timeEpoch": 0,
                "authorizer": { "iam": { "accessKey": user, "accountId": ACCOUNT, "callerId": user,
                    "userArn": format!("arn:aws:iam::{ACCOUNT}:user/{user}"), "userId": user } },
                "http": { "method": self.method, "path": self.path, "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1", "userAgent": agent }
            },
            "headers": headers,
            "body": body, "isBase64Encoded": encoded
        })
    }

    /// The query's parameters, decoded; values of one name are joined with commas.
    fn parameters(&self) -> BTreeMap<String, String> {
        let mut parameters = BTreeMap::new();
        for (name, value) in crate::protocol::form(self.query) {
            let joined: &mut String = parameters.entry(name).or_default();
            if !joined.is_empty() {
                joined.push(',');
            }
            joined.push_str(&value);
        }
        parameters
    }
}

fn join<'a>(headers: &mut BTreeMap<&'a str, String>, name: &'a str, value: &str) {
    let joined = headers.entry(name).or_default();
    if !joined.is_empty() {
        joined.push(',');
    }
    joined.push_str(value);
}

/// The access key in a Signature Version 4 header, where it can be a user's name.
pub(crate) fn access_key(authorization: &str) -> Option<&str> {
    let key = authorization.split_once("Credential=")?.1.split('/').next()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    ((1..=USER_CHARS_MAX).contains(&key.len()) && key.bytes().all(fits)).then_some(key)
}

/// What a function answers through its URL.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answered {
    status_code: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

/// The HTTP answer of a function URL.
pub(crate) struct UrlAnswer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl UrlAnswer {
    /// Reads what the function answered; an error tells what is wrong with it.
    pub(crate) fn read(answer: &Value) -> Result<Self, String> {
        let Answered { status_code, headers, body, is_base64_encoded } =
            Answered::deserialize(answer).map_err(|error| error.to_string())?;
        let body = body.unwrap_or_default();
        let body = if is_base64_encoded {
            STANDARD.decode(body).map_err(|error| error.to_string())?
        } else {
            body.into_bytes()
        };
        Ok(Self { status: status_code, headers, body })
    }
}

/// A request of our SSM API as a function URL delivers it.
pub(crate) fn post(operation: &str, body: &Value) -> Value {
    url_event("POST", "/", Some(&format!("AmazonSSM.{operation}")), &body.to_string())
}

/// `path` may have a query behind it.
pub(crate) fn url_event(method: &str, path: &str, target: Option<&str>, body: &str) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut headers = vec![("content-type".to_owned(), "application/x-amz-json-1.1".to_owned())];
    headers.extend(target.map(|target| ("x-amz-target".to_owned(), target.to_owned())));
    UrlRequest { id: "local", method, path, query, headers, body: body.as_bytes() }.event()
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
    if body["Code"].is_string() {
        // Of the results API.
        return Err(ApiError { code: text(&body["Code"]), message });
    }
    Err(ApiError { code: text(&body["__type"]), message })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(headers: &[(&str, &str)], query: &str, body: &[u8]) -> Value {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        UrlRequest { id: "1", method: "POST", path: "/a%20b", query, headers, body }.event()
    }

    #[test]
    fn the_caller_is_the_user_of_the_access_key() {
        let arn = |headers: &[(&str, &str)]| {
            event(headers, "", b"")["requestContext"]["authorizer"]["iam"]["userArn"].clone()
        };
        let signed = "AWS4-HMAC-SHA256 Credential=AKIAJANE/20260314/us-east-1/ssm/aws4_request, Signature=0";
        assert_eq!(arn(&[("authorization", signed)]), "arn:aws:iam::123456789012:user/AKIAJANE");
        for other in ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=no body/x", "AWS4 Credential=/x"] {
            assert_eq!(arn(&[("authorization", other)]), "arn:aws:iam::123456789012:user/local", "{other}");
        }
    }

    #[test]
    fn what_was_sent_arrives_as_a_function_url_delivers_it() {
        let event = event(&[("a", "1"), ("a", "2"), ("cookie", "x=1; y=2")], "s=a&s=b+c&t=%26", &[0xff]);
        assert_eq!(event["rawPath"], "/a%20b");
        assert_eq!(event["rawQueryString"], "s=a&s=b+c&t=%26");
        assert_eq!(event["queryStringParameters"], json!({ "s": "a,b c", "t": "&" }));
        assert_eq!((&event["headers"], &event["cookies"]), (&json!({ "a": "1,2" }), &json!(["x=1", "y=2"])));
        assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("/w=="), &json!(true)));
    }
}
