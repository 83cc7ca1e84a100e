//! Timestamps of the JSON 1.1 protocol.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment as JSON 1.1 writes it: seconds since 1970 as a number with a fraction. SSM keeps milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EpochSeconds {
    millis: i64,
}

impl EpochSeconds {
    /// From milliseconds since 1970.
    pub const fn from_millis(millis: i64) -> Self {
        Self { millis }
    }

    /// Milliseconds since 1970.
    pub const fn as_millis(self) -> i64 {
        self.millis
    }
}

impl Serialize for EpochSeconds {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of any year SSM knows fit 53 bits")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.millis as f64 / 1000.0)
    }
}

impl<'de> Deserialize<'de> for EpochSeconds {
    #[expect(clippy::cast_possible_truncation, reason = "a float beyond i64 becomes its nearest end")]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Ok(Self { millis: (seconds * 1000.0).round() as i64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_survive() -> Result<(), serde_json::Error> {
        for (millis, text) in
            [(1_550_173_814_717, "1550173814.717"), (0, "0.0"), (1_000, "1.0"), (-500, "-0.5")]
        {
            let moment = EpochSeconds::from_millis(millis);
            assert_eq!(serde_json::to_string(&moment)?, text);
            assert_eq!(serde_json::from_str::<EpochSeconds>(text)?, moment);
        }
        assert_eq!(serde_json::from_str::<EpochSeconds>("1550173814")?.as_millis(), 1_550_173_814_000);
        Ok(())
    }
}
