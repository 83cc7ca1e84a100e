//! `fleetwright proxy`: a deployed Fleetwright as if it were on this machine.
//!
//! The function URLs are behind IAM. Clients that cannot sign for them (the aws CLI signs for SSM, browsers not at all)
//! talk to the proxy, which signs for them with the caller's credentials.

mod credentials;
mod guard;
mod refusal;
mod upstream;

use crate::args::{Format, Proxy};
use crate::failure::Failure;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use credentials::Wallet;
pub(crate) use credentials::profile_provider;
use fleetwright_wire::Endpoint;
use refusal::{Refusal, Style};
use std::io::{Write, stdout};
use std::net::Ipv4Addr;
use std::sync::Arc;
use tokio::net::TcpListener;
pub(crate) use upstream::{Destination, Upstream, sdk_http_client};

/// What Lambda takes in one request (Lambda quotas, invocation payload): 6 MB.
const BODY_BYTES_MAX: usize = 6 << 20;

/// All that answering a request needs.
struct Gate {
    upstream: Upstream,
    wallet: Wallet,
    read: Destination,
    control: Destination,
}

/// Serves until it is interrupted.
pub(crate) fn run(options: &Proxy) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::Proxy(format!("no runtime: {error}")))?;
    runtime.block_on(serve(options))
}

async fn serve(options: &Proxy) -> Result<bool, Failure> {
    let region = options.region.as_deref();
    let read = Destination::new("--read-url", &options.read_url, region)?;
    let control = Destination::new("--control-url", &options.control_url, region)?;
    let upstream = Upstream::new();
    let wallet = Wallet::open(options.profile.as_deref(), read.region()).await;
    // Whoever has no credentials learns it now, not from the first request that fails.
    wallet.credentials().await.map_err(Failure::Proxy)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await;
    let listener = listener
        .map_err(|error| Failure::Input(format!("error: cannot listen on port {}: {error}", options.port)))?;
    let address = listener.local_addr().map_err(|error| Failure::Proxy(error.to_string()))?;
    say_ready(options.format, &format!("http://{address}"))?;
    let gate = Arc::new(Gate { upstream, wallet, read, control });
    let served = axum::serve(listener, Router::new().fallback(answer).with_state(gate));
    tokio::select! {
        ended = served.into_future() => ended.map_err(|error| Failure::Proxy(error.to_string()))?,
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(true)
}

fn say_ready(format: Format, url: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match format {
        Format::Text => {
            writeln!(out, "Fleetwright answers at {url}, with your credentials, until this is interrupted.")?;
            writeln!(out, "  aws ssm … --endpoint-url {url}    fleetwright … --endpoint {url}")?;
        }
        Format::Json => writeln!(out, "{}", serde_json::json!({ "proxy": url }))?,
    }
    Ok(out.flush()?)
}

async fn answer(State(gate): State<Arc<Gate>>, request: Request) -> Response {
    let style = Style::of(request.headers());
    gate.pass(request).await.unwrap_or_else(|refusal| refusal.into_response(style))
}

impl Gate {
    async fn pass(&self, request: Request) -> Result<Response, Refusal> {
        guard::check(request.headers())?;
        let (head, body) = request.into_parts();
        let body = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| Refusal::TooLarge)?;
        let destination = match guard::endpoint(&head.headers) {
            Endpoint::Control => &self.control,
            Endpoint::Read => &self.read,
        };
        let credentials = self.wallet.credentials().await.map_err(Refusal::NoCredentials)?;
        let answer = self.upstream.send(destination, &head, &body, credentials).await?;
        if answer.status() == http::StatusCode::FORBIDDEN {
            // They may have been revoked, or be of another account than a minute ago.
            self.wallet.forget().await;
        }
        Ok(answer.map(Body::new))
    }
}
