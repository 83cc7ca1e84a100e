use jiff::{SignedDuration, Span, SpanRelativeTo, fmt::temporal::SpanParser};

/// The longest `aws:sleep` (SSM User Guide, automation-action-sleep: 604799 seconds, a week less one).
pub const SLEEP_MAX: SignedDuration = SignedDuration::from_secs(604_799);

/// Reads an ISO 8601 duration that `aws:sleep` takes: days of 24 hours, nothing negative, at most a week.
/// Months and years have no length and are refused.
pub(crate) fn parse(text: &str) -> Option<SignedDuration> {
    // Text of the form `10 minutes` is jiff's own; only the ISO parser is asked.
    let span: Span = SpanParser::new().parse_span(text.trim()).ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (SignedDuration::ZERO..=SLEEP_MAX).contains(&duration).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_iso_8601_within_a_week() {
        let table = [
            ("PT0S", Some(0)),
            ("PT10S", Some(10)),
            ("PT1M", Some(60)),
            ("PT1H30M", Some(5_400)),
            ("P1D", Some(86_400)),
            ("P1DT1S", Some(86_401)),
            ("PT604799S", Some(604_799)),
            ("PT604800S", None),
            ("P7D", None),
            ("-PT1S", None),
            ("P1M", None),
            ("P1Y", None),
            ("10 minutes", None),
            ("10", None),
            ("PT", None),
            ("", None),
        ];
        for (text, seconds) in table {
            assert_eq!(parse(text), seconds.map(SignedDuration::from_secs), "{text}");
        }
    }
}
