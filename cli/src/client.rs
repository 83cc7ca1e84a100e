//! Our API over HTTP: SSM's operations and the results.

use crate::clock;
use crate::failure::Failure;
use crate::resource::Resource;
use fleetwright_wire::ServiceError;
use http::header::DATE;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};

/// How often a request is made before it is given up.
const TRIES: u32 = 4;
/// The pause after the first try; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);
/// A function that is cold takes seconds, and the API gives up before its function does.
const TIMEOUT: Duration = Duration::from_secs(40);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// More than Lambda can answer (6 MB); an API on this machine may answer more.
const BODY_BYTES_MAX: u64 = 64 << 20;
/// Where a list that isn't JSON says where its next page begins.
const NEXT_TOKEN: &str = "x-next-token";

/// A Fleetwright somewhere.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    endpoint: String,
}

/// A page of a list that isn't JSON.
#[derive(Debug)]
pub(crate) struct Page {
    /// Its text.
    pub(crate) text: String,
    /// Where the next page begins.
    pub(crate) next_token: Option<String>,
}

/// What came back.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// A client of the API at this address.
    ///
    /// # Errors
    /// It is no address.
    pub(crate) fn new(endpoint: &str) -> Result<Self, Failure> {
        let wrong = |reason: &str| Failure::Input(format!("error: --endpoint {endpoint}: {reason}"));
        let uri: http::Uri = endpoint.parse().map_err(|_| wrong("it is no URL"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.host().is_none() {
            return Err(wrong("it is written http://HOST:PORT or https://HOST"));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("fleetwright/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(RootCerts::WebPki).build());
        let config = if is_loopback(uri.host().unwrap_or_default()) { config.proxy(None) } else { config };
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        Ok(Self { agent: Agent::new_with_config(config.build()), endpoint })
    }

    /// Where it answers.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Calls an operation of SSM's API. All tries of it have one id, as an SDK's have: it takes effect once.
    pub(crate) fn operation<T: DeserializeOwned>(
        &self,
        name: &str,
        request: &impl Serialize,
    ) -> Result<T, Failure> {
        let body = serde_json::to_vec(request).map_err(|error| Failure::Defect(error.to_string()))?;
        let invocation = clock::unique().to_string();
        let answer = self.ask(|| {
            self.agent
                .post(format!("{}/", self.endpoint))
                .header("content-type", "application/x-amz-json-1.1")
                .header("x-amz-target", format!("AmazonSSM.{name}"))
                .header("amz-sdk-invocation-id", &invocation)
                .send(&body)
        })?;
        self.read(&answer)
    }

    /// Reads a resource.
    pub(crate) fn get<T: DeserializeOwned>(&self, resource: &Resource) -> Result<T, Failure> {
        let answer = self.fetch(resource, "application/json")?;
        self.read(&answer)
    }

    /// Reads a resource, with the date its answer has.
    pub(crate) fn get_dated<T: DeserializeOwned>(
        &self,
        resource: &Resource,
    ) -> Result<(T, Option<String>), Failure> {
        let answer = self.fetch(resource, "application/json")?;
        let date = answer.headers.get(DATE).and_then(|date| date.to_str().ok()).map(str::to_owned);
        Ok((self.read(&answer)?, date))
    }

    /// Reads a page of a resource as the service writes it.
    pub(crate) fn page(&self, resource: &Resource) -> Result<Page, Failure> {
        let answer = self.fetch(resource, "*/*")?;
        let next_token =
            answer.headers.get(NEXT_TOKEN).and_then(|token| token.to_str().ok()).map(str::to_owned);
        let text = String::from_utf8(answer.body).map_err(|_| self.no_api("its answer is no text"))?;
        Ok(Page { text, next_token })
    }

    fn fetch(&self, resource: &Resource, accept: &str) -> Result<Answer, Failure> {
        let url = format!("{}{resource}", self.endpoint);
        self.ask(|| self.agent.get(&url).header("accept", accept).call())
    }

    /// Makes a request, again if it may help: of what takes effect, all tries are one request to the service.
    fn ask(
        &self,
        request: impl Fn() -> Result<http::Response<Body>, ureq::Error>,
    ) -> Result<Answer, Failure> {
        let mut pause = PAUSE;
        for left in (0..TRIES).rev() {
            let failure = match request().and_then(receive) {
                Ok(answer) if answer.status.is_success() => return Ok(answer),
                Ok(answer) => {
                    let error = answer.error();
                    if left == 0 || !answer.may_be_tried_again(&error) {
                        return Err(answer.failure(error));
                    }
                    None
                }
                Err(error) => Some(error),
            };
            match failure {
                Some(error) if left == 0 || !is_transient(&error) => {
                    let (endpoint, reason) = (self.endpoint.clone(), reason(&error));
                    return Err(Failure::Unreachable { endpoint, reason });
                }
                Some(_) | None => clock::pause(pause),
            }
            pause *= 2;
        }
        Err(Failure::Defect("a request was never made".to_owned()))
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        serde_json::from_slice(&answer.body).map_err(|error| self.no_api(&error.to_string()))
    }

    fn no_api(&self, why: &str) -> Failure {
        let message =
            format!("what answers at {} is no API of Fleetwright's this one knows: {why}", self.endpoint);
        let error = ServiceError::new("UnreadableAnswer", message);
        Failure::Service { callers: false, error }
    }
}

fn receive(mut response: http::Response<Body>) -> Result<Answer, ureq::Error> {
    let body = response.body_mut().with_config().limit(BODY_BYTES_MAX).read_to_vec()?;
    Ok(Answer { status: response.status(), headers: response.headers().clone(), body })
}

impl Answer {
    /// The error in any spelling: SSM's `__type` with a message of either case, our `Code`, or what Lambda answers itself.
    fn error(&self) -> ServiceError {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let text = |names: &[&str]| names.iter().find_map(|name| body[*name].as_str()).map(str::to_owned);
        let header =
            || self.headers.get("x-amzn-errortype").and_then(|code| code.to_str().ok()).map(str::to_owned);
        let code = text(&["__type", "Code"]).or_else(header);
        let code = code.unwrap_or_else(|| format!("HTTP {}", self.status));
        // SDKs take a shape's name without what stands before # or after a colon.
        let code =
            code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned();
        ServiceError::new(code, text(&["Message", "message"]).unwrap_or_default())
    }

    fn may_be_tried_again(&self, error: &ServiceError) -> bool {
        error.code == "ThrottlingException" || matches!(self.status.as_u16(), 429 | 502..=504)
    }

    fn failure(&self, error: ServiceError) -> Failure {
        let callers = self.status.is_client_error() && !self.may_be_tried_again(&error);
        Failure::Service { callers, error }
    }
}

fn is_transient(error: &ureq::Error) -> bool {
    matches!(
        error,
        ureq::Error::Io(_)
            | ureq::Error::Timeout(_)
            | ureq::Error::ConnectionFailed
            | ureq::Error::Protocol(_)
    )
}

/// What the system says, where it says something: the prefix that names the kind of error helps nobody.
fn reason(error: &ureq::Error) -> String {
    if let ureq::Error::Io(error) = error { error.to_string() } else { error.to_string() }
}

/// Whether a host is this machine: what goes there goes through no proxy.
pub(crate) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        let status = StatusCode::from_u16(status).expect("a status");
        Answer { status, headers: HeaderMap::new(), body: body.into() }
    }

    #[test]
    fn errors_are_read_in_every_spelling() {
        for (body, told) in [
            (r#"{"__type":"InvalidCommandId"}"#, "InvalidCommandId: "),
            (r#"{"__type":"com.amazonaws.ssm#InvalidDocument","Message":"no"}"#, "InvalidDocument: no"),
            (r#"{"Code":"ValidationException","Message":"no"}"#, "ValidationException: no"),
            ("<html>", "HTTP 404 Not Found: "),
        ] {
            assert_eq!(answer(404, body).error().to_string(), told);
        }
    }

    #[test]
    fn only_what_the_caller_can_mend_is_the_callers_mistake() {
        for (status, code, status_of_exit) in
            [(400, "ValidationException", 2), (400, "ThrottlingException", 1), (429, "", 1), (500, "", 1)]
        {
            let answer = answer(status, &format!(r#"{{"__type":"{code}"}}"#));
            assert_eq!(answer.failure(answer.error()).exit_status(), status_of_exit, "{status} {code}");
        }
    }

    #[test]
    fn an_endpoint_is_an_address() {
        for endpoint in ["", "localhost", "ftp://localhost", "http://", "127.0.0.1:4567"] {
            assert!(Client::new(endpoint).is_err(), "{endpoint}");
        }
        assert_eq!(Client::new("http://localhost:1/").expect("a client").endpoint(), "http://localhost:1");
        assert!(["localhost", "127.0.0.1", "[::1]"].into_iter().all(is_loopback));
        assert!(!is_loopback("localhost.example.com"));
    }
}
