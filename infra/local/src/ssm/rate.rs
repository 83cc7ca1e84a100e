//! MaxConcurrency and MaxErrors.

/// A number of nodes, or a percentage of the targets (SSM API reference, SendCommand).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many.
    Count(u32),
    /// So many in a hundred.
    Percent(u32),
}

impl Limit {
    /// MaxConcurrency: `^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$`, 1 to 7 characters.
    pub fn concurrency(text: &str) -> Option<Self> {
        Self::errors(text).filter(|limit| !matches!(limit, Self::Count(0) | Self::Percent(0)))
    }

    /// MaxErrors: `^([1-9][0-9]*|[0]|[1-9][0-9]%|[0-9]%|100%)$`, 1 to 7 characters.
    pub fn errors(text: &str) -> Option<Self> {
        if text.len() > 7 {
            return None;
        }
        let (digits, percent) = match text.strip_suffix('%') {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        let written = digits == "0" || (!digits.starts_with('0') && !digits.is_empty());
        if !written || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = digits.parse().ok()?;
        match percent {
            true => (number <= 100).then_some(Self::Percent(number)),
            false => Some(Self::Count(number)),
        }
    }

    /// Of so many targets, rounded down (the documents don't say; a record in the field behaved so).
    pub fn of(self, targets: u32) -> u32 {
        match self {
            Self::Count(count) => count,
            Self::Percent(percent) => {
                u32::try_from(u64::from(targets) * u64::from(percent) / 100).unwrap_or(targets)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_as_the_api_reference_says() {
        for (text, concurrency, errors) in [
            ("50", Some(Limit::Count(50)), Some(Limit::Count(50))),
            ("0", None, Some(Limit::Count(0))),
            ("0%", None, Some(Limit::Percent(0))),
            ("10%", Some(Limit::Percent(10)), Some(Limit::Percent(10))),
            ("100%", Some(Limit::Percent(100)), Some(Limit::Percent(100))),
            ("101%", None, None),
            ("05", None, None),
            ("", None, None),
            ("%", None, None),
            ("-1", None, None),
            ("12345678", None, None),
            ("ten", None, None),
        ] {
            assert_eq!(Limit::concurrency(text), concurrency, "{text}");
            assert_eq!(Limit::errors(text), errors, "{text}");
        }
        assert_eq!(Limit::Percent(10).of(50), 5);
        assert_eq!(Limit::Percent(2).of(38), 0);
    }
}
