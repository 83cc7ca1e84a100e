//! The function URLs: where they are, and how a request is signed for them and passed on.

use super::guard::TARGET;
use super::refusal::Refusal;
use crate::client::is_loopback;
use crate::clock;
use crate::failure::Failure;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpClient};
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_types::body::SdkBody;
use http::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HeaderName};
use http::request::Parts;
use http::{HeaderMap, Response, Uri};
use std::error::Error;
use std::time::Duration;

/// What function URLs are signed for (Lambda developer guide, urls-auth).
const SERVICE: &str = "lambda";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longer than the API's function may run.
const READ_TIMEOUT: Duration = Duration::from_secs(65);
/// An SDK's retries of one request have one: it takes effect once.
const INVOCATION_ID: HeaderName = HeaderName::from_static("amz-sdk-invocation-id");
/// What a request keeps. All else is between the client and the proxy, the client's own signature above all.
const KEPT: [HeaderName; 4] = [ACCEPT, CONTENT_TYPE, INVOCATION_ID, TARGET];
/// What is about one connection only (RFC 9110, 7.6.1), besides what Connection names.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// What would let pages of other sites read answers.
const CORS: &str = "access-control-";

/// A function URL.
#[derive(Debug)]
pub(crate) struct Destination {
    /// Without a slash at its end.
    base: String,
    region: String,
}

impl Destination {
    /// Reads a function URL; `option` names it in errors. Its Region stands in it, unless told otherwise.
    pub(crate) fn new(option: &str, url: &str, region: Option<&str>) -> Result<Self, Failure> {
        let wrong = |reason: &str| Failure::Input(format!("error: {option} {url}: {reason}"));
        let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
        let host = uri.host().ok_or_else(|| wrong("it is written https://ID.lambda-url.REGION.on.aws/"))?;
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback(host) => {}
            _ => return Err(wrong("it begins with https://: signed requests are not sent in the open")),
        }
        let region = region.or_else(|| region_in(host));
        let region = region.ok_or_else(|| wrong("no Region stands in it; --region names one"))?.to_owned();
        if uri.query().is_some() {
            return Err(wrong("it has no query"));
        }
        Ok(Self { base: url.trim_end_matches('/').to_owned(), region })
    }

    /// Where it is.
    pub(super) fn region(&self) -> &str {
        &self.region
    }
}

/// `ID.lambda-url.REGION.on.aws`.
fn region_in(host: &str) -> Option<&str> {
    let (_, rest) = host.split_once(".lambda-url.")?;
    rest.strip_suffix(".on.aws").filter(|region| !region.is_empty() && !region.contains('.'))
}

/// How credentials are asked for over HTTP: by the one TLS stack there is.
pub(crate) fn sdk_http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// The way to function URLs.
pub(crate) struct Upstream {
    connector: Connector,
}

impl Upstream {
    /// No connection is open yet.
    pub(crate) fn new() -> Self {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .build();
        let connector = Connector::builder()
            .connector_settings(settings)
            .sleep_impl(TokioSleep::new())
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .build();
        Self { connector }
    }

    /// Signs a request, passes it on, and returns the answer as far as it is the client's business.
    pub(crate) async fn send(
        &self,
        destination: &Destination,
        head: &Parts,
        body: &[u8],
        credentials: Credentials,
    ) -> Result<Response<SdkBody>, Refusal> {
        let request = signed(destination, head, body, credentials)?;
        let unreachable = |reason: String| Refusal::Unreachable { url: destination.base.clone(), reason };
        let request = request.try_into().map_err(|error| Refusal::Unsendable(format!("{error}")))?;
        let answer = self.connector.call(request).await.map_err(|error| unreachable(innermost(&error)))?;
        let mut answer = answer.try_into_http1x().map_err(|error| unreachable(innermost(&error)))?;
        drop_connection_headers(answer.headers_mut());
        Ok(answer)
    }
}

fn signed(
    destination: &Destination,
    head: &Parts,
    body: &[u8],
    credentials: Credentials,
) -> Result<http::Request<SdkBody>, Refusal> {
    let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
    let uri = format!("{}{path}", destination.base);
    let mut request = http::Request::builder().method(head.method.clone()).uri(&uri);
    for name in &KEPT {
        if let Some(value) = head.headers.get(name) {
            request = request.header(name, value);
        }
    }
    let unsendable = |error: &dyn Error| Refusal::Unsendable(error.to_string());
    let mut request = request.body(SdkBody::from(body)).map_err(|error| unsendable(&error))?;
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| Ok((name.as_str(), value.to_str()?)));
    let headers: Vec<_> =
        headers.collect::<Result<_, http::header::ToStrError>>().map_err(|error| unsendable(&error))?;
    let signable =
        SignableRequest::new(head.method.as_str(), uri, headers.into_iter(), SignableBody::Bytes(body));
    let signable = signable.map_err(|error| unsendable(&error))?;
    let identity = Identity::from(credentials);
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&destination.region)
        .name(SERVICE)
        .time(clock::now().into())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| unsendable(&error))?;
    let signature = sign(signable, &parameters.into()).map_err(|error| unsendable(&error))?;
    signature.into_parts().0.apply_to_request_http1x(&mut request);
    Ok(request)
}

fn drop_connection_headers(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let goes = |name: &str| {
        HOP_BY_HOP.contains(&name) || name.starts_with(CORS) || named.iter().any(|other| other == name)
    };
    let gone: Vec<HeaderName> = headers.keys().filter(|name| goes(name.as_str())).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

fn innermost(error: &dyn Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_stands_in_the_url() {
        let url = "https://abc.lambda-url.eu-central-1.on.aws/";
        let here = Destination::new("--read-url", url, None).expect("a function URL");
        assert_eq!((here.base.as_str(), here.region()), (&url[..url.len() - 1], "eu-central-1"));
        let told =
            Destination::new("--read-url", "https://api.example.com", Some("us-east-1")).expect("a URL");
        assert_eq!(told.region(), "us-east-1");
    }

    #[test]
    fn a_url_that_cannot_be_signed_for_is_refused() {
        for (url, why) in [
            ("https://api.example.com", "--region"),
            ("http://abc.lambda-url.eu-central-1.on.aws", "https://"),
            ("https://abc.lambda-url.eu-central-1.on.aws?a=b", "query"),
            ("nonsense", "--control-url nonsense"),
        ] {
            let error = Destination::new("--control-url", url, None).expect_err(url).to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn what_is_about_one_connection_ends_with_it() {
        let headers = [
            ("connection", "x-hop, close"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("access-control-allow-origin", "*"),
            ("content-type", "text/csv"),
        ];
        let mut headers: HeaderMap = headers
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), http::HeaderValue::from_static(value)))
            .collect();
        drop_connection_headers(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["content-type"]);
    }
}
