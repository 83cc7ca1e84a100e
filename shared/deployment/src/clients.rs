//! The AWS clients of a function: one TLS stack, no retries of the SDK's own, no configuration chain, nothing read that is
//! not used.

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
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_types::SdkConfig;
use fleetwright_orchestrator::{CALL_TIMEOUT, Clients};
use std::time::Duration;

/// A connection within a Region that takes longer will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Connectors made when they are first asked for. The SDK makes one for each client it builds, to see that it can, and drops
/// it: with the roots of trust of the system read and parsed for each (four fifths of the time to start).
#[derive(Debug)]
struct OnFirstUse(SharedHttpClient);

impl HttpClient for OnFirstUse {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

/// Builds the clients. Retries are ours to make: the SDK would send a command again that it had no answer to.
#[must_use]
pub fn clients(settings: &Settings) -> Clients {
    let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
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
        .http_client(SharedHttpClient::new(OnFirstUse(https)));
    let config = match &settings.endpoint_url {
        Some(url) => config.endpoint_url(url),
        None => config,
    }
    .build();
    let as_role = |role_arn: &String| {
        let role = AssumedRole { sts: aws_sdk_sts::Client::new(&config), role_arn: role_arn.clone() };
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
