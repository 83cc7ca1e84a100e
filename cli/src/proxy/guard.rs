//! Who may ask, and for what: the proxy's port is open to every program and every page in a browser of this machine.

use super::refusal::Refusal;
use crate::client::is_loopback;
use http::HeaderMap;
use http::header::{HOST, HeaderName, ORIGIN};
use http::uri::Authority;

/// What makes SSM do something; all other operations read.
const CONTROLS: [&str; 5] = [
    "CancelCommand",
    "SendAutomationSignal",
    "SendCommand",
    "StartAutomationExecution",
    "StopAutomationExecution",
];

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

/// Whether a request is for the endpoint that controls.
pub(super) fn controls(headers: &HeaderMap) -> bool {
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok());
    let operation = target.and_then(|target| target.rsplit('.').next());
    operation.is_some_and(|operation| CONTROLS.contains(&operation))
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

    #[test]
    fn what_does_something_goes_to_the_control_endpoint() {
        for (target, control) in [
            ("AmazonSSM.SendCommand", true),
            ("AmazonSSM.CancelCommand", true),
            ("AmazonSSM.StartAutomationExecution", true),
            ("AmazonSSM.StopAutomationExecution", true),
            ("AmazonSSM.SendAutomationSignal", true),
            ("AmazonSSM.ListCommands", false),
            ("AmazonSSM.SendCommandX", false),
        ] {
            assert_eq!(controls(&headers(&[("x-amz-target", target)])), control, "{target}");
        }
        assert!(!controls(&HeaderMap::new()));
    }
}
