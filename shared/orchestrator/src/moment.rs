//! Moments as SSM's JSON carries them.

use aws_sdk_ssm::primitives::DateTime;
use jiff::Timestamp;

const NANOS_PER_MS: i128 = 1_000_000;

/// The millisecond SSM means. It comes as a fraction of seconds in binary, which is a little off: cut, it would be the
/// one before.
pub(crate) fn moment(at: &DateTime) -> Option<Timestamp> {
    let ms = (at.as_nanos() + NANOS_PER_MS / 2).div_euclid(NANOS_PER_MS);
    Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_millisecond_survives_its_way_through_binary_fractions() {
        for ms in [1_763_728_800_777_i64, 1_763_728_800_001, 1_763_728_800_999, 0, -1] {
            #[expect(clippy::cast_precision_loss, reason = "as the wire does")]
            let at = DateTime::from_secs_f64(ms as f64 / 1000.0);
            assert_eq!(moment(&at).map(Timestamp::as_millisecond), Some(ms));
        }
    }
}
