//! The programs that are measured, as `cargo xtask bench` has built them.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// The functions: their names, and what `template.yaml` calls them.
pub const FUNCTIONS: [(&str, &str); 4] = [
    ("on-command-event", "OnCommandEvent"),
    ("reconcile", "Reconcile"),
    ("api-read", "ApiRead"),
    ("api-control", "ApiControl"),
];

/// Where they are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// What `sam build` made: a folder for each function.
    pub built: PathBuf,
    /// The command line.
    pub fleetwright: PathBuf,
    /// A Python that has boto3.
    pub python: PathBuf,
}

impl Programs {
    /// A function's program.
    #[must_use]
    pub fn function(&self, logical_id: &str) -> PathBuf {
        self.built.join(logical_id).join("bootstrap")
    }

    /// The Lambda runtime and nothing else: it is built beside this program.
    ///
    /// # Errors
    /// When nobody knows where this program is.
    pub fn hello() -> std::io::Result<PathBuf> {
        Ok(std::env::current_exe()?.with_file_name("fleetwright-hello"))
    }
}

/// What Lambda and a deployment set in a function, with AWS at that URL and Lambda at that address.
#[must_use]
pub fn environment(aws_url: &str, runtime_api: &str) -> BTreeMap<&'static str, String> {
    [
        ("AWS_LAMBDA_RUNTIME_API", runtime_api),
        ("AWS_LAMBDA_FUNCTION_NAME", "function"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
        ("AWS_ENDPOINT_URL", aws_url),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "any"),
        ("AWS_SECRET_ACCESS_KEY", "any"),
        ("FLEETWRIGHT_TABLE", "table"),
        ("FLEETWRIGHT_ACCOUNT_ID", "123456789012"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}
