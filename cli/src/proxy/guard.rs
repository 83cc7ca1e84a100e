//! Who may ask, and for what: the proxy's port is open to every program and every page in a browser of this machine.

use super::refusal::Refusal;
use crate::client::is_loopback;
use fleetwright_wire::Endpoint;
use http::HeaderMap;
use http::header::{HOST, HeaderName, ORIGIN};
use http::uri::Authority;

/// The header that names an operation (AWS JSON 1.1 protocol).
pub(super) const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// Refuses what a page of another site could send: one whose name was made to point here (its Host is foreign), and one
/// that posts across sites (its Origin is).
pub(super) fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    let host = text(HOST).and_then(|host| host.parse::<Authority>().ok());
    let host = host.filter(|host| is_loopback(host.host())).ok_or(Refusal::ForeignHost)?;
    match headers.get(ORIGIN) {
        Some(origin) if *origin != format!("http://{host}") => Err(Refusal::ForeignOrigin),
        Some(_) | None => Ok(()),
    }
}

/// The endpoint a request is for.
pub(super) fn endpoint(headers: &HeaderMap) -> Endpoint {
    Endpoint::of(headers.get(TARGET).and_then(|target| target.to_str().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(&'static str, &'static str)]) -> HeaderMap {
        given
            .iter()
            .map(|(name, value)| ((*name).parse().expect("a name"), value.parse().expect("a value")))
            .collect()
    }

    #[test]
    fn this_machine_may_ask_by_any_of_its_names() {
        for host in ["127.0.0.1:4567", "localhost:4567", "[::1]:4567", "LOCALHOST"] {
            assert!(check(&headers(&[("host", host)])).is_ok(), "{host}");
        }
        let own = headers(&[("host", "localhost:4567"), ("origin", "http://localhost:4567")]);
        assert!(check(&own).is_ok());
    }

    #[test]
    fn pages_of_other_sites_may_not() {
        for host in
            ["evil.example", "evil.example:4567", "127.0.0.1.evil.example", "localhost@evil.example", ""]
        {
            assert!(matches!(check(&headers(&[("host", host)])), Err(Refusal::ForeignHost)), "{host}");
        }
        assert!(matches!(check(&HeaderMap::new()), Err(Refusal::ForeignHost)));
        for origin in ["https://evil.example", "null", "http://localhost:9999"] {
            let foreign = headers(&[("host", "localhost:4567"), ("origin", origin)]);
            assert!(matches!(check(&foreign), Err(Refusal::ForeignOrigin)), "{origin}");
        }
    }
}
