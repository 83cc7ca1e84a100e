//! Functions outside the embedded cloud, behind Lambda's Invoke API: they are given events over HTTP, and nobody waits
//! for them on the simulation's thread.

use std::error::Error;
use std::fmt;
use std::str::FromStr;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, Uri};
use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use thiserror::Error;
use tokio::runtime::Handle;

use super::driver::Asked;
use crate::lambda::{Function, FunctionDefinition, FunctionFactory, Invocation};

/// The largest answer of a function (Lambda quotas: 6 MB).
const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024;
/// What a function is given beyond its timeout until it is given up: a new process has to start first.
const STARTING_TAKES: Duration = Duration::from_secs(10);
/// Says that the function failed, and the body how (Lambda API reference, Invoke).
const FUNCTION_ERROR: &str = "x-amz-function-error";

/// Where functions are invoked: what comes before `/2015-03-31/functions/…` (Lambda API reference, Invoke), such as
/// `http://127.0.0.1:9000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LambdaEndpoint(String);

/// Text that is no [`LambdaEndpoint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it is no URL like http://127.0.0.1:9000")]
pub struct NoEndpoint;

impl FromStr for LambdaEndpoint {
    type Err = NoEndpoint;

    fn from_str(text: &str) -> Result<Self, NoEndpoint> {
        let uri: Uri = text.parse().map_err(|_| NoEndpoint)?;
        let usable = uri.scheme_str() == Some("http") && uri.host().is_some() && uri.query().is_none();
        if usable { Ok(Self(text.trim_end_matches('/').to_owned())) } else { Err(NoEndpoint) }
    }
}

impl fmt::Display for LambdaEndpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl LambdaEndpoint {
    /// Where one function is invoked.
    fn invocations(&self, function: &str) -> String {
        format!("{}/2015-03-31/functions/{function}/invocations", self.0)
    }
}

/// Wakes the cloud's thread, which may sleep until virtual time has something for it. It doesn't keep the thread: what
/// is outside is not who the cloud is served for.
#[derive(Clone)]
pub(super) struct Bell(Weak<Sender<Asked>>);

impl Bell {
    pub(super) fn new(requests: &Arc<Sender<Asked>>) -> Self {
        Self(Arc::downgrade(requests))
    }

    fn ring(&self) {
        if let Some(requests) = self.0.upgrade() {
            // A thread that has ended needs no waking.
            let _ = requests.send(Asked::Look);
        }
    }
}

/// The way to all functions outside.
#[derive(Clone)]
pub(super) struct Outside {
    endpoint: LambdaEndpoint,
    http: Client<HttpConnector, Body>,
    server: Handle,
    bell: Bell,
}

impl Outside {
    /// The way to `endpoint`, over the runtime this is called in.
    pub(super) fn new(endpoint: LambdaEndpoint, bell: Bell) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { endpoint, http, server: Handle::current(), bell }
    }

    /// The same function, but outside. Its process takes the time it takes to start.
    pub(super) fn definition(&self, embedded: FunctionDefinition) -> FunctionDefinition {
        let remote = Remote {
            url: self.endpoint.invocations(&embedded.name),
            patience: embedded.timeout + STARTING_TAKES,
            outside: self.clone(),
        };
        let factory: FunctionFactory = Arc::new(move |_| Arc::new(remote.clone()));
        FunctionDefinition { factory, initialisation: Duration::ZERO, ..embedded }
    }
}

/// One function outside.
#[derive(Clone)]
struct Remote {
    url: String,
    /// The simulation ends an invocation at its deadline; after this, nothing is left of it here.
    patience: Duration,
    outside: Outside,
}

impl Function for Remote {
    fn invoke(&self, event: Value, _: Invocation) -> LocalBoxFuture<'static, Result<Value, String>> {
        let (answer, answered) = oneshot::channel();
        let (http, bell, url) = (self.outside.http.clone(), self.outside.bell.clone(), self.url.clone());
        let patience = self.patience;
        self.outside.server.spawn(async move {
            let outcome = tokio::time::timeout(patience, post(&http, &url, &event)).await;
            // An invocation that has ended by then wants no answer.
            let _ = answer.send(outcome.unwrap_or_else(|_| Err(format!("{url} does not answer"))));
            bell.ring();
        });
        Box::pin(async move { answered.await.unwrap_or_else(|_| Err("the server has ended".to_owned())) })
    }
}

/// Invokes a function and waits for its answer.
async fn post(http: &Client<HttpConnector, Body>, url: &str, event: &Value) -> Result<Value, String> {
    let lost = |error: &dyn Error| format!("{url}: {}", innermost(error));
    let request = Request::post(url).header(CONTENT_TYPE, "application/json");
    let request = request.body(Body::from(event.to_string())).map_err(|error| lost(&error))?;
    let answer = http.request(request).await.map_err(|error| lost(&error))?;
    let status = answer.status();
    let failed = answer.headers().contains_key(FUNCTION_ERROR);
    let body = to_bytes(Body::new(answer.into_body()), ANSWER_BYTES_MAX).await;
    let body = body.map_err(|error| lost(&error))?;
    let value: Value = match serde_json::from_slice(&body) {
        Ok(value) => value,
        // What refuses, or stands before what answers, needs not speak JSON.
        Err(_) if !status.is_success() => Value::Null,
        Err(error) => return Err(lost(&error)),
    };
    if status.is_success() && !failed {
        return Ok(value);
    }
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Err(format!("{status}: {} {}", text("errorType"), text("errorMessage")))
}

fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
