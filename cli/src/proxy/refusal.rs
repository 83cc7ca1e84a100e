//! Why the proxy answers itself.

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::json;

use super::guard::TARGET;

/// A request that was not answered by Fleetwright.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// A page whose name was made to point to this machine.
    #[error("the proxy is for this machine only: Host must be localhost or a loopback address")]
    ForeignHost,
    /// A page of another site.
    #[error("the proxy answers no page of another site")]
    ForeignOrigin,
    /// More than a function takes.
    #[error("the body is larger than 6 MB, or was cut off")]
    TooLarge,
    /// Credentials have expired, or there are none.
    #[error("{0}")]
    NoCredentials(String),
    /// The request cannot be signed or passed on.
    #[error("the request cannot be passed on: {0}")]
    Unsendable(String),
    /// Nobody answers at the function URL.
    #[error("no answer from {url}: {reason}")]
    Unreachable {
        /// The function URL.
        url: String,
        /// Why not.
        reason: String,
    },
}

/// How an error is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// As SSM's operations answer.
    Operation,
    /// As the results API does.
    Resource,
}

impl Style {
    /// What the request expects.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key(TARGET) { Self::Operation } else { Self::Resource }
    }
}

impl Refusal {
    const fn code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::ForeignHost | Self::ForeignOrigin => (StatusCode::FORBIDDEN, "AccessDeniedException"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException"),
            Self::NoCredentials(_) => (StatusCode::FORBIDDEN, "ExpiredTokenException"),
            Self::Unsendable(_) => (StatusCode::BAD_REQUEST, "ValidationException"),
            Self::Unreachable { .. } => (StatusCode::BAD_GATEWAY, "ServiceUnavailableException"),
        }
    }

    /// The answer.
    pub(super) fn into_response(self, style: Style) -> Response {
        let (status, code) = self.code();
        let message = self.to_string();
        let (kind, body) = match style {
            Style::Operation => ("application/x-amz-json-1.1", json!({ "__type": code, "message": message })),
            Style::Resource => ("application/json", json!({ "Code": code, "Message": message })),
        };
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }
}
