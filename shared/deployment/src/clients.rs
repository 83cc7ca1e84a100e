//! The AWS clients of a function: one TLS stack, no retries of the SDK's own, no configuration chain.

use crate::Settings;
use crate::assumed_role::AssumedRole;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_types::SdkConfig;
use fleetwright_orchestrator::{CALL_TIMEOUT, Clients};
use std::time::Duration;

/// A connection within a Region that takes longer will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Builds the clients. Retries are ours to make: the SDK would send a command again that it had no answer to.
#[must_use]
pub fn clients(settings: &Settings) -> Clients {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(CALL_TIMEOUT)
        .build();
    let time = SharedTimeSource::default();
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(settings.credentials.clone()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts)
        .time_source(time.clone())
        .http_client(http);
    let config = match &settings.endpoint_url {
        Some(url) => config.endpoint_url(url),
        None => config,
    }
    .build();
    let sts = aws_sdk_sts::Client::new(&config);
    let as_role = |role_arn: &String| {
        let role = AssumedRole { sts: sts.clone(), role_arn: role_arn.clone() };
        let config = config.to_builder().credentials_provider(SharedCredentialsProvider::new(role)).build();
        (role_arn.clone(), aws_sdk_ssm::Client::new(&config))
    };
    Clients {
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        ssm: aws_sdk_ssm::Client::new(&config),
        ssm_by_role: settings.roles.iter().map(as_role).collect(),
        sqs: aws_sdk_sqs::Client::new(&config),
        sns: aws_sdk_sns::Client::new(&config),
        events: aws_sdk_eventbridge::Client::new(&config),
        time,
        sleep: SharedAsyncSleep::new(TokioSleep::new()),
    }
}
