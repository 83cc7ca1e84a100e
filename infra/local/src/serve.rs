//! The embedded cloud over HTTP, in real time: one port that is AWS to any SDK, one that is our API.
//!
//! The simulation stays on a thread of its own and on its virtual clock, which follows the real one; requests reach it
//! over a channel and are answered when virtual time has come to it. Functions may be outside, behind Lambda's Invoke
//! API; the AWS they call is this one. Signatures are not verified: whoever reaches the ports may do everything, and both
//! are on the loopback interface only.

mod api_port;
mod aws_port;
mod console;
mod driver;
mod function_call;
mod lambda_path;
mod long_poll;
mod outside;
mod request_id;
mod tempo;

pub use console::Console;
pub use outside::{LambdaEndpoint, NoEndpoint};

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use fleetwright_wire::ServiceError;
use futures::channel::oneshot;
use futures::future::{self, Either};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::deployment::{DeploymentError, DeploymentOptions};
use crate::fleet::Fleet;
use crate::simulation::SimulationError;
use driver::Driver;

/// How long requests that are being answered may keep a server that was told to end.
const GRACE: Duration = Duration::from_secs(2);

/// What is served, and where.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// The port that is AWS; 0 for any that is free.
    pub aws_port: u16,
    /// The port that is our API; 0 for any that is free.
    pub api_port: u16,
    /// The nodes.
    pub fleet: Fleet,
    /// Documents that are there from the start.
    pub documents: Vec<ServedDocument>,
    /// The file the table is kept in; without one it is in memory.
    pub data: Option<PathBuf>,
    /// What chance is drawn from.
    pub seed: u64,
    /// Virtual seconds that pass in a real second, above 0. One if the functions are outside: they have real clocks.
    pub speed: f64,
    /// Where the functions are invoked, if not in here.
    pub functions: Option<LambdaEndpoint>,
}

/// A document that is there from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedDocument {
    /// Where it comes from, for messages.
    pub file: String,
    /// Its name, as SSM takes it.
    pub name: String,
    /// Its text, YAML or JSON.
    pub text: String,
    /// `Command` or `Automation`.
    pub kind: &'static str,
}

/// Why the cloud is not served, or not any more.
#[derive(Debug, Error)]
pub enum ServeError {
    /// A port cannot be listened on.
    #[error("port {port} cannot be listened on: {error}")]
    Port {
        /// The port.
        port: u16,
        /// Why not.
        error: io::Error,
    },
    /// A document was refused.
    #[error("{file}: {error}")]
    Document {
        /// Where it comes from.
        file: String,
        /// What SSM says of it.
        error: ServiceError,
    },
    /// The data file cannot be held.
    #[error("{} cannot be used: {error}", file.display())]
    Data {
        /// The file.
        file: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The deployment cannot be made.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// Virtual time stands still.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// The system gives no thread, or a connection could not be served.
    #[error("the server failed: {0}")]
    System(#[from] io::Error),
    /// The thread of the cloud died.
    #[error("the embedded cloud died")]
    Died,
}

/// The embedded cloud behind its two ports, which are open but not yet answered.
pub struct Server {
    aws: TcpListener,
    api: TcpListener,
    aws_address: SocketAddr,
    api_address: SocketAddr,
    driver: Driver,
    ended: oneshot::Receiver<Result<(), ServeError>>,
}

impl Server {
    /// Opens both ports and starts the cloud behind them.
    ///
    /// # Errors
    /// When a port, the file or a document cannot be used.
    pub async fn start(options: ServeOptions) -> Result<Self, ServeError> {
        let (aws, aws_address) = listen(options.aws_port).await?;
        let (api, api_address) = listen(options.api_port).await?;
        let (driver, ended) = Driver::start(options, format!("http://{aws_address}")).await?;
        Ok(Self { aws, api, aws_address, api_address, driver, ended })
    }

    /// Where AWS answers, such as `http://127.0.0.1:4566`.
    pub fn aws_url(&self) -> String {
        format!("http://{}", self.aws_address)
    }

    /// Where our API answers.
    pub fn api_url(&self) -> String {
        format!("http://{}", self.api_address)
    }

    /// What the function of that name reads from its environment if it runs outside.
    pub fn environment(&self, function: &str) -> BTreeMap<&'static str, String> {
        DeploymentOptions::served(0).process_environment(function, &self.aws_url())
    }

    /// A way to the cloud itself. The server ends after the last of them is gone.
    pub fn console(&self) -> Console {
        Console::new(self.driver.clone())
    }

    /// Answers requests until `over` is, then those that are being answered, for a short while.
    ///
    /// # Errors
    /// When the cloud gave up before.
    pub async fn run(self, over: impl Future<Output = ()>) -> Result<(), ServeError> {
        let (stop, stopped) = watch::channel(());
        let aws = serve(self.aws, aws_port::router(self.driver.clone()), stopped.clone());
        let api = serve(self.api, api_port::router(self.driver), stopped);
        let ports = Box::pin(future::try_join(aws, api));
        let over = Box::pin(future::select(Box::pin(over), self.ended));
        match future::select(ports, over).await {
            Either::Left((ports, _)) => Ok(ports.map(drop)?),
            Either::Right((Either::Right((ended, _)), _)) => ended.unwrap_or(Err(ServeError::Died)),
            Either::Right((Either::Left((_, ended)), ports)) => {
                drop(stop);
                // The cloud ends when nobody can ask it any more, and closes its file. Whoever is still being answered
                // after a while has waited in vain.
                let end = async {
                    ports.await?;
                    ended.await.unwrap_or(Err(ServeError::Died))
                };
                tokio::time::timeout(GRACE, end).await.unwrap_or(Ok(()))
            }
        }
    }
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), ServeError> {
    let wrong = |error| ServeError::Port { port, error };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(wrong)?;
    let address = listener.local_addr().map_err(wrong)?;
    Ok((listener, address))
}

async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<()>) -> io::Result<()> {
    let stop = async move {
        // The sender is never used: that it is gone is the message.
        let _ = stopped.changed().await;
    };
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}
