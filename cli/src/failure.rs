//! Why a command did not do what it was asked, and the exit status that says so.

use fleetwright_local::serve::ServeError;
use fleetwright_local::{DeploymentError, SimulationError};
use fleetwright_wire::ServiceError;
use thiserror::Error;

/// Exit status of an execution that did not end in Success.
pub(crate) const UNSUCCESSFUL: u8 = 1;
/// Exit status of input that cannot be used, as clap has it for the command line.
const UNUSABLE: u8 = 2;

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// What was given cannot be used: one line for each thing that is wrong.
    #[error("{0}")]
    Input(String),
    /// The embedded cloud gave up.
    #[error("the simulation cannot go on: {0}")]
    Cloud(#[from] DeploymentError),
    /// The embedded cloud does not serve any more.
    #[error("error: {0}")]
    Served(ServeError),
    /// The execution was set aside, or did not end.
    #[error("{0}")]
    Unfinished(String),
    /// The service refused, or could not answer.
    #[error("error: {error}")]
    Service {
        /// Whether the caller can do something about it: what was asked is wrong.
        callers: bool,
        /// What it said.
        error: ServiceError,
    },
    /// Nobody answers where the service should be.
    #[error(
        "error: no answer from {endpoint}: {reason}\n`fleetwright local` starts Fleetwright on this machine, `fleetwright \
         proxy` connects to one that is deployed; --endpoint or FLEETWRIGHT_ENDPOINT says where."
    )]
    Unreachable {
        /// Where.
        endpoint: String,
        /// Why not.
        reason: String,
    },
    /// The proxy cannot do its work.
    #[error("error: {0}")]
    Proxy(String),
    /// The AWS account cannot be reached.
    #[error("error: {0}")]
    Account(String),
    /// A defect of our own.
    #[error("this is a defect of fleetwright: {0}")]
    Defect(String),
    /// Nobody reads what is printed any more.
    #[error("standard output is closed")]
    Closed,
    /// What was to be printed cannot be.
    #[error("error: standard output: {0}")]
    Output(std::io::Error),
}

impl Failure {
    /// Whether the same question may be answered later.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Service { callers: false, .. })
    }

    /// The exit status of the command.
    pub(crate) const fn exit_status(&self) -> u8 {
        match self {
            Self::Input(_) | Self::Service { callers: true, .. } => UNUSABLE,
            Self::Cloud(_)
            | Self::Served(_)
            | Self::Unfinished(_)
            | Self::Service { callers: false, .. }
            | Self::Unreachable { .. }
            | Self::Proxy(_)
            | Self::Account(_)
            | Self::Defect(_)
            | Self::Closed
            | Self::Output(_) => UNSUCCESSFUL,
        }
    }
}

impl From<std::io::Error> for Failure {
    /// Of writing to standard output. Who closes a pipe early has read enough.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Output(error) }
    }
}

impl From<SimulationError> for Failure {
    fn from(error: SimulationError) -> Self {
        Self::Cloud(error.into())
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Port { .. }
            | ServeError::Document { .. }
            | ServeError::Data { .. }
            | ServeError::Deployment(DeploymentError::Data { .. }) => Self::Input(format!("error: {error}")),
            ServeError::Deployment(_)
            | ServeError::Simulation(_)
            | ServeError::System(_)
            | ServeError::Died => Self::Served(error),
        }
    }
}
