//! Credentials of a role that runbooks may assume.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use std::time::SystemTime;

/// What CloudTrail shows of who assumed the role.
const SESSION_NAME: &str = "fleetwright";

/// AssumeRole, asked for by the SDK whenever what it has of the role runs out.
#[derive(Debug)]
pub(crate) struct AssumedRole {
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) role_arn: String,
}

impl AssumedRole {
    async fn assume(&self) -> Result {
        let answer = self
            .sts
            .assume_role()
            .role_arn(&self.role_arn)
            .role_session_name(SESSION_NAME)
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        let given = answer
            .credentials
            .ok_or_else(|| CredentialsError::provider_error("AssumeRole: no credentials"))?;
        let expires = SystemTime::try_from(given.expiration).map_err(CredentialsError::provider_error)?;
        let token = Some(given.session_token);
        Ok(Credentials::new(given.access_key_id, given.secret_access_key, token, Some(expires), "AssumeRole"))
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}
