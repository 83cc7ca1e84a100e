//! Moments inside the model: milliseconds since 1970, as fine as SSM tells them.

use fleetwright_wire::EpochSeconds;
use jiff::Timestamp;

/// The moment of a number of milliseconds; beyond the calendar, its end.
pub(super) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

/// As a response tells it.
pub(super) const fn epoch(millis: i64) -> EpochSeconds {
    EpochSeconds::from_millis(millis)
}

/// As notifications tell it: UTC, as many digits of the fraction as it has (`17:57:09.17Z`).
pub(super) fn iso(millis: i64) -> String {
    timestamp(millis).to_string()
}

/// As the envelope of an event tells it: whole seconds.
pub(super) fn iso_seconds(millis: i64) -> String {
    timestamp(millis.div_euclid(1000) * 1000).to_string()
}

/// As GetCommandInvocation tells a time taken: `PT1H0.271S`.
pub(super) fn elapsed(millis: i64) -> String {
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, fraction) = (millis / 1000 % 60, millis % 1000);
    let mut text = "PT".to_owned();
    if hours > 0 {
        text.push_str(&format!("{hours}H"));
    }
    if minutes > 0 {
        text.push_str(&format!("{minutes}M"));
    }
    text.push_str(&format!("{seconds}"));
    if fraction > 0 {
        text.push_str(format!(".{fraction:03}").trim_end_matches('0'));
    }
    text.push('S');
    text
}

/// Whole seconds as milliseconds, short of overflow.
pub(super) const fn seconds(seconds: i64) -> i64 {
    seconds.saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_look_as_in_the_samples() {
        assert_eq!(iso(1_556_215_029_170), "2019-04-25T17:57:09.17Z");
        assert_eq!(iso(1_556_215_029_236), "2019-04-25T17:57:09.236Z");
        assert_eq!(iso_seconds(1_720_648_292_049), "2024-07-10T21:51:32Z");
        assert_eq!(elapsed(3_600_271), "PT1H0.271S");
        assert_eq!(elapsed(0), "PT0S");
        assert_eq!(elapsed(65_100), "PT1M5.1S");
    }
}
