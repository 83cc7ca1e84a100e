//! What the filters of both lists of automations have in common.

use fleetwright_wire::ServiceError;
use jiff::Timestamp;

/// The time that is the first value of a filter.
pub(crate) fn moment(key: &str, values: &[String]) -> Result<Timestamp, ServiceError> {
    let time = values.first().and_then(|value| value.parse().ok());
    time.ok_or_else(|| ServiceError::invalid_filter_value(format!("{key}: not a time in ISO 8601")))
}
