//! The caller's AWS credentials, from wherever the aws CLI would take them.

use super::upstream;
use crate::clock;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use std::error::Error;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// Credentials are used no longer than this before they expire: a signature is valid for minutes.
const SPARE: Duration = Duration::from_mins(5);

/// Credentials, asked for again when they are about to expire.
pub(super) struct Wallet {
    provider: Option<SharedCredentialsProvider>,
    profile: Option<String>,
    held: Mutex<Option<Credentials>>,
}

/// Credentials of one profile of the AWS configuration, whatever the environment has.
pub(crate) fn profile_provider(name: &str, region: &str) -> ProfileFileCredentialsProvider {
    let config = ProviderConfig::without_region()
        .with_region(Some(Region::new(region.to_owned())))
        .with_http_client(upstream::sdk_http_client());
    ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build()
}

impl Wallet {
    /// Finds out where credentials come from: environment, profiles, SSO, processes, containers, instances.
    pub(super) async fn open(profile: Option<&str>, region: &str) -> Self {
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .http_client(upstream::sdk_http_client());
        // A profile that is asked for goes before the environment, as with the aws CLI.
        let loader = match profile {
            Some(name) => loader.credentials_provider(profile_provider(name, region)),
            None => loader,
        };
        let provider = loader.load().await.credentials_provider();
        Self { provider, profile: profile.map(str::to_owned), held: Mutex::new(None) }
    }

    /// Credentials that can be used now, or what to do to have some.
    pub(super) async fn credentials(&self) -> Result<Credentials, String> {
        let mut held = self.held.lock().await;
        if let Some(credentials) = held.as_ref().filter(|credentials| lasts(credentials)) {
            return Ok(credentials.clone());
        }
        let provider = self.provider.as_ref().ok_or_else(|| self.advice("there are no AWS credentials"))?;
        let credentials =
            provider.provide_credentials().await.map_err(|error| self.advice(&reason(&error)))?;
        if credentials.expiry().is_some_and(|expiry| expiry <= now()) {
            return Err(self.advice("the AWS credentials have expired"));
        }
        *held = Some(credentials.clone());
        Ok(credentials)
    }

    /// Asks for new ones next time.
    pub(super) async fn forget(&self) {
        *self.held.lock().await = None;
    }

    fn advice(&self, why: &str) -> String {
        let profile = self.profile.as_ref().map_or_else(String::new, |name| format!(" --profile {name}"));
        format!("{why}; `aws sso login{profile}` or new keys in the environment or profile may help")
    }
}

fn now() -> SystemTime {
    clock::now().into()
}

fn lasts(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > now() + SPARE)
}

/// What the innermost error says: the outer ones say that there is one.
fn reason(error: &CredentialsError) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    format!("no AWS credentials can be used: {innermost}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::provider::future;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Credentials that last so long, counted.
    #[derive(Debug, Default)]
    struct Source {
        lifetime: Option<Duration>,
        given: Arc<AtomicU64>,
    }

    impl ProvideCredentials for Source {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            self.given.fetch_add(1, Ordering::Relaxed);
            let expiry = self.lifetime.map(|lifetime| now() + lifetime);
            future::ProvideCredentials::ready(Ok(Credentials::new("id", "secret", None, expiry, "test")))
        }
    }

    /// Asks three times; how often the source was asked for it, and the last answer.
    async fn ask_thrice(lifetime: Option<Duration>) -> (u64, Result<Credentials, String>) {
        let source = Source { lifetime, ..Source::default() };
        let given = Arc::clone(&source.given);
        let provider = Some(SharedCredentialsProvider::new(source));
        let wallet = Wallet { provider, profile: Some("ops".to_owned()), held: Mutex::default() };
        let mut last = wallet.credentials().await;
        for _ in 0..2 {
            last = wallet.credentials().await;
        }
        (given.load(Ordering::Relaxed), last)
    }

    #[tokio::test]
    async fn credentials_are_kept_while_they_last() {
        for lifetime in [None, Some(Duration::from_hours(1))] {
            let (given, last) = ask_thrice(lifetime).await;
            assert!(given == 1 && last.is_ok(), "{given} {lifetime:?}");
        }
    }

    #[tokio::test]
    async fn credentials_about_to_expire_are_asked_for_again() {
        let (given, last) = ask_thrice(Some(Duration::from_mins(2))).await;
        assert!(given == 3 && last.is_ok(), "{given}");
    }

    #[tokio::test]
    async fn expired_credentials_are_an_error_that_says_what_to_do() {
        let (_, last) = ask_thrice(Some(Duration::ZERO)).await;
        let told = last.expect_err("expired");
        assert!(told.contains("have expired") && told.contains("aws sso login --profile ops"), "{told}");
    }
}
