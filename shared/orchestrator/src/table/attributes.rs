//! Reading and writing attribute values.

use crate::Error;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeSet, HashMap};

/// An item as DynamoDB answers it.
pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A moment, in milliseconds since 1970.
pub(crate) fn moment(at: Timestamp) -> AttributeValue {
    number(at.as_millisecond())
}

/// A value as JSON text.
pub(crate) fn json(value: &impl Serialize) -> Result<AttributeValue, Error> {
    serde_json::to_string(value).map(AttributeValue::S).map_err(|error| Error::Ours(error.to_string()))
}

/// A set of text; empty sets are not written.
pub(crate) fn texts(values: impl IntoIterator<Item = String>) -> Option<AttributeValue> {
    let values: Vec<String> = values.into_iter().collect();
    (!values.is_empty()).then_some(AttributeValue::Ss(values))
}

/// Reads attributes of an item; what is missing or of another type is an [`Error::Unreadable`] that names it.
pub(crate) struct Reader<'a>(pub(crate) &'a Item);

impl Reader<'_> {
    pub(crate) fn unreadable(&self, name: &str) -> Error {
        let at = |key: &str| self.0.get(key).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
        Error::Unreadable(format!("item {} {}: attribute {name}", at("pk"), at("sk")))
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, Error> {
        self.maybe_text(name)?.ok_or_else(|| self.unreadable(name))
    }

    pub(crate) fn maybe_text(&self, name: &str) -> Result<Option<&str>, Error> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        value.as_s().map(|text| Some(text.as_str())).map_err(|_| self.unreadable(name))
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, Error> {
        let value = self.0.get(name).and_then(|value| value.as_n().ok());
        value.and_then(|value| value.parse().ok()).ok_or_else(|| self.unreadable(name))
    }

    pub(crate) fn maybe_number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Error> {
        if self.0.contains_key(name) { self.number(name).map(Some) } else { Ok(None) }
    }

    pub(crate) fn moment(&self, name: &str) -> Result<Timestamp, Error> {
        let ms: i64 = self.number(name)?;
        Timestamp::from_millisecond(ms).map_err(|_| self.unreadable(name))
    }

    pub(crate) fn maybe_moment(&self, name: &str) -> Result<Option<Timestamp>, Error> {
        if self.0.contains_key(name) { self.moment(name).map(Some) } else { Ok(None) }
    }

    pub(crate) fn moments(&self, name: &str) -> Result<BTreeSet<Timestamp>, Error> {
        let Some(values) = self.0.get(name) else { return Ok(BTreeSet::new()) };
        let values = values.as_ns().map_err(|_| self.unreadable(name))?;
        let moment = |text: &String| {
            text.parse()
                .ok()
                .and_then(|ms| Timestamp::from_millisecond(ms).ok())
                .ok_or_else(|| self.unreadable(name))
        };
        values.iter().map(moment).collect()
    }

    pub(crate) fn texts(&self, name: &str) -> Result<BTreeSet<String>, Error> {
        let Some(values) = self.0.get(name) else { return Ok(BTreeSet::new()) };
        Ok(values.as_ss().map_err(|_| self.unreadable(name))?.iter().cloned().collect())
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        let Some(value) = self.0.get(name) else { return Ok(false) };
        value.as_bool().copied().map_err(|_| self.unreadable(name))
    }

    /// A set of what a text can be read as: one that cannot is not left out.
    pub(crate) fn parsed<T: Ord>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<BTreeSet<T>, Error> {
        self.texts(name)?.iter().map(|text| parse(text).ok_or_else(|| self.unreadable(name))).collect()
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        serde_json::from_str(self.text(name)?).map_err(|_| self.unreadable(name))
    }

    pub(crate) fn maybe_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        if self.0.contains_key(name) { self.json(name).map(Some) } else { Ok(None) }
    }

    /// Whether the item has outlived its time, and only waits to be removed.
    pub(crate) fn is_expired(&self, now: Timestamp) -> Result<bool, Error> {
        let expires: Option<i64> = self.maybe_number(super::schema::EXPIRES)?;
        Ok(expires.is_some_and(|at| at <= now.as_second()))
    }

    /// Fails on an item of a layout this release does not know.
    pub(crate) fn check_schema(&self) -> Result<(), Error> {
        let version: u32 = self.number(super::schema::SCHEMA_VERSION)?;
        if version == super::schema::SCHEMA {
            Ok(())
        } else {
            Err(self.unreadable(super::schema::SCHEMA_VERSION))
        }
    }
}
