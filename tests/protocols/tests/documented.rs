//! What DynamoDB's documentation says and the table's code relies on: true of whoever keeps the tables. Where one of
//! them is known to do otherwise, `tests/dynamodb/README.md` tells so.

use fleetwright_local::dynamodb::Units;
use fleetwright_local::fleet::Fleet;
use fleetwright_local::protocol::Answer;
use fleetwright_local::{Deployment, DeploymentOptions, TABLE};
use fleetwright_protocols::deploy;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// An item's bytes (developer guide, "Quotas").
const ITEM_BYTES_MAX: usize = 400 * 1024;
/// Items of one BatchWriteItem (API reference, BatchWriteItem).
const BATCH_WRITES_MAX: usize = 25;

/// The table, and nothing in it.
struct Table(Deployment);

impl Table {
    fn new() -> Self {
        Self(deploy(Fleet::plain(1, 1), &DeploymentOptions::seeded(1)).expect("deploys"))
    }

    fn handle(&self, operation: &str, request: &Value) -> (Answer, Units) {
        self.0.simulation.cloud().dynamodb.handle(operation, request)
    }

    /// The answer to a request about the table.
    fn ask(&self, operation: &str, mut request: Value) -> Value {
        request["TableName"] = json!(TABLE);
        let (answer, _) = self.handle(operation, &request);
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
        answer.body
    }

    /// The error that a request about the table is refused with.
    fn refused(&self, operation: &str, mut request: Value) -> (String, Value) {
        request["TableName"] = json!(TABLE);
        self.refused_as_it_is(operation, &request)
    }

    fn refused_as_it_is(&self, operation: &str, request: &Value) -> (String, Value) {
        let (answer, _) = self.handle(operation, request);
        let code = answer.error_code().unwrap_or_else(|| panic!("{operation} was not refused")).to_owned();
        (code, answer.body)
    }

    fn put(&self, item: &Value) {
        self.ask("PutItem", json!({ "Item": item }));
    }

    /// The item of that partition key.
    fn get(&self, pk: &str) -> Value {
        self.ask("GetItem", json!({ "Key": key(pk), "ConsistentRead": true }))["Item"].clone()
    }
}

fn text(text: &str) -> Value {
    json!({ "S": text })
}

fn key(pk: &str) -> Value {
    json!({ "pk": text(pk), "sk": text("s") })
}

/// An item with these attributes.
fn item(pk: &str, attributes: Value) -> Value {
    let Value::Object(attributes) = attributes else { panic!("attributes are an object") };
    let mut item: Map<String, Value> = serde_json::from_value(key(pk)).expect("a key");
    item.extend(attributes);
    Value::Object(item)
}

/// An update that sets the attribute `x`, on a condition about it.
fn set_x(pk: &str, condition: &str, value: &str) -> Value {
    json!({ "Key": key(pk), "UpdateExpression": "SET #x = :x", "ConditionExpression": condition,
        "ExpressionAttributeNames": { "#x": "x" }, "ExpressionAttributeValues": { ":x": text(value) },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD" })
}

/// An action of a transaction.
fn action(kind: &str, mut request: Value) -> Value {
    request["TableName"] = json!(TABLE);
    json!({ kind: request })
}

/// API reference, UpdateItem: ReturnValuesOnConditionCheckFailure.
#[test]
fn a_condition_that_fails_shows_the_item_it_failed_on() {
    let table = Table::new();
    let stored = item("a", json!({ "x": text("old"), "n": { "N": "7" } }));
    table.put(&stored);
    let (code, body) = table.refused("UpdateItem", set_x("a", "#x = :x", "new"));
    assert_eq!((code.as_str(), &body["Item"]), ("ConditionalCheckFailedException", &stored));
    let (code, body) = table.refused("UpdateItem", set_x("nowhere", "#x = :x", "new"));
    assert_eq!((code.as_str(), body.get("Item")), ("ConditionalCheckFailedException", None));
}

/// API reference, TransactionCanceledException: one reason for each action, in their order.
#[test]
fn a_transaction_that_is_cancelled_says_why_action_by_action_and_leaves_nothing() {
    let table = Table::new();
    let stored = item("a", json!({ "x": text("old") }));
    table.put(&stored);
    let actions = [
        action("Put", json!({ "Item": item("b", json!({})) })),
        action("Update", set_x("a", "#x = :x", "new")),
        action("Put", json!({ "Item": item("c", json!({})) })),
    ];
    let (code, body) = table.refused_as_it_is("TransactWriteItems", &json!({ "TransactItems": actions }));
    assert_eq!(code, "TransactionCanceledException");
    let reasons = body["CancellationReasons"].as_array().expect("reasons");
    let codes: Vec<_> = reasons.iter().map(|reason| reason["Code"].as_str().expect("a code")).collect();
    assert_eq!(codes, ["None", "ConditionalCheckFailed", "None"]);
    assert_eq!(reasons[1]["Item"], stored);
    assert_eq!((table.get("b"), table.get("a")), (Value::Null, stored));
}

/// API reference, TransactionCanceledException: the reason ValidationError.
#[test]
fn a_transaction_with_an_update_of_no_place_is_cancelled_for_that() {
    let table = Table::new();
    let update = json!({ "Key": key("a"), "UpdateExpression": "SET #map.#x = :x",
        "ExpressionAttributeNames": { "#map": "map", "#x": "x" }, "ExpressionAttributeValues": { ":x": text("x") } });
    let actions = json!({ "TransactItems": [action("Update", update)] });
    let (code, body) = table.refused_as_it_is("TransactWriteItems", &actions);
    assert_eq!(code, "TransactionCanceledException");
    assert_eq!(body["CancellationReasons"][0]["Code"], "ValidationError");
}

/// API reference, TransactWriteItems: no two actions on one item.
#[test]
fn a_transaction_has_actions_on_different_items() {
    let table = Table::new();
    let put = action("Put", json!({ "Item": item("a", json!({})) }));
    let actions = json!({ "TransactItems": [put.clone(), put] });
    assert_eq!(table.refused_as_it_is("TransactWriteItems", &actions).0, "ValidationException");
}

/// Developer guide, "Update expressions": ADD makes the item and the set, and unites.
#[test]
fn adding_to_a_set_makes_it_or_unites_it() {
    let table = Table::new();
    let add = |values: [&str; 2]| {
        let update = json!({ "Key": key("a"), "UpdateExpression": "ADD #set :values", "ReturnValues": "ALL_NEW",
            "ExpressionAttributeNames": { "#set": "set" },
            "ExpressionAttributeValues": { ":values": { "SS": values } } });
        let answer = table.ask("UpdateItem", update);
        let set = answer["Attributes"]["set"]["SS"].as_array().expect("a set").clone();
        set.iter().map(|value| value.as_str().expect("text").to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(add(["b", "a"]), ["a", "b"].map(str::to_owned).into());
    assert_eq!(add(["b", "c"]), ["a", "b", "c"].map(str::to_owned).into());
}

/// Developer guide, "Comparison operator and function reference": what is missing is not equal, and not less.
#[test]
fn an_attribute_that_is_missing_differs_from_every_value_and_is_less_than_none() {
    let table = Table::new();
    table.put(&item("a", json!({})));
    let (code, _) = table.refused("UpdateItem", set_x("a", "#x < :x", "1"));
    assert_eq!(code, "ConditionalCheckFailedException");
    table.ask("UpdateItem", set_x("a", "#x <> :x", "1"));
    table.ask("UpdateItem", set_x("nowhere", "#x <> :x", "1"));
}

/// Developer guide, "Using global secondary indexes": a value of another type than the index's key is refused.
#[test]
fn what_cannot_be_a_key_of_an_index_is_refused() {
    let table = Table::new();
    let wrong = item("a", json!({ "due_shard": text("DUE#0"), "due_at": text("soon") }));
    assert_eq!(table.refused("PutItem", json!({ "Item": wrong })).0, "ValidationException");
    let update = json!({ "Key": key("a"), "UpdateExpression": "SET #at = :at",
        "ExpressionAttributeNames": { "#at": "due_at" }, "ExpressionAttributeValues": { ":at": text("soon") } });
    assert_eq!(table.refused("UpdateItem", update).0, "ValidationException");
}

/// Developer guide, "Global secondary indexes": keys need not be unique there, and no read is consistent.
#[test]
fn an_index_is_read_page_by_page_and_shows_each_item_once() {
    let table = Table::new();
    let places = [("a", 9), ("b", 10), ("c", 10), ("d", 10), ("e", 100)];
    for (pk, at) in places {
        table.put(&item(pk, json!({ "due_shard": text("DUE#0"), "due_at": { "N": at.to_string() } })));
    }
    let mut query = json!({ "IndexName": "due", "Limit": 1, "KeyConditionExpression": "#shard = :shard AND #at < :at",
        "ExpressionAttributeNames": { "#shard": "due_shard", "#at": "due_at" },
        "ExpressionAttributeValues": { ":shard": text("DUE#0"), ":at": { "N": "100" } } });
    let mut seen = Vec::new();
    loop {
        let page = table.ask("Query", query.clone());
        let items = page["Items"].as_array().expect("items");
        seen.extend(items.iter().map(|item| item["pk"]["S"].as_str().expect("a key").to_owned()));
        // The last page may say that there is more (API reference, Query: LastEvaluatedKey).
        if page["LastEvaluatedKey"].is_null() {
            break;
        }
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"].clone();
        assert!(seen.len() <= places.len(), "an item came again: {seen:?}");
    }
    assert_eq!(seen[0], "a", "numbers are ordered as numbers");
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), ["a", "b", "c", "d"].map(str::to_owned).into());
    query["ConsistentRead"] = json!(true);
    assert_eq!(table.refused("Query", query).0, "ValidationException");
}

/// Developer guide, "Quotas" and "Item sizes and formats": names and values count, in UTF-8.
#[test]
fn an_item_has_400_kilobytes_and_no_more() {
    let table = Table::new();
    let rest = "pk".len() + "a".len() + "sk".len() + "s".len() + "x".len();
    let fits = "x".repeat(ITEM_BYTES_MAX - rest);
    table.put(&item("a", json!({ "x": text(&fits) })));
    let more = item("b", json!({ "x": text(&format!("{fits}x")) }));
    assert_eq!(table.refused("PutItem", json!({ "Item": more })).0, "ValidationException");
    let update = json!({ "Key": key("a"), "UpdateExpression": "SET #y = :y",
        "ExpressionAttributeNames": { "#y": "y" }, "ExpressionAttributeValues": { ":y": text("y") } });
    assert_eq!(table.refused("UpdateItem", update).0, "ValidationException");
}

/// API reference, BatchWriteItem: up to 25 requests, and no two on one item.
#[test]
fn a_batch_writes_25_different_items_at_most() {
    let table = Table::new();
    let batch = |keys: Vec<String>| {
        let puts: Vec<_> =
            keys.iter().map(|pk| json!({ "PutRequest": { "Item": item(pk, json!({})) } })).collect();
        json!({ "RequestItems": { TABLE: puts } })
    };
    let keys = |count: usize| (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
    let (answer, _) = table.handle("BatchWriteItem", &batch(keys(BATCH_WRITES_MAX)));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let twice = vec!["a".to_owned(); 2];
    for wrong in [keys(BATCH_WRITES_MAX + 1), twice] {
        assert_eq!(table.refused_as_it_is("BatchWriteItem", &batch(wrong)).0, "ValidationException");
    }
}

/// Developer guide, "Read and write operations": a transaction's write costs two units for each kilobyte begun.
#[test]
fn a_write_in_a_transaction_costs_twice() {
    let table = Table::new();
    let put = |pk: &str| action("Put", json!({ "Item": item(pk, json!({ "x": text(&"x".repeat(1500)) })) }));
    let actions = json!({ "TransactItems": [put("a"), put("b")] });
    let (answer, units) = table.handle("TransactWriteItems", &actions);
    assert_eq!((answer.status, units.write), (200, 8.0), "{}", answer.body);
}
