//! An UpdateItem in the making: names through `#`, values through `:`, nothing from an event's text.

use super::Table;
use super::attributes::{Item, Reader, number};
use super::schema::{self, EXPIRES, SCHEMA_VERSION};
use crate::back_off::CALLS_MAX;
use crate::{Error, Operation};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure, Update as TransactUpdate,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

/// How an update with a condition ended.
#[derive(Debug)]
pub(crate) enum Updated {
    /// Applied; the item after it, empty if nobody was to read it.
    Applied(Item),
    /// The condition did not hold; the item as it is, if there is one.
    Refused(Option<Item>),
}

#[derive(Debug, Default)]
pub(crate) struct Update {
    pk: String,
    sk: String,
    set: Vec<String>,
    add: Vec<String>,
    remove: Vec<String>,
    conditions: Vec<String>,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    /// Nobody reads the item after it.
    unread: bool,
}

impl Update {
    /// Of an item of this layout, or of none: whichever write makes an item gives it the version, and none touches an
    /// item of another one.
    pub(crate) fn of(pk: &str, sk: &str) -> Self {
        let mut update = Self { pk: pk.to_owned(), sk: sk.to_owned(), ..Self::default() };
        let (key, version) = (update.name(schema::PK), update.name(SCHEMA_VERSION));
        let known = update.value(number(schema::SCHEMA));
        update.set.push(format!("{version} = {known}"));
        update.conditions.push(format!("(attribute_not_exists({key}) OR {version} = {known})"));
        update
    }

    fn name(&mut self, attribute: &str) -> String {
        let alias = format!("#{attribute}");
        self.names.insert(alias.clone(), attribute.to_owned());
        alias
    }

    fn value(&mut self, value: AttributeValue) -> String {
        let alias = format!(":v{}", self.values.len());
        self.values.insert(alias.clone(), value);
        alias
    }

    pub(crate) fn set(mut self, attribute: &str, value: AttributeValue) -> Self {
        let clause = format!("{} = {}", self.name(attribute), self.value(value));
        self.set.push(clause);
        self
    }

    pub(crate) fn set_once(mut self, attribute: &str, value: AttributeValue) -> Self {
        let name = self.name(attribute);
        let clause = format!("{name} = if_not_exists({name}, {})", self.value(value));
        self.set.push(clause);
        self
    }

    /// A key of a map attribute that exists.
    pub(crate) fn set_in(mut self, attribute: &str, key: &str, value: AttributeValue) -> Self {
        let alias = format!("#k{}", self.names.len());
        self.names.insert(alias.clone(), key.to_owned());
        let clause = format!("{}.{alias} = {}", self.name(attribute), self.value(value));
        self.set.push(clause);
        self
    }

    pub(crate) fn remove_in(mut self, attribute: &str, key: &str) -> Self {
        let alias = format!("#k{}", self.names.len());
        self.names.insert(alias.clone(), key.to_owned());
        let clause = format!("{}.{alias}", self.name(attribute));
        self.remove.push(clause);
        self
    }

    /// Unites a set.
    pub(crate) fn unite(mut self, attribute: &str, values: Option<AttributeValue>) -> Self {
        if let Some(values) = values {
            let clause = format!("{} {}", self.name(attribute), self.value(values));
            self.add.push(clause);
        }
        self
    }

    pub(crate) fn remove(mut self, attribute: &str) -> Self {
        let clause = self.name(attribute);
        self.remove.push(clause);
        self
    }

    /// When the item goes, set by whoever writes it first.
    pub(crate) fn living(self, retention_days: u32, now: Timestamp) -> Self {
        self.set_once(EXPIRES, expiry(retention_days, now))
    }

    pub(crate) fn if_equals(mut self, attribute: &str, value: AttributeValue) -> Self {
        let clause = format!("{} = {}", self.name(attribute), self.value(value));
        self.conditions.push(clause);
        self
    }

    pub(crate) fn if_differs(mut self, attribute: &str, value: AttributeValue) -> Self {
        let clause = format!("{} <> {}", self.name(attribute), self.value(value));
        self.conditions.push(clause);
        self
    }

    pub(crate) fn if_missing(mut self, attribute: &str) -> Self {
        let clause = format!("attribute_not_exists({})", self.name(attribute));
        self.conditions.push(clause);
        self
    }

    /// Keeps a guess from replacing what is known.
    pub(crate) fn set_known_or_guess(self, attribute: &str, value: AttributeValue, known: bool) -> Self {
        if known { self.set(attribute, value) } else { self.set_once(attribute, value) }
    }

    pub(crate) fn if_missing_or_equals(mut self, attribute: &str, value: AttributeValue) -> Self {
        let name = self.name(attribute);
        let clause = format!("(attribute_not_exists({name}) OR {name} = {})", self.value(value));
        self.conditions.push(clause);
        self
    }

    pub(crate) fn if_missing_or_less(mut self, attribute: &str, value: AttributeValue) -> Self {
        let name = self.name(attribute);
        let clause = format!("(attribute_not_exists({name}) OR {name} < {})", self.value(value));
        self.conditions.push(clause);
        self
    }

    pub(crate) fn if_exists(mut self) -> Self {
        let clause = format!("attribute_exists({})", self.name(schema::PK));
        self.conditions.push(clause);
        self
    }

    /// The answer shows no item: nobody reads it, and a large one takes its time.
    pub(crate) fn unread(self) -> Self {
        Self { unread: true, ..self }
    }

    fn expression(&self) -> String {
        let clause = |word: &str, parts: &[String]| {
            if parts.is_empty() { String::new() } else { format!("{word} {} ", parts.join(", ")) }
        };
        let text = format!(
            "{}{}{}",
            clause("SET", &self.set),
            clause("ADD", &self.add),
            clause("REMOVE", &self.remove)
        );
        text.trim_end().to_owned()
    }

    fn condition(&self) -> String {
        self.conditions.join(" AND ")
    }

    /// As part of a transaction; a failed condition shows the item.
    pub(crate) fn in_transaction(self, table: &Table) -> Result<TransactUpdate, Error> {
        let (expression, condition) = (self.expression(), self.condition());
        TransactUpdate::builder()
            .table_name(&table.name)
            .set_key(Some(schema::key(&self.pk, &self.sk)))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values(Some(self.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(|error| Error::Ours(error.to_string()))
    }

    /// By itself. A failed condition is an answer, not an error, unless the item is of another layout.
    ///
    /// Throttled, in conflict with a transaction, or without an answer, it is made again: every update here is a union,
    /// sets what it set before, or is refused by its own condition the second time.
    pub(crate) async fn apply(self, table: &Table) -> Result<Updated, Error> {
        for failures in 1..CALLS_MAX {
            match self.apply_once(table).await {
                Err(Error::Again(_)) => table.back_off.wait(failures).await,
                done => return done,
            }
        }
        self.apply_once(table).await
    }

    /// One call, whatever comes of it.
    pub(super) async fn apply_once(&self, table: &Table) -> Result<Updated, Error> {
        let (expression, condition) = (self.expression(), self.condition());
        let shown = if self.unread { ReturnValue::None } else { ReturnValue::AllNew };
        let sent = table
            .client
            .update_item()
            .table_name(&table.name)
            .set_key(Some(schema::key(&self.pk, &self.sk)))
            .update_expression(expression)
            .condition_expression(condition)
            .set_expression_attribute_names(Some(self.names.clone()))
            .set_expression_attribute_values(Some(self.values.clone()))
            .return_values(shown)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(answer) => Ok(Updated::Applied(answer.attributes.unwrap_or_default())),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    failed.item.as_ref().map_or(Ok(()), |item| Reader(item).check_schema())?;
                    Ok(Updated::Refused(failed.item.clone()))
                }
                Some(_) | None => Err(Error::of(Operation::UpdateItem, &error)),
            },
        }
    }
}

/// When an item written now is removed, in seconds since 1970.
pub(crate) fn expiry(retention_days: u32, now: Timestamp) -> AttributeValue {
    let days = i64::from(retention_days) + LIVE_DAYS;
    AttributeValue::N((now + SignedDuration::from_hours(days * 24)).as_second().to_string())
}

/// Live items outlive their retention by as long as an execution may run, in days.
const LIVE_DAYS: i64 = 90;
