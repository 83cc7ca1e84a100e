//! A function URL's request, as the API understands it.

use aws_lambda_events::lambda_function_urls::LambdaFunctionUrlRequest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleetwright_wire::{Endpoint, ServiceError, is_operation};
use serde_json::Value;

/// What is asked for.
#[derive(Debug)]
pub(crate) enum Call {
    /// An operation of SSM's API.
    Ssm { operation: String, body: Value },
    /// A resource of ours.
    Get { path: String, query: String, accept: String },
}

impl Call {
    /// The endpoint that serves it.
    pub(crate) fn endpoint(&self) -> Endpoint {
        match self {
            Self::Ssm { operation, .. } => Endpoint::of_operation(operation),
            Self::Get { .. } => Endpoint::Read,
        }
    }

    /// What logs may say of it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Ssm { operation, .. } => operation,
            Self::Get { path, .. } => path,
        }
    }
}

/// What stands before an operation in X-Amz-Target.
const TARGET_PREFIX: &str = "AmazonSSM.";
/// Longer than any SDK's: a UUID has 36.
const REQUEST_ID_CHARS_MAX: usize = 100;

/// Who calls.
#[derive(Debug)]
pub(crate) struct Caller {
    /// The caller's ARN.
    pub(crate) arn: String,
    /// What an SDK calls the request by: its own retry of it has the same.
    pub(crate) request_id: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) call: Call,
    pub(crate) caller: Caller,
}

impl Request {
    /// Reads a request; bodies may arrive base64.
    pub(crate) fn read(event: Value) -> Result<Self, ServiceError> {
        let event: LambdaFunctionUrlRequest = serde_json::from_value(event)
            .map_err(|_| ServiceError::serialization("not a function URL's request"))?;
        let iam = event.request_context.authorizer.as_ref().and_then(|authorizer| authorizer.iam.as_ref());
        let arn = iam.and_then(|iam| iam.user_arn.clone()).unwrap_or_else(|| "anonymous".to_owned());
        let request_id = event.headers.get("amz-sdk-invocation-id").and_then(|id| id.to_str().ok());
        let request_id = request_id.filter(|id| id.len() <= REQUEST_ID_CHARS_MAX).map(str::to_owned);
        let caller = Caller { arn, request_id };
        let method = event.request_context.http.method.clone().unwrap_or_default();
        let call = match (event.headers.get("x-amz-target"), method.as_str()) {
            (Some(target), "POST") => ssm_call(target.to_str().unwrap_or_default(), &event)?,
            (None, "GET") => Call::Get {
                path: event.raw_path.clone().unwrap_or_default(),
                query: event.raw_query_string.clone().unwrap_or_default(),
                accept: event
                    .headers
                    .get("accept")
                    .and_then(|types| types.to_str().ok())
                    .unwrap_or_default()
                    .to_owned(),
            },
            (_, method) => {
                return Err(ServiceError::unknown_operation(format!(
                    "{method} without X-Amz-Target is not served"
                )));
            }
        };
        Ok(Self { call, caller })
    }
}

fn ssm_call(target: &str, event: &LambdaFunctionUrlRequest) -> Result<Call, ServiceError> {
    let unknown = || ServiceError::unknown_operation(format!("there is no operation {target}"));
    let operation =
        target.strip_prefix(TARGET_PREFIX).filter(|name| is_operation(name)).ok_or_else(unknown)?;
    if !is_json(event) {
        return Err(ServiceError::unknown_operation("the Content-Type is not application/x-amz-json-1.1"));
    }
    let text = event.body.clone().unwrap_or_default();
    let bytes = if event.is_base64_encoded {
        STANDARD.decode(text).map_err(|_| ServiceError::serialization("the body is not base64"))?
    } else {
        text.into_bytes()
    };
    // serde_json's own message tells line and column, never the text.
    let body: Value = serde_json::from_slice(if bytes.is_empty() { b"{}" } else { &bytes })
        .map_err(|error| ServiceError::serialization(error.to_string()))?;
    if !body.is_object() {
        return Err(ServiceError::serialization("the body is not a JSON object"));
    }
    Ok(Call::Ssm { operation: operation.to_owned(), body })
}

/// Whether the body says that it is JSON, or does not say.
fn is_json(event: &LambdaFunctionUrlRequest) -> bool {
    let Some(kind) = event.headers.get("content-type") else { return true };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    ["application/x-amz-json-1.1", "application/x-amz-json-1.0", "application/json"]
        .iter()
        .any(|json| kind.eq_ignore_ascii_case(json))
}
