//! Queues as clients make, find and empty them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Refusal, Sqs, absent, invalid, text};
use crate::names::{last_part, queue_arn, queue_url};
use crate::queue::{QueueOptions, Redrive};

/// The longest name of a queue (API reference, CreateQueue).
const NAME_CHARS_MAX: usize = 80;
/// Queues of one page (API reference, ListQueues.MaxResults).
const PAGE: usize = 1000;

impl Sqs {
    /// The URL clients get for a queue.
    fn url_of(&self, name: &str) -> String {
        match &self.address {
            Some(address) => format!("{address}/{}/{name}", crate::names::ACCOUNT),
            None => queue_url(name),
        }
    }

    pub(super) fn url(&self, body: &Value) -> Result<Value, Refusal> {
        let name = text(body, "QueueName")?;
        if self.queues.contains_key(name) {
            Ok(json!({ "QueueUrl": self.url_of(name) }))
        } else {
            Err(absent())
        }
    }

    /// All queues whose names begin like this; there is only one page.
    pub(super) fn list(&self, body: &Value) -> Result<Value, Refusal> {
        let prefix = match body.get("QueueNamePrefix") {
            Some(_) => text(body, "QueueNamePrefix")?,
            None => "",
        };
        let found = self.queues.keys().filter(|name| name.starts_with(prefix)).take(PAGE);
        Ok(json!({ "QueueUrls": found.map(|name| self.url_of(name)).collect::<Vec<_>>() }))
    }

    /// Makes a queue. One that is there stays as it is, whatever attributes are asked for.
    pub(super) fn create_for_client(&mut self, body: &Value) -> Result<Value, Refusal> {
        let name = text(body, "QueueName")?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if !(1..=NAME_CHARS_MAX).contains(&name.len()) || !name.bytes().all(fits) {
            return Err(invalid("QueueName must have 1 to 80 letters, digits, hyphens and underscores"));
        }
        let options = options(body.get("Attributes"))?;
        if !self.queues.contains_key(name) {
            self.create(name, options);
        }
        Ok(json!({ "QueueUrl": self.url_of(name) }))
    }

    pub(super) fn delete_queue(&mut self, body: &Value) -> Result<Value, Refusal> {
        let name = self.name_in(body)?;
        self.queues.remove(&name);
        Ok(json!({}))
    }

    pub(super) fn purge(&mut self, body: &Value) -> Result<Value, Refusal> {
        let name = self.name_in(body)?;
        let options = self.queues.get(&name).ok_or_else(absent)?.options.clone();
        self.create(&name, options);
        Ok(json!({}))
    }

    /// The attributes that are asked for; none are if none are named.
    pub(super) fn attributes(&self, body: &Value, now: Timestamp) -> Result<Value, Refusal> {
        let name = self.name_in(body)?;
        let queue = self.queues.get(&name).ok_or_else(absent)?;
        let hidden = queue.messages().filter(|message| message.is_hidden(now)).count();
        let options = &queue.options;
        let mut all = Map::from_iter([
            ("QueueArn".to_owned(), json!(queue_arn(&name))),
            ("ApproximateNumberOfMessages".to_owned(), json!((queue.len() - hidden).to_string())),
            ("ApproximateNumberOfMessagesNotVisible".to_owned(), json!(hidden.to_string())),
            ("ApproximateNumberOfMessagesDelayed".to_owned(), json!("0")),
            ("VisibilityTimeout".to_owned(), json!(options.visibility_timeout.as_secs().to_string())),
            ("MessageRetentionPeriod".to_owned(), json!(options.retention.as_secs().to_string())),
            ("DelaySeconds".to_owned(), json!("0")),
        ]);
        if let Some(redrive) = &options.redrive {
            let policy = json!({
                "deadLetterTargetArn": queue_arn(&redrive.dead_letter_queue),
                "maxReceiveCount": redrive.maximum_receives,
            });
            all.insert("RedrivePolicy".to_owned(), json!(policy.to_string()));
        }
        let asked: Vec<&str> =
            body["AttributeNames"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        all.retain(|name, _| asked.contains(&"All") || asked.contains(&name.as_str()));
        Ok(json!({ "Attributes": all }))
    }
}

/// A queue's options out of the attributes a client gives; those that the model has no use for are left aside.
fn options(attributes: Option<&Value>) -> Result<QueueOptions, Refusal> {
    let mut options = QueueOptions::default();
    let seconds = |value: &Value, name: &str, most: u64| {
        let seconds = value.as_str().and_then(|text| text.parse().ok()).filter(|seconds| *seconds <= most);
        seconds
            .map(Duration::from_secs)
            .ok_or_else(|| invalid(&format!("{name} must be at most {most} seconds")))
    };
    for (name, value) in attributes.and_then(Value::as_object).into_iter().flatten() {
        match name.as_str() {
            "VisibilityTimeout" => options.visibility_timeout = seconds(value, name, 43_200)?,
            "MessageRetentionPeriod" => options.retention = seconds(value, name, 1_209_600)?,
            "RedrivePolicy" => options.redrive = Some(redrive(value)?),
            _ => {}
        }
    }
    Ok(options)
}

fn redrive(value: &Value) -> Result<Redrive, Refusal> {
    let policy: Option<Value> = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    let read = policy.and_then(|policy| {
        let count = &policy["maxReceiveCount"];
        let count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
        Some(Redrive {
            dead_letter_queue: last_part(policy["deadLetterTargetArn"].as_str()?, ':').to_owned(),
            maximum_receives: u32::try_from(count).ok().filter(|count| (1..=1000).contains(count))?,
        })
    });
    read.ok_or_else(|| {
        invalid("RedrivePolicy must be JSON with deadLetterTargetArn and maxReceiveCount (1 to 1000)")
    })
}
