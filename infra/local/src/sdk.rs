//! The AWS SDK clients of one execution environment of a simulation.

use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use fleetwright_orchestrator::CALL_TIMEOUT;

use crate::lambda::Environment;
use crate::names::{OWN_KEY, REGION};

/// The name of a role that does not trust us.
pub const UNTRUSTING_ROLE: &str = "Untrusting";

fn own() -> Credentials {
    Credentials::from_keys(OWN_KEY, "local", None)
}

/// The clients our functions use. Built once per environment: building costs more than a call.
#[derive(Clone, Debug)]
pub struct SdkClients {
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Systems Manager.
    pub ssm: aws_sdk_ssm::Client,
    /// Simple Notification Service.
    pub sns: aws_sdk_sns::Client,
    /// EventBridge.
    pub events: aws_sdk_eventbridge::Client,
    /// Simple Queue Service.
    pub sqs: aws_sdk_sqs::Client,
}

/// Each SDK crate has a configuration type of its own with the same methods.
macro_rules! config {
    ($sdk:ident, $environment:expr, $credentials:expr) => {
        $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::from_static(REGION))
            .credentials_provider($credentials)
            .http_client($environment.http_client.clone())
            .time_source(SharedTimeSource::new($environment.clock.clone()))
            .sleep_impl(SharedAsyncSleep::new($environment.clock.clone()))
            // The SDK's token bucket is process-wide and its back-off unseeded; retries are ours.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).build())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
    };
}

impl SdkClients {
    /// Clients that reach the embedded cloud through the environment's connector, on its clock.
    pub fn new(environment: &Environment) -> Self {
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(
                config!(aws_sdk_dynamodb, environment, own()).build(),
            ),
            ssm: aws_sdk_ssm::Client::from_conf(config!(aws_sdk_ssm, environment, own()).build()),
            sns: aws_sdk_sns::Client::from_conf(config!(aws_sdk_sns, environment, own()).build()),
            events: aws_sdk_eventbridge::Client::from_conf(
                config!(aws_sdk_eventbridge, environment, own()).build(),
            ),
            sqs: aws_sdk_sqs::Client::from_conf(config!(aws_sdk_sqs, environment, own()).build()),
        }
    }

    /// Systems Manager in a role: its calls go by the role's name. The role [`UNTRUSTING_ROLE`] cannot be assumed.
    pub(crate) fn ssm_as(environment: &Environment, role_arn: &str) -> aws_sdk_ssm::Client {
        let name = role_arn.rsplit('/').next().unwrap_or(role_arn).to_owned();
        let credentials = provide_credentials_fn(move || {
            let name = name.clone();
            async move {
                if name == UNTRUSTING_ROLE {
                    return Err(CredentialsError::provider_error("AssumeRole: AccessDenied"));
                }
                Ok(Credentials::from_keys(name, "local", None))
            }
        });
        aws_sdk_ssm::Client::from_conf(config!(aws_sdk_ssm, environment, credentials).build())
    }
}
