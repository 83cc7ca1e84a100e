//! What one partition takes: a key that is written to more often is throttled, whatever the table could take.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::protocol::Answer;

/// Write units of one partition in a second (DynamoDB developer guide, "Designing partition keys to distribute your
/// workload evenly").
const WRITE_UNITS_MAX: f64 = 1_000.0;
/// The partition key's attribute in our table. Other tables' keys are not counted.
const PARTITION_KEY: &str = "pk";

/// What has been written in this second, by partition key.
#[derive(Default)]
pub(super) struct Partitions {
    second: i64,
    written: BTreeMap<String, f64>,
}

impl Partitions {
    /// The answer to a write that comes too soon for one of its keys.
    pub(super) fn refuse(&mut self, operation: &str, request: &Value, now: Timestamp) -> Option<Answer> {
        self.begin(now);
        let is_hot = |key: &&str| self.written.get(*key).is_some_and(|units| *units >= WRITE_UNITS_MAX);
        let keys = written_keys(operation, request);
        if !keys.iter().any(is_hot) {
            return None;
        }
        const MESSAGE: &str = "Throughput exceeds the current capacity of a partition";
        if operation != "TransactWriteItems" {
            return Some(Answer::error(400, "ProvisionedThroughputExceededException", MESSAGE));
        }
        let reasons = keys.iter().map(|key| match is_hot(key) {
            true => json!({ "Code": "ThrottlingError", "Message": MESSAGE }),
            false => json!({ "Code": "None" }),
        });
        let code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
        let body = json!({ "__type": code, "Message": "Transaction cancelled",
            "CancellationReasons": reasons.collect::<Vec<_>>() });
        Some(Answer { status: 400, body })
    }

    /// Counts a write.
    pub(super) fn take(&mut self, operation: &str, request: &Value, units: f64, now: Timestamp) {
        self.begin(now);
        let keys = written_keys(operation, request);
        for key in &keys {
            // Of several items, the answer tells the sum.
            *self.written.entry((*key).to_owned()).or_default() += units / keys.len() as f64;
        }
    }

    fn begin(&mut self, now: Timestamp) {
        if now.as_second() != self.second {
            self.second = now.as_second();
            self.written.clear();
        }
    }
}

/// The partition keys a request writes to, one for each item.
pub fn written_keys<'a>(operation: &str, request: &'a Value) -> Vec<&'a str> {
    let of = |item: &'a Value| item[PARTITION_KEY]["S"].as_str();
    let members = |value: &'a Value| value.as_object().into_iter().flat_map(|object| object.values());
    match operation {
        "UpdateItem" | "DeleteItem" => of(&request["Key"]).into_iter().collect(),
        "PutItem" => of(&request["Item"]).into_iter().collect(),
        "BatchWriteItem" => members(&request["RequestItems"])
            .flat_map(|writes| writes.as_array().into_iter().flatten())
            .filter_map(|write| {
                of(&write["PutRequest"]["Item"]).or_else(|| of(&write["DeleteRequest"]["Key"]))
            })
            .collect(),
        "TransactWriteItems" => request["TransactItems"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(members)
            .filter_map(|write| of(&write["Key"]).or_else(|| of(&write["Item"])))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::START;
    use jiff::SignedDuration;

    fn update(key: &str) -> Value {
        json!({ "Key": { "pk": { "S": key }, "sk": { "S": "x" } } })
    }

    #[test]
    fn a_key_that_has_taken_its_share_waits_for_the_next_second() {
        let mut partitions = Partitions::default();
        partitions.take("UpdateItem", &update("a"), 999.0, START);
        assert_eq!(partitions.refuse("UpdateItem", &update("a"), START), None);
        partitions.take("UpdateItem", &update("a"), 1.0, START);
        let refused = partitions.refuse("UpdateItem", &update("a"), START).expect("refused");
        assert_eq!(refused.error_code(), Some("ProvisionedThroughputExceededException"));
        assert_eq!(partitions.refuse("UpdateItem", &update("b"), START), None);
        let later = START + SignedDuration::from_secs(1);
        assert_eq!(partitions.refuse("UpdateItem", &update("a"), later), None);
    }

    #[test]
    fn a_transaction_says_which_of_its_items_is_throttled() {
        let put = |key: &str| json!({ "Put": { "Item": { "pk": { "S": key } } } });
        let transaction = json!({ "TransactItems": [put("a"), { "Update": update("b") }] });
        assert_eq!(written_keys("TransactWriteItems", &transaction), ["a", "b"]);
        let mut partitions = Partitions::default();
        partitions.take("UpdateItem", &update("b"), 1_000.0, START);
        let refused = partitions.refuse("TransactWriteItems", &transaction, START).expect("refused");
        let reasons = &refused.body["CancellationReasons"];
        assert_eq!((&reasons[0]["Code"], &reasons[1]["Code"]), (&json!("None"), &json!("ThrottlingError")));
    }

    #[test]
    fn of_a_batch_each_key_takes_its_part() {
        let put = |key: &str| json!({ "PutRequest": { "Item": { "pk": { "S": key } } } });
        let batch = json!({ "RequestItems": { "t": [put("a"), put("b")] } });
        let mut partitions = Partitions::default();
        partitions.take("BatchWriteItem", &batch, 1_998.0, START);
        assert_eq!(partitions.refuse("UpdateItem", &update("a"), START), None);
    }
}
