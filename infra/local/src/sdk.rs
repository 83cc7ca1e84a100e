//! The AWS SDK clients of one execution environment of a simulation.

use aws_credential_types::Credentials;
use aws_smithy_async::rt::sleep::SharedAsyncSleep;
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use fleetwright_orchestrator::CALL_TIMEOUT;

use crate::lambda::Environment;
use crate::names::REGION;

/// The clients our functions use. Built once per environment: building costs more than a call.
#[derive(Clone, Debug)]
pub struct SdkClients {
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Systems Manager.
    pub ssm: aws_sdk_ssm::Client,
    /// Simple Notification Service.
    pub sns: aws_sdk_sns::Client,
    /// Simple Queue Service.
    pub sqs: aws_sdk_sqs::Client,
}

/// Each SDK crate has a configuration type of its own with the same methods.
macro_rules! config {
    ($sdk:ident, $environment:expr) => {
        $sdk::Config::builder()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::from_static(REGION))
            .credentials_provider(Credentials::from_keys("local", "local", None))
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
            dynamodb: aws_sdk_dynamodb::Client::from_conf(config!(aws_sdk_dynamodb, environment).build()),
            ssm: aws_sdk_ssm::Client::from_conf(config!(aws_sdk_ssm, environment).build()),
            sns: aws_sdk_sns::Client::from_conf(config!(aws_sdk_sns, environment).build()),
            sqs: aws_sdk_sqs::Client::from_conf(config!(aws_sdk_sqs, environment).build()),
        }
    }
}
