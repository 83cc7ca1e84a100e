//! Lambda's operations are paths (Lambda API reference): `GET /2015-03-31/functions/NAME/configuration`.

use axum::http::{Method, Uri};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::protocol::{Request, Service};

/// The request of Lambda's that a method and a path are; nothing if they are none.
pub(super) fn request(method: &Method, uri: &Uri) -> Option<Request> {
    let parts: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    let (operation, name) = match (method, parts.as_slice()) {
        (&Method::GET, ["2015-03-31", "functions", name, "configuration"]) => {
            ("GetFunctionConfiguration", Some(*name))
        }
        (&Method::GET, ["2019-09-30", "functions", name, "concurrency"]) => {
            ("GetFunctionConcurrency", Some(*name))
        }
        (&Method::GET, ["2021-10-31", "functions", name, "url"]) => ("GetFunctionUrlConfig", Some(*name)),
        (&Method::GET, ["2015-03-31", "event-source-mappings"]) => ("ListEventSourceMappings", None),
        _ => return None,
    };
    let mut body: Map<_, _> = crate::protocol::form(uri.query().unwrap_or_default())
        .map(|(name, value)| (name, Value::String(value)))
        .collect();
    if let Some(name) = name {
        let name = percent_decode_str(name).decode_utf8_lossy().into_owned();
        body.insert("FunctionName".to_owned(), Value::String(name));
    }
    Some(Request { service: Service::Lambda, operation: operation.to_owned(), body: Value::Object(body) })
}
