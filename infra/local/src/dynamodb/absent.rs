//! Queries that cannot find anything, answered without asking the engine. Every minute the functions ask for what is due
//! in ten places, most of which have never held anything: nine in ten calls of a quiet day.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Units;
use crate::protocol::Answer;

/// Longer texts stand in no key (DynamoDB developer guide, "Quotas": 2,048 bytes).
const KEY_BYTES_MAX: usize = 2048;
/// Kinds of queries to remember; the functions have a few.
const KINDS_MAX: usize = 16;
const VALUES: &str = "ExpressionAttributeValues";

/// What no write has ever brought into a database.
///
/// No operation makes a text out of others (DynamoDB developer guide, "Update expressions"), so a text that no write has
/// brought is no attribute of any item.
#[derive(Default)]
pub(super) struct Absent {
    brought: BTreeSet<String>,
    /// Queries that found nothing, each of a kind of its own, and the engine's answers.
    known: Vec<(Map<String, Value>, Answer, Units)>,
}

impl Absent {
    /// Takes what a write brings, whether or not it succeeds.
    pub(super) fn bring(&mut self, request: &Value) {
        match request {
            Value::String(text) if text.len() > KEY_BYTES_MAX || self.brought.contains(text) => {}
            Value::String(text) => drop(self.brought.insert(text.clone())),
            Value::Array(values) => values.iter().for_each(|value| self.bring(value)),
            Value::Object(members) => members.values().for_each(|value| self.bring(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Forgets all answers: a table or its indexes are others now.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// The answer to a query that finds nothing, if the engine has answered one of its kind.
    pub(super) fn answer(&self, query: &Value) -> Option<(Answer, Units)> {
        let query = query.as_object().filter(|query| self.is_vain(query))?;
        let known = self.known.iter().find(|(known, ..)| alike(known, query));
        known.map(|(_, answer, units)| (answer.clone(), *units))
    }

    /// Remembers what the engine answered, if that was to a query that finds nothing.
    pub(super) fn learn(&mut self, query: &Value, answer: &Answer, units: Units) {
        let query = query.as_object().filter(|query| self.is_vain(query));
        if let Some(query) = query
            && answer.error_code().is_none()
            && self.known.len() < KINDS_MAX
        {
            self.known.push((query.clone(), answer.clone(), units));
        }
    }

    /// Whether it wants an attribute that equals a text no write has brought. A key's conditions are joined by AND only.
    fn is_vain(&self, query: &Map<String, Value>) -> bool {
        let values = query.get(VALUES).unwrap_or(&Value::Null);
        let condition = query.get("KeyConditionExpression").and_then(Value::as_str).unwrap_or_default();
        let mut words = condition.split_ascii_whitespace();
        let equals = std::iter::from_fn(|| words.find(|word| *word == "=").and_then(|_| words.next()));
        let mut texts = equals.filter_map(|name| values[name]["S"].as_str());
        texts.any(|text| (1..=KEY_BYTES_MAX).contains(&text.len()) && !self.brought.contains(text))
    }
}

/// Whether two queries differ in nothing but their values, and not in the types of those.
fn alike(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let same = |(name, value): (&String, &Value)| match other.get(name) {
        Some(of_other) if name == VALUES => types(value).eq(types(of_other)),
        of_other => of_other == Some(value),
    };
    one.len() == other.len() && one.iter().all(same)
}

/// The names of a query's values, each with its type.
fn types(values: &Value) -> impl Iterator<Item = (&String, Option<&String>)> {
    let values = values.as_object().into_iter().flatten();
    values.map(|(name, value)| (name, value.as_object().and_then(|value| value.keys().next())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::DynamoDb;
    use super::*;
    use crate::VirtualClock;

    fn query(place: &str, until: u32) -> Value {
        json!({ "TableName": "table", "IndexName": "places", "Limit": 5,
            "KeyConditionExpression": "#place = :place AND #at <= :until",
            "ExpressionAttributeNames": { "#place": "place", "#at": "at" },
            "ExpressionAttributeValues": { ":place": { "S": place }, ":until": { "N": until.to_string() } } })
    }

    fn tables() -> DynamoDb {
        let tables = DynamoDb::in_memory(&VirtualClock::default()).unwrap();
        let attribute = |name: &str, kind| json!({ "AttributeName": name, "AttributeType": kind });
        let key = |name: &str, kind| json!({ "AttributeName": name, "KeyType": kind });
        let index = json!({ "IndexName": "places", "KeySchema": [key("place", "HASH"), key("at", "RANGE")],
            "Projection": { "ProjectionType": "ALL" } });
        let request = json!({ "TableName": "table", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [attribute("pk", "S"), attribute("place", "S"), attribute("at", "N")],
            "KeySchema": [key("pk", "HASH")], "GlobalSecondaryIndexes": [index] });
        assert_eq!(tables.handle("CreateTable", &request).0.status, 200);
        tables
    }

    fn count(tables: &DynamoDb, query: &Value) -> Option<u64> {
        tables.handle("Query", query).0.body["Count"].as_u64()
    }

    #[test]
    fn a_second_query_in_vain_is_answered_and_paid_for_as_the_engine_would() {
        let tables = tables();
        let engine = tables.handle("Query", &query("here", 1));
        assert_eq!(tables.engine.known(&query("there", 2)), Some(engine.clone()));
        assert_eq!(tables.handle("Query", &query("there", 2)), engine);
        assert_eq!((engine.0.body["Count"].as_u64(), engine.1.read), (Some(0), 0.5));
    }

    #[test]
    fn what_a_write_brings_by_whatever_way_is_found() {
        let tables = tables();
        assert_eq!(count(&tables, &query("here", 9)), Some(0));
        let item = json!({ "pk": { "S": "a" }, "at": { "N": "1" }, "aside": { "S": "here" } });
        tables.handle("PutItem", &json!({ "TableName": "table", "Item": item }));
        let moved = json!({ "TableName": "table", "Key": { "pk": { "S": "a" } },
            "UpdateExpression": "SET place = aside" });
        assert_eq!(tables.handle("UpdateItem", &moved).0.status, 200);
        assert_eq!(count(&tables, &query("here", 9)), Some(1));
        assert_eq!(count(&tables, &query("here", 0)), Some(0));
    }

    #[test]
    fn a_query_of_another_kind_is_the_engines() {
        let tables = tables();
        tables.handle("Query", &query("here", 1));
        let mut wrong = query("there", 1);
        wrong["ExpressionAttributeValues"][":until"] = json!({ "S": "now" });
        assert_eq!(tables.handle("Query", &wrong).0.error_code(), Some("ValidationException"));
        wrong = query("there", 1);
        wrong["IndexName"] = json!("nowhere");
        assert_eq!(tables.handle("Query", &wrong).0.error_code(), Some("ValidationException"));
        tables.handle("DeleteTable", &json!({ "TableName": "table" }));
        let gone = tables.handle("Query", &query("there", 1));
        assert_eq!(gone.0.error_code(), Some("ResourceNotFoundException"));
    }
}
