//! Names of things in the embedded cloud: one account, one Region.

/// The only account there is.
pub const ACCOUNT: &str = "123456789012";
/// The only Region there is.
pub const REGION: &str = "us-east-1";

/// The ARN of a topic.
pub fn topic_arn(name: &str) -> String {
    format!("arn:aws:sns:{REGION}:{ACCOUNT}:{name}")
}

/// The ARN of a queue.
pub fn queue_arn(name: &str) -> String {
    format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}")
}

/// The URL by which clients name a queue.
pub fn queue_url(name: &str) -> String {
    format!("https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}")
}

/// The ARN of an EventBridge rule.
pub fn rule_arn(name: &str) -> String {
    format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{name}")
}

/// The ARN of a role.
pub fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:role/{name}")
}

/// What follows the last `separator`: the name in an ARN or URL, or the whole if there is none.
pub(crate) fn last_part(text: &str, separator: char) -> &str {
    text.rsplit(separator).next().unwrap_or(text)
}

/// The access key of a caller that is in no role but its own.
pub(crate) const OWN_KEY: &str = "local";
