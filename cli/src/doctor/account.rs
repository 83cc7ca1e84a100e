//! The account: clients that only read, and the commands that would mend.

use super::dates::Dates;
use crate::args::Doctor;
use crate::client::is_loopback;
use crate::failure::Failure;
use crate::proxy::{profile_provider, sdk_http_client};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::timeout::TimeoutConfig;
use std::error::Error;
use std::fmt;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// What the embedded cloud is asked as: it takes any name, and has one Region.
const LOCAL_KEY: &str = "doctor";
const LOCAL_REGION: &str = "us-east-1";

/// An account in a Region.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) events: aws_sdk_eventbridge::Client,
    pub(super) iam: aws_sdk_iam::Client,
    pub(super) lambda: aws_sdk_lambda::Client,
    pub(super) sns: aws_sdk_sns::Client,
    pub(super) sqs: aws_sdk_sqs::Client,
    /// What time it is there.
    pub(super) dates: Dates,
    credentials: SharedCredentialsProvider,
    region: String,
    /// What commands need to reach the same place.
    suffix: String,
}

/// What AWS said instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    code: Option<String>,
    said: String,
}

impl Trouble {
    /// Whether what was asked for is not there.
    pub(super) fn is_absence(&self) -> bool {
        matches!(
            self.code.as_deref(),
            Some(
                "ResourceNotFoundException"
                    | "NoSuchEntity"
                    | "NoSuchEntityException"
                    | "NotFound"
                    | "NotFoundException"
                    | "QueueDoesNotExist"
                    | "AWS.SimpleQueueService.NonExistentQueue"
            )
        )
    }
}

impl Trouble {
    /// What an answer says instead of a part of it.
    pub(super) fn new(code: Option<&str>, said: Option<&str>) -> Self {
        Self { code: code.map(str::to_owned), said: said.unwrap_or_default().to_owned() }
    }

    /// The same for whoever would have read something from a function: the check of the functions tells of one that is
    /// not there.
    pub(super) fn with_function(&self) -> Self {
        if self.is_absence() {
            Self { code: None, said: "there is no function to read it from".to_owned() }
        } else {
            self.clone()
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.code {
            Some(code) => write!(formatter, "{code}: {}", self.said),
            None => formatter.write_str(&self.said),
        }
    }
}

impl From<Trouble> for String {
    fn from(trouble: Trouble) -> Self {
        trouble.to_string()
    }
}

impl From<&Trouble> for String {
    fn from(trouble: &Trouble) -> Self {
        trouble.to_string()
    }
}

impl<E, R> From<SdkError<E, R>> for Trouble
where
    E: ProvideErrorMetadata + Error + 'static,
    R: fmt::Debug + 'static,
{
    fn from(error: SdkError<E, R>) -> Self {
        if let Some(code) = error.code() {
            let said = error.message().unwrap_or_default().to_owned();
            return Self { code: Some(code.to_owned()), said };
        }
        Self { code: None, said: format!("no answer of AWS: {}", innermost(&error)) }
    }
}

/// The outer errors say that there is one.
fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

impl Account {
    /// The account that was asked for, or the one that the environment or the AWS configuration names.
    pub(super) async fn open(options: &Doctor) -> Result<Self, Failure> {
        let config = config(options).await?;
        let (Some(region), Some(credentials)) = (config.region(), config.credentials_provider()) else {
            let why = "no Region is set; --region, AWS_REGION or the AWS configuration names one";
            return Err(Failure::Input(format!("error: {why}")));
        };
        // Whoever has no credentials is told once, not by every check.
        credentials.provide_credentials().await.map_err(|error| {
            let profile = options.profile.as_ref().map_or_else(String::new, |name| format!(" --profile {name}"));
            Failure::Account(format!(
                "no AWS credentials can be used: {}; `aws sso login{profile}` or new keys in the environment or \
                 profile may help",
                innermost(&error)
            ))
        })?;
        let dates = Dates::default();
        let profile = options.profile.as_ref().map(|name| format!(" --profile {name}"));
        let url = options.aws_url.as_ref().map(|url| format!(" --endpoint-url {url}"));
        let suffix = [Some(format!(" --region {region}")), profile, url].into_iter().flatten().collect();
        macro_rules! client {
            ($sdk:ident) => {
                $sdk::Client::from_conf(
                    $sdk::config::Builder::from(&config).interceptor(dates.clone()).build(),
                )
            };
        }
        Ok(Self {
            dynamodb: client!(aws_sdk_dynamodb),
            events: client!(aws_sdk_eventbridge),
            iam: client!(aws_sdk_iam),
            lambda: client!(aws_sdk_lambda),
            sns: client!(aws_sdk_sns),
            sqs: client!(aws_sdk_sqs),
            dates,
            credentials,
            region: region.to_string(),
            suffix,
        })
    }

    /// Its Region.
    pub(super) fn region(&self) -> &str {
        &self.region
    }

    /// A command of the aws CLI, which reaches this account wherever it is pasted.
    pub(super) fn aws(&self, command: &str) -> String {
        format!("aws {command}{}", self.suffix)
    }

    /// What it is asked with.
    pub(super) async fn credentials(&self) -> Result<Credentials, Trouble> {
        let given = self.credentials.provide_credentials().await;
        given.map_err(|error| Trouble { code: None, said: innermost(&error) })
    }
}

async fn config(options: &Doctor) -> Result<SdkConfig, Failure> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(CALL_TIMEOUT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(sdk_http_client())
        .timeout_config(timeouts);
    let mut region = options.region.clone();
    if let Some(url) = &options.aws_url {
        let wrong = || Failure::Input(format!("error: --aws-url {url}: it is written http://HOST:PORT"));
        let uri: http::Uri = url.parse().map_err(|_| wrong())?;
        let host = uri.host().filter(|_| uri.scheme().is_some()).ok_or_else(wrong)?;
        loader = loader.endpoint_url(url);
        if is_loopback(host) {
            // Nobody verifies signatures there, and nobody's own credentials have to go there.
            region.get_or_insert_with(|| LOCAL_REGION.to_owned());
            loader =
                loader.credentials_provider(Credentials::new(LOCAL_KEY, LOCAL_KEY, None, None, LOCAL_KEY));
            return Ok(loader.region(region.map(Region::new)).load().await);
        }
    }
    if let Some(name) = &options.profile {
        loader = loader.profile_name(name);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region));
    }
    let config = loader.load().await;
    // A profile that is asked for goes before the environment, as with the aws CLI.
    Ok(match (&options.profile, config.region()) {
        (Some(name), Some(region)) => {
            let provider = SharedCredentialsProvider::new(profile_provider(name, region.as_ref()));
            config.to_builder().credentials_provider(provider).build()
        }
        (Some(_) | None, _) => config,
    })
}
