//! What the Lambda functions share: environment, AWS clients, logs.

mod assumed_role;
mod clients;
mod settings;

pub use clients::clients;
pub use settings::{InvalidSetting, Settings};

use fleetwright_orchestrator::{Entropy, Orchestrator};
use jiff::Timestamp;
use lambda_runtime::Context;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Identities and jitter of a deployment.
#[derive(Debug)]
struct Random;

impl Entropy for Random {
    #[expect(clippy::disallowed_methods, reason = "the one place where ids are random")]
    fn uuid(&self) -> String {
        Uuid::new_v4().to_string()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place where jitter is random")]
    fn below(&self, bound: u64) -> u64 {
        Uuid::new_v4().as_u64_pair().1 % bound.max(1)
    }
}

/// Logs as JSON to standard output, from `info` up. Ids, names, counts and times only: parameters and outputs hold
/// secrets (guarantee G10).
pub fn log() {
    tracing_subscriber::fmt().json().with_max_level(tracing_subscriber::filter::LevelFilter::INFO).init();
}

/// The use cases as this environment configures them.
///
/// # Errors
/// [`InvalidSetting`] names the variable that is not set or not readable.
pub fn orchestrator() -> Result<Orchestrator, InvalidSetting> {
    let settings = Settings::read(&variable)?;
    Ok(Orchestrator::new(clients(&settings), settings.config, Arc::new(Random)))
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the environment is read once, at the start")]
    std::env::var(name).ok()
}

/// The longest that Lambda lets an invocation take, in milliseconds (Lambda quotas: 900 seconds).
const TIMEOUT_MAX_MS: u64 = 900_000;

/// When an invocation is cut off. `cargo lambda watch` says how long it may take (600000) where Lambda says until when:
/// taken for a moment, it would leave no time for anything.
#[must_use]
pub fn deadline(context: &Context) -> Timestamp {
    if context.deadline <= TIMEOUT_MAX_MS {
        #[expect(clippy::disallowed_methods, reason = "what was told counts from now")]
        let now = Timestamp::now();
        return now + Duration::from_millis(context.deadline);
    }
    let ms = i64::try_from(context.deadline).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::MAX)
}
