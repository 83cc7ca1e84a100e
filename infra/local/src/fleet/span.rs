//! The values of a fleet file that people write as text: durations, ranges, shares.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// A duration to draw from, in milliseconds, both ends included. Written `90`, `90s`, `20s..2m`, `1h`, `250ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    from: i64,
    to: i64,
}

impl Span {
    /// Always zero.
    pub const ZERO: Self = Self { from: 0, to: 0 };

    /// Between two numbers of milliseconds; the order doesn't matter, what is negative counts as zero.
    pub const fn millis(from: i64, to: i64) -> Self {
        let (from, to) = if from <= to { (from, to) } else { (to, from) };
        Self { from: if from < 0 { 0 } else { from }, to: if to < 0 { 0 } else { to } }
    }

    /// Between two numbers of seconds.
    pub const fn seconds(from: i64, to: i64) -> Self {
        Self::millis(from.saturating_mul(1000), to.saturating_mul(1000))
    }

    /// One duration of it, in milliseconds.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> i64 {
        if self.from == self.to { self.from } else { rng.random_range(self.from..=self.to) }
    }

    /// The longest, in milliseconds.
    pub const fn longest(&self) -> i64 {
        self.to
    }
}

/// A number to draw from, both ends included. Written `4` or `2..9`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    from: u32,
    to: u32,
}

impl Range {
    /// Between two numbers; the order doesn't matter.
    pub const fn new(from: u32, to: u32) -> Self {
        if from <= to { Self { from, to } } else { Self { from: to, to: from } }
    }

    /// One number of it.
    pub fn draw(&self, rng: &mut ChaCha8Rng) -> u32 {
        if self.from == self.to { self.from } else { rng.random_range(self.from..=self.to) }
    }
}

/// A part of a whole, 0 to 1. Written `4%`, `0.5%` or `0.04`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// From a fraction; what lies outside 0 to 1 counts as the nearer end.
    pub fn new(fraction: f64) -> Self {
        Self(if fraction.is_nan() { 0.0 } else { fraction.clamp(0.0, 1.0) })
    }

    /// As a fraction.
    pub const fn fraction(self) -> f64 {
        self.0
    }

    /// Whether a draw falls into it.
    pub fn hits(self, rng: &mut ChaCha8Rng) -> bool {
        self.0 > 0.0 && rng.random_range(0.0..1.0) < self.0
    }
}

/// What reads one of these from a number or a text.
trait Written: Sized {
    const EXPECTED: &'static str;
    fn from_number(number: f64) -> Option<Self>;
    fn from_text(text: &str) -> Option<Self>;
}

impl Written for Span {
    const EXPECTED: &'static str = "a duration such as 90s, 20s..2m or 1h";

    fn from_number(number: f64) -> Option<Self> {
        let millis = millis_of(number, 1000.0)?;
        Some(Self { from: millis, to: millis })
    }

    fn from_text(text: &str) -> Option<Self> {
        let (from, to) = ends(text);
        let (from, to) = (duration(from)?, duration(to)?);
        (from <= to).then_some(Self { from, to })
    }
}

impl Written for Range {
    const EXPECTED: &'static str = "a whole number or a range such as 2..9";

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a whole number of u32"
    )]
    fn from_number(number: f64) -> Option<Self> {
        let whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
        whole.then_some(Self { from: number as u32, to: number as u32 })
    }

    fn from_text(text: &str) -> Option<Self> {
        let (from, to) = ends(text);
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        (from <= to).then_some(Self { from, to })
    }
}

impl Written for Share {
    const EXPECTED: &'static str = "a share such as 4% or 0.04";

    fn from_number(number: f64) -> Option<Self> {
        (0.0..=1.0).contains(&number).then_some(Self(number))
    }

    fn from_text(text: &str) -> Option<Self> {
        match text.strip_suffix('%') {
            Some(percent) => Self::from_number(percent.trim().parse::<f64>().ok()? / 100.0),
            None => Self::from_number(text.parse().ok()?),
        }
    }
}

/// The two ends of `a..b`, or `a` twice.
fn ends(text: &str) -> (&str, &str) {
    match text.split_once("..") {
        Some((from, to)) => (from.trim(), to.trim()),
        None => (text.trim(), text.trim()),
    }
}

/// A duration such as `250ms`, `90s`, `2m`, `1h` or `90`, in milliseconds.
fn duration(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let scale = match unit.trim() {
        "ms" => 1.0,
        "" | "s" => 1000.0,
        "m" | "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => return None,
    };
    millis_of(number.parse().ok()?, scale)
}

/// At most a year, so that sums stay far from the ends of time.
#[expect(clippy::cast_possible_truncation, reason = "checked to be within a year")]
fn millis_of(number: f64, scale: f64) -> Option<i64> {
    let millis = (number * scale).round();
    (0.0..=31_622_400_000.0).contains(&millis).then_some(millis as i64)
}

struct Reader<T>(PhantomData<T>);

impl<T: Written> Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text.trim()).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::from_number(number).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of that size are refused")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::from_number(number as f64).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }
}

macro_rules! written {
    ($($kind:ident)*) => { $(
        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(Reader::<Self>(PhantomData))
            }
        }
    )* };
}

written! { Span Range Share }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read() {
        for (text, from, to) in [("90s", 90_000, 90_000), ("20s..2m", 20_000, 120_000), ("250ms", 250, 250)] {
            assert_eq!(Span::from_text(text), Some(Span { from, to }), "{text}");
        }
        for text in ["", "s", "2m..1s", "-3s", "3 weeks", "..", "1s.."] {
            assert_eq!(Span::from_text(text), None, "{text}");
        }
        assert_eq!(Range::from_text("2..9"), Some(Range { from: 2, to: 9 }));
        assert_eq!(Range::from_text("9..2"), None);
        assert_eq!(Share::from_text("0.5%"), Some(Share(0.005)));
        assert_eq!(Share::from_text("101%"), None);
    }
}
