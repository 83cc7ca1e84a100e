//! Words and numbers as people read them.

use fleetwright_fleet::{Counts, Outcome};
use jiff::{SignedDuration, Timestamp};

/// Outcomes as a table has them: well, then badly, then open.
pub(crate) const OUTCOMES: [Outcome; 5] =
    [Outcome::Success, Outcome::Failed, Outcome::TimedOut, Outcome::Unknown, Outcome::NotRun];

/// An outcome in a word.
pub(crate) const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "ok",
        Outcome::Failed => "failed",
        Outcome::TimedOut => "timed out",
        Outcome::Unknown => "unknown",
        Outcome::NotRun => "not run",
    }
}

/// `112 ok, 6 failed`, or `none yet`.
pub(crate) fn counts(counts: Counts) -> String {
    let some = OUTCOMES.into_iter().filter(|outcome| counts.of(*outcome) > 0);
    let parts: Vec<String> =
        some.map(|outcome| format!("{} {}", counts.of(outcome), word(outcome))).collect();
    if parts.is_empty() { "none yet".to_owned() } else { parts.join(", ") }
}

/// `1 node`, `2 nodes`.
pub(crate) fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{} {noun}s", grouped(count)) }
}

/// `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0.8 s`, `42 s`, `6 m 12 s`, `1 h 04 m`, `3 d 02 h`.
pub(crate) fn duration(duration: SignedDuration) -> String {
    let ms = duration.as_millis().max(0);
    let s = (ms + 500) / 1000;
    match s {
        0..10 if ms < 9950 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        0..60 => format!("{s} s"),
        60..3600 => format!("{} m {:02} s", s / 60, s % 60),
        3600..86_400 => format!("{} h {:02} m", s / 3600, s % 3600 / 60),
        _ => format!("{} d {:02} h", s / 86_400, s % 86_400 / 3600),
    }
}

/// The time of day.
pub(crate) fn clock(at: Timestamp) -> String {
    at.strftime("%H:%M:%S").to_string()
}

/// The first characters, with a mark if there were more. Characters that steer a terminal become spaces.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if text.chars().count() <= max {
        plain.collect()
    } else {
        plain.take(max.saturating_sub(1)).chain(['…']).collect()
    }
}

/// A line in pieces of at most `width` characters, broken at spaces where there are some.
pub(crate) fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest: Vec<char> = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    while rest.len() > width {
        let space = rest.iter().take(width + 1).rposition(|c| *c == ' ').filter(|at| *at > width / 2);
        let tail = rest.split_off(space.unwrap_or(width));
        pieces.push(rest.into_iter().collect::<String>().trim_end().to_owned());
        rest = tail.into_iter().skip(usize::from(space.is_some())).collect();
    }
    pieces.push(rest.into_iter().collect());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_exact_as_they_are_short() {
        for (ms, text) in [
            (-5, "0.0 s"),
            (840, "0.8 s"),
            (9_960, "10 s"),
            (41_600, "42 s"),
            (59_700, "1 m 00 s"),
            (372_000, "6 m 12 s"),
            (3_840_000, "1 h 04 m"),
            (266_400_000, "3 d 02 h"),
        ] {
            assert_eq!(duration(SignedDuration::from_millis(ms)), text);
        }
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn what_is_cut_keeps_its_width_and_steers_no_terminal() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("a\u{1b}[31m\tb", 9), "a [31m b");
    }

    #[test]
    fn lines_break_at_spaces_and_lose_nothing_else() {
        assert_eq!(wrap("short", 8), ["short"]);
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("onetwothree", 8), ["onetwoth", "ree"]);
        assert_eq!(wrap("", 8), [""]);
    }
}
