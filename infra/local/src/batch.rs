//! An event source mapping: gathers a queue's messages into batches, and reads which of a batch failed.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::later;
use crate::lambda::EventSource;
use crate::names::{REGION, queue_arn};
use crate::queue::Received;
use crate::sqs::{Sqs, attributes_of};

/// The largest event a function gets (Lambda quotas: 6 MB), with room for what surrounds the bodies.
const MAXIMUM_BYTES: usize = 5_500_000;

/// One mapping and the batch it gathers.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) source: EventSource,
    pub(crate) running: usize,
    gathered: Vec<Received>,
    bytes: usize,
    since: Option<Timestamp>,
}

impl Mapping {
    pub(crate) fn new(source: EventSource) -> Self {
        Self { source, running: 0, gathered: Vec::new(), bytes: 0, since: None }
    }

    /// Receives what there is, and gives a batch that is full or whose window has passed.
    pub(crate) fn poll(&mut self, sqs: &mut Sqs, now: Timestamp) -> Option<Vec<Received>> {
        if self.running >= self.source.concurrency {
            return None;
        }
        while self.gathered.len() < self.source.batch_size && self.bytes < MAXIMUM_BYTES {
            let Some(received) = sqs.receive(&self.source.queue, 1, now).pop() else { break };
            self.bytes += received.message.body.len();
            self.gathered.push(received);
            self.since.get_or_insert(now);
        }
        let full = self.gathered.len() >= self.source.batch_size || self.bytes >= MAXIMUM_BYTES;
        if !full && self.window_ends().is_none_or(|end| end > now) {
            return None;
        }
        self.since = None;
        self.bytes = 0;
        Some(std::mem::take(&mut self.gathered)).filter(|batch| !batch.is_empty())
    }

    /// When polling may give something that it doesn't give now.
    pub(crate) fn next_at(&self, sqs: &Sqs) -> Option<Timestamp> {
        if self.running >= self.source.concurrency {
            return None;
        }
        let message = sqs.queue(&self.source.queue).and_then(crate::queue::Queue::next_at);
        [message, self.window_ends()].into_iter().flatten().min()
    }

    fn window_ends(&self) -> Option<Timestamp> {
        self.since.map(|since| later(since, self.source.batch_window))
    }

    /// The event a function gets for a batch.
    pub(crate) fn event(&self, batch: &[Received]) -> Value {
        let records = batch.iter().map(|received| {
            json!({
                "messageId": received.message.id,
                "receiptHandle": received.handle,
                "body": received.message.body,
                "attributes": attributes_of(&received.message),
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn(&self.source.queue),
                "awsRegion": REGION,
            })
        });
        json!({ "Records": records.collect::<Vec<_>>() })
    }
}

/// The ids a response names as failed; all of the batch when the response isn't one Lambda accepts
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>).
pub(crate) fn failed<'a>(response: &'a Value, batch: &'a [Received]) -> BTreeSet<&'a str> {
    let ids: BTreeSet<&str> = batch.iter().map(|received| received.message.id.as_str()).collect();
    let failures = match response.get("batchItemFailures") {
        None | Some(Value::Null) => return BTreeSet::new(),
        Some(Value::Array(failures)) => failures,
        Some(_) => return ids,
    };
    let named =
        failures.iter().map(|failure| failure["itemIdentifier"].as_str().filter(|id| ids.contains(id)));
    named.collect::<Option<BTreeSet<_>>>().unwrap_or(ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::START;
    use crate::queue::Message;

    fn batch() -> Vec<Received> {
        let message = |id: &str| Message::new(id.to_owned(), String::new(), START);
        ["a", "b"].map(|id| Received { handle: id.to_owned(), message: message(id) }).to_vec()
    }

    #[test]
    fn only_what_is_named_has_failed() {
        let response = json!({ "batchItemFailures": [{ "itemIdentifier": "b" }] });
        assert_eq!(failed(&response, &batch()), BTreeSet::from(["b"]));
        assert!(failed(&Value::Null, &batch()).is_empty());
    }

    #[test]
    fn a_response_that_names_a_stranger_fails_the_batch() {
        let response = json!({ "batchItemFailures": [{ "itemIdentifier": "x" }] });
        assert_eq!(failed(&response, &batch()).len(), 2);
        assert_eq!(failed(&json!({ "batchItemFailures": [{ "itemIdentifier": "" }] }), &batch()).len(), 2);
    }
}
