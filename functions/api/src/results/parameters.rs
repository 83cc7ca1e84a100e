//! Query strings. Whatever is wrong is said of a parameter by its name.

use crate::page;
use fleetwright_wire::ServiceError;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// No parameters at all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct None {}

pub(super) fn read<T: DeserializeOwned>(query: &str) -> Result<T, ServiceError> {
    let unreadable = |error: serde_html_form::de::Error| ServiceError::validation(error.to_string());
    let pairs: Vec<(String, String)> = serde_html_form::from_str(query).map_err(unreadable)?;
    let mut names = BTreeSet::new();
    if let Some((twice, _)) = pairs.iter().find(|(name, _)| !names.insert(name)) {
        return Err(ServiceError::validation(format!("the query parameter `{twice}` stands there twice")));
    }
    // serde names the parameter, and those there are; its word for them is another.
    serde_html_form::from_str(query)
        .map_err(|error| ServiceError::validation(error.to_string().replacen("field", "query parameter", 1)))
}

pub(super) fn wrong(parameter: &str, value: &str, expected: &str) -> ServiceError {
    ServiceError::validation(format!("{parameter}: \"{value}\" is not {expected}"))
}

/// How many: from 1 to the most.
pub(super) fn limit(text: Option<&str>, usual: u32, most: u32) -> Result<u32, ServiceError> {
    let Some(text) = text else { return Ok(usual) };
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| wrong("limit", text, &format!("a number from 1 to {most}")))
}

pub(super) fn moment(parameter: &str, text: Option<&str>) -> Result<Option<Timestamp>, ServiceError> {
    let moment = |text: &str| {
        let expected = "a moment of RFC 3339, such as 2026-03-14T02:00:00Z";
        text.parse().map_err(|_| wrong(parameter, text, expected))
    };
    text.map(moment).transpose()
}

/// The place a token stands for; it is good for the same request only, but for its limit.
pub(super) fn place<T: DeserializeOwned>(text: Option<&str>, scope: &str) -> Result<Option<T>, ServiceError> {
    page::read(text, scope).map_err(|error| {
        let message = "next: it is not a token that this request was answered with";
        ServiceError { message: message.to_owned(), ..error }
    })
}

/// The token of a place.
pub(super) fn token(place: &impl serde::Serialize, scope: &str) -> Result<String, ServiceError> {
    let place = serde_json::to_value(place)
        .map_err(|error| ServiceError::internal_server_error(error.to_string()))?;
    Ok(page::write(&place, scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        status: Option<String>,
        limit: Option<String>,
    }

    #[test]
    fn what_is_wrong_with_a_query_names_the_parameter() {
        let sample: Sample = read("status=Failed%2CUnknown&limit=3").expect("readable");
        assert_eq!(sample.status.as_deref(), Some("Failed,Unknown"));
        assert_eq!(limit(sample.limit.as_deref(), 50, 100).expect("a limit"), 3);
        for (query, named) in [("colour=red", "`colour`"), ("limit=1&limit=2", "`limit`"), ("a", "`a`")] {
            let error = read::<Sample>(query).expect_err(query);
            assert!(error.message.contains(named), "{query}: {error}");
            assert!(error.message.contains("query parameter"), "{query}: {error}");
        }
        for text in ["0", "101", "-1", "many", "1.5"] {
            let error = limit(Some(text), 50, 100).expect_err(text);
            assert_eq!(error.message, format!("limit: \"{text}\" is not a number from 1 to 100"));
        }
        let error = moment("after", Some("yesterday")).expect_err("no moment");
        assert!(error.message.starts_with("after: \"yesterday\""), "{error}");
    }
}
