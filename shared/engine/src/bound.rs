//! MaxConcurrency and MaxErrors.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A number of targets, or a share of them (SSM API reference, SendCommand.MaxConcurrency and MaxErrors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Bound {
    /// So many.
    Count(u64),
    /// So many in a hundred of the targets, 0 to 100.
    Percent(u8),
}

/// A text that is no bound.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is neither a number nor a percentage up to 100%")]
pub struct InvalidBound(String);

impl Bound {
    /// How many of `targets` that is. Percentages round down: SSM does not say how it rounds; what evidence there is
    /// speaks for the floor.
    #[must_use]
    pub const fn of(self, targets: u64) -> u64 {
        match self {
            Self::Count(count) => count,
            Self::Percent(share) => targets * share as u64 / 100,
        }
    }
}

impl FromStr for Bound {
    type Err = InvalidBound;
    fn from_str(text: &str) -> Result<Self, InvalidBound> {
        let invalid = || InvalidBound(text.to_owned());
        let digits = text.strip_suffix('%').unwrap_or(text);
        // At most 7 characters by the API's pattern, so the number always fits.
        if digits.is_empty() || text.len() > 7 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        let number: u64 = digits.parse().map_err(|_| invalid())?;
        match (text.ends_with('%'), u8::try_from(number)) {
            (false, _) => Ok(Self::Count(number)),
            (true, Ok(share)) if share <= 100 => Ok(Self::Percent(share)),
            (true, _) => Err(invalid()),
        }
    }
}

impl TryFrom<String> for Bound {
    type Error = InvalidBound;
    fn try_from(text: String) -> Result<Self, InvalidBound> {
        text.parse()
    }
}

impl From<Bound> for String {
    fn from(bound: Bound) -> Self {
        bound.to_string()
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(share) => write!(f, "{share}%"),
        }
    }
}
