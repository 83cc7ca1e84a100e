//! The HTTP connector of the SDK clients in a simulation: requests go to the embedded cloud instead of a network.

use std::fmt;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use futures::channel::oneshot;
use futures::future;

use crate::call::{Caller, Reply};
use crate::clock::VirtualClock;
use crate::cloud::{SharedCloud, lock};
use crate::faults::Failure;
use crate::protocol::{Answer, Request, Service};

/// How long the connector waits for an answer that never comes before it fails. Clients with a timeout of their own
/// give up earlier.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// One caller's way into the embedded cloud.
#[derive(Clone)]
pub(crate) struct CloudConnector {
    cloud: SharedCloud,
    clock: VirtualClock,
    caller: Caller,
}

impl CloudConnector {
    pub(crate) fn new(cloud: SharedCloud, clock: VirtualClock, caller: Caller) -> Self {
        Self { cloud, clock, caller }
    }

    pub(crate) fn into_client(self) -> SharedHttpClient {
        SharedHttpClient::new(self)
    }

    /// Lets the request leave now, not when its future is polled first.
    fn begin(&self, caller: Caller, request: Request) -> oneshot::Receiver<Reply> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.cloud).begin(caller, request, sender);
        receiver
    }
}

impl fmt::Debug for CloudConnector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CloudConnector").field("caller", &self.caller).finish_non_exhaustive()
    }
}

impl HttpClient for CloudConnector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for CloudConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").map(str::to_owned);
        let caller = self.caller.with_credentials(request.headers().get("authorization"));
        let Some(body) = request.body().bytes() else {
            return HttpConnectorFuture::ready(Err(ConnectorError::user("the body is a stream".into())));
        };
        let request = match Request::decode(target.as_deref(), body) {
            Ok(request) => request,
            Err(answer) => return HttpConnectorFuture::ready(response(&answer, Service::Ssm, "")),
        };
        let (service, operation) = (request.service, request.operation.clone());
        let reply = self.begin(caller, request);
        let clock = self.clock.clone();
        HttpConnectorFuture::new(async move {
            let Ok(Reply { outcome, after }) = reply.await else {
                // The invocation this call belongs to is dead and about to be dropped.
                return future::pending().await;
            };
            clock.sleep(after).await;
            match outcome {
                Ok(answer) => response(&answer, service, &operation),
                Err(Failure::Timeout) => Err(ConnectorError::timeout("no answer in time".into())),
                Err(failure) => Err(ConnectorError::io(format!("connection lost: {failure:?}").into())),
            }
        })
    }
}

fn response(answer: &Answer, service: Service, operation: &str) -> Result<HttpResponse, ConnectorError> {
    let (media_type, body) = answer.encode(service, operation);
    let status =
        StatusCode::try_from(answer.status).map_err(|error| ConnectorError::other(error.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    response.headers_mut().insert("content-type", media_type);
    if let Some(name) = answer.query_error(service) {
        response.headers_mut().insert("x-amzn-query-error", name);
    }
    Ok(response)
}
