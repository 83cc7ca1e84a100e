//! Errors, by how they are to be treated.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;

/// Which call failed, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the operations'")]
pub enum Operation {
    GetItem,
    BatchGetItem,
    Query,
    PutItem,
    BatchWriteItem,
    UpdateItem,
    TransactWriteItems,
    SendMessage,
    Publish,
    PutEvents,
    GetDocument,
    GetParameters,
    ListCommands,
    ListCommandInvocations,
    DescribeInstancePatchStates,
    CancelCommand,
    GetCommandInvocation,
}

/// What became of a call that did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It was not executed: throttled, or for want of credentials.
    Throttled,
    /// It was not executed: refused.
    Rejected,
    /// Nobody knows.
    Unknown,
}

/// Why a use case did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The caller's mistake, in SSM's words; nothing was changed.
    #[error("{code}: {message}")]
    Refused {
        /// SSM's error name.
        code: String,
        /// What is wrong, and where.
        message: String,
    },
    /// Try again later: throttled, unavailable, or too much going on at once.
    #[error("try again: {0}")]
    Again(String),
    /// Others were faster, three times: look again in a moment.
    #[error("too much is going on at once: {0}")]
    Contended(String),
    /// AWS said no to something that should be allowed: a person must look.
    #[error("{operation:?} was refused: {code}: {message}")]
    Denied {
        /// The call.
        operation: Operation,
        /// The error's name.
        code: String,
        /// Its message.
        message: String,
    },
    /// An item that this release cannot read. The message fails and is retried; nothing is overwritten.
    #[error("cannot read {0}")]
    Unreadable(String),
    /// A mistake of ours.
    #[error("internal: {0}")]
    Ours(String),
}

/// AWS's words for "not now": the SDK's list of throttling errors (`aws_runtime::retries::classifiers`), and what
/// DynamoDB says of an item that a transaction is at work on.
const THROTTLED: [&str; 16] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
    "TransactionConflictException",
    "ReplicatedWriteConflictException",
];
/// HTTP's word for it.
const TOO_MANY_REQUESTS: u16 = 429;

/// What an SDK error says about whether the call was executed.
pub(crate) fn known<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Known {
    match error {
        SdkError::ConstructionFailure(_) => Known::Rejected,
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            match service.err().code() {
                Some(code) if THROTTLED.contains(&code) => Known::Throttled,
                _ if status == TOO_MANY_REQUESTS => Known::Throttled,
                Some("InternalServerError" | "InternalFailure" | "ServiceUnavailable") | None => {
                    Known::Unknown
                }
                Some(_) if status >= 500 => Known::Unknown,
                Some(_) => Known::Rejected,
            }
        }
        // Without credentials of the role it is to be made in, a call never leaves.
        SdkError::DispatchFailure(failure) if failure.as_connector_error().is_some_and(lacks_credentials) => {
            Known::Throttled
        }
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            Known::Unknown
        }
        _ => Known::Unknown,
    }
}

fn lacks_credentials(error: &ConnectorError) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<CredentialsError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Name and message of an error as the service gave them.
pub(crate) fn words<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> (String, String) {
    let service = error.as_service_error();
    let code = service.and_then(ProvideErrorMetadata::code).unwrap_or("Unknown").to_owned();
    let message = service.and_then(ProvideErrorMetadata::message).unwrap_or_default().to_owned();
    (code, message)
}

impl Error {
    /// What a failed call means where it may simply be made again.
    pub(crate) fn of<E: ProvideErrorMetadata>(
        operation: Operation,
        error: &SdkError<E, HttpResponse>,
    ) -> Self {
        match known(error) {
            Known::Throttled | Known::Unknown => Self::Again(format!("{operation:?}: {}", words(error).0)),
            Known::Rejected => {
                let (code, message) = words(error);
                Self::Denied { operation, code, message }
            }
        }
    }
}
