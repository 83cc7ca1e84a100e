//! What the filters of all lists have in common.

use crate::automation::required;
use fleetwright_wire::ServiceError;
use jiff::Timestamp;

/// Values of a filter, and characters of a value (SSM API reference, AutomationExecutionFilter and StepExecutionFilter).
const VALUES_MAX: usize = 10;
const VALUE_CHARS_MAX: usize = 150;

/// Key and values of a filter, of which there is at least one.
pub(crate) fn read(
    key: Option<String>,
    values: Option<Vec<String>>,
) -> Result<(String, Vec<String>), ServiceError> {
    let key = required(key, "filters.member.key")?;
    let values = required(values, "filters.member.values")?;
    let fits = |value: &String| (1..=VALUE_CHARS_MAX).contains(&value.chars().count());
    if values.is_empty() || values.len() > VALUES_MAX || !values.iter().all(fits) {
        return Err(ServiceError::validation(format!(
            "1 validation error detected: Value at 'filters.member.values' failed to satisfy constraint: 1 to \
             {VALUES_MAX} values of length 1 to {VALUE_CHARS_MAX}"
        )));
    }
    Ok((key, values))
}

/// The time that is the first value of a filter.
pub(crate) fn moment(key: &str, values: &[String]) -> Result<Timestamp, ServiceError> {
    let time = values.first().and_then(|value| value.parse().ok());
    time.ok_or_else(|| ServiceError::invalid_filter_value(format!("{key}: not a time in ISO 8601")))
}
