//! Answers, and errors in SSM's words.

use fleetwright_orchestrator::Error;
use fleetwright_wire::ServiceError;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A function URL's response (Lambda developer guide, urls-invocation).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    status_code: u16,
    headers: BTreeMap<&'static str, String>,
    body: String,
    is_base64_encoded: bool,
}

impl Answer {
    pub(crate) fn json(status_code: u16, body: &Value) -> Self {
        Self::of(status_code, "application/x-amz-json-1.1", body.to_string())
    }

    pub(crate) fn of(status_code: u16, content_type: &str, body: String) -> Self {
        let headers = BTreeMap::from([("content-type", content_type.to_owned())]);
        Self { status_code, headers, body, is_base64_encoded: false }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: String) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn error(error: &ServiceError) -> Self {
        Self::json(error.http_status(), &error.body())
    }
}

/// What a caller is told of a failure of ours.
pub(crate) fn service_error(error: Error) -> ServiceError {
    match error {
        Error::Refused { code, message } => ServiceError::new(code, message),
        Error::Again(_) | Error::Contended(_) => ServiceError::throttling("Rate exceeded"),
        Error::Denied { .. } | Error::Unreadable(_) | Error::Ours(_) => {
            tracing::error!(%error, "internal");
            ServiceError::internal_server_error("see the function's log")
        }
    }
}
