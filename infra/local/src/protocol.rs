//! The wire protocols of the services: from an HTTP request to (service, operation, JSON), and back.

use serde_json::{Map, Value, json};

/// The version of IAM's API, which clients send with each request.
const IAM_VERSION: &str = "2010-05-08";

/// A service of the embedded cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// DynamoDB, JSON 1.0.
    DynamoDb,
    /// Systems Manager, JSON 1.1.
    Ssm,
    /// Simple Queue Service, JSON 1.0.
    Sqs,
    /// Simple Notification Service, the query protocol: forms in, XML out.
    Sns,
    /// EventBridge, JSON 1.1.
    EventBridge,
    /// Identity and Access Management, the query protocol.
    Iam,
    /// Lambda, JSON at a path of each operation's own.
    Lambda,
}

impl Service {
    /// The prefix of the service's actions in a policy.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::Ssm => "ssm",
            Self::Sqs => "sqs",
            Self::Sns => "sns",
            Self::EventBridge => "events",
            Self::Iam => "iam",
            Self::Lambda => "lambda",
        }
    }

    fn by_target(prefix: &str) -> Option<Self> {
        match prefix {
            "DynamoDB_20120810" => Some(Self::DynamoDb),
            "AmazonSSM" => Some(Self::Ssm),
            "AmazonSQS" => Some(Self::Sqs),
            "AWSEvents" => Some(Self::EventBridge),
            _ => None,
        }
    }
}

/// One decoded request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The service it is for.
    pub service: Service,
    /// The operation, as the API names it.
    pub operation: String,
    /// Its parameters. Those of the query protocol are an object of strings.
    pub body: Value,
}

impl Request {
    /// Decodes a request by its `X-Amz-Target` header, or as a form if it has none.
    ///
    /// # Errors
    /// The error the service itself would answer with.
    pub fn decode(target: Option<&str>, body: &[u8]) -> Result<Self, Answer> {
        let Some(target) = target else { return Self::from_form(body) };
        let unknown =
            || Answer::error(400, "UnknownOperationException", &format!("no such operation: {target}"));
        let (prefix, operation) = target.split_once('.').ok_or_else(unknown)?;
        let service = Service::by_target(prefix).ok_or_else(unknown)?;
        let body = match serde_json::from_slice(body) {
            Ok(body @ Value::Object(_)) => body,
            Ok(_) => {
                return Err(Answer::error(400, "SerializationException", "the body is not a JSON object"));
            }
            Err(error) => return Err(Answer::error(400, "SerializationException", &error.to_string())),
        };
        Ok(Self { service, operation: operation.to_owned(), body })
    }

    fn from_form(body: &[u8]) -> Result<Self, Answer> {
        let text = String::from_utf8_lossy(body);
        let mut fields: Map<_, _> = form(&text).map(|(name, value)| (name, Value::String(value))).collect();
        match fields.remove("Action") {
            Some(Value::String(operation)) => {
                // Of the services that speak in forms, each has a version of its own.
                let iam = fields.get("Version").and_then(Value::as_str) == Some(IAM_VERSION);
                let service = if iam { Service::Iam } else { Service::Sns };
                Ok(Self { service, operation, body: Value::Object(fields) })
            }
            _ => Err(Answer::error(400, "MissingAction", "the request names neither a target nor an action")),
        }
    }

    /// The operation as policies and counters write it: `ssm:SendCommand`.
    pub fn action(&self) -> String {
        format!("{}:{}", self.service.prefix(), self.operation)
    }
}

/// What a service answers. An error's body has `__type` and `message`.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body before it is written in the service's protocol.
    pub body: Value,
}

impl Answer {
    /// A success.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }

    /// A failure by name.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self { status, body: json!({ "__type": code, "message": message }) }
    }

    /// The name of the error, without its namespace; nothing for a success.
    pub fn error_code(&self) -> Option<&str> {
        if self.status < 400 {
            return None;
        }
        let code = self.body.get("__type").and_then(Value::as_str).unwrap_or("Unknown");
        Some(crate::names::last_part(code, '#'))
    }

    /// The header `x-amzn-query-error`, by which SQS keeps the names errors had in its earlier query protocol. Clients
    /// match on these where they differ from the names of today.
    pub fn query_error(&self, service: Service) -> Option<String> {
        let code = self.error_code().filter(|_| service == Service::Sqs)?;
        let fault = if self.status < 500 { "Sender" } else { "Receiver" };
        let earlier = match code {
            "QueueDoesNotExist" => "AWS.SimpleQueueService.NonExistentQueue",
            "EmptyBatchRequest" => "AWS.SimpleQueueService.EmptyBatchRequest",
            "TooManyEntriesInBatchRequest" => "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            unchanged => unchanged,
        };
        Some(format!("{earlier};{fault}"))
    }

    /// Media type and bytes, as the service writes them.
    pub fn encode(&self, service: Service, operation: &str) -> (&'static str, Vec<u8>) {
        match service {
            Service::DynamoDb | Service::Sqs => {
                ("application/x-amz-json-1.0", self.body.to_string().into_bytes())
            }
            Service::Ssm | Service::EventBridge => {
                ("application/x-amz-json-1.1", self.body.to_string().into_bytes())
            }
            Service::Lambda => ("application/json", self.body.to_string().into_bytes()),
            Service::Sns => {
                ("text/xml", self.xml("http://sns.amazonaws.com/doc/2010-03-31/", operation).into_bytes())
            }
            Service::Iam => {
                ("text/xml", self.xml("https://iam.amazonaws.com/doc/2010-05-08/", operation).into_bytes())
            }
        }
    }

    /// The query protocol's XML.
    fn xml(&self, namespace: &str, operation: &str) -> String {
        const REQUEST: &str = "<RequestId>00000000-0000-0000-0000-000000000000</RequestId>";
        if let Some(code) = self.error_code() {
            let fault = if self.status < 500 { "Sender" } else { "Receiver" };
            let message = escaped(self.body.get("message").and_then(Value::as_str).unwrap_or_default());
            return format!(
                "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{message}</Message></Error>{REQUEST}</ErrorResponse>",
                escaped(code)
            );
        }
        let members = members(&self.body);
        format!(
            "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{members}</{operation}Result><ResponseMetadata>{REQUEST}</ResponseMetadata></{operation}Response>"
        )
    }
}

/// A value as the query protocol writes it: members by name, items of a list each as a `member`.
fn members(value: &Value) -> String {
    match value {
        Value::Object(named) => {
            named.iter().map(|(name, value)| format!("<{name}>{}</{name}>", members(value))).collect()
        }
        Value::Array(items) => {
            items.iter().map(|item| format!("<member>{}</member>", members(item))).collect()
        }
        Value::String(text) => escaped(text),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The pairs of a form or a query, decoded.
pub(crate) fn form(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (form_decoded(name), form_decoded(value))
    })
}

/// Undoes `application/x-www-form-urlencoded`. What is not a valid escape stands for itself.
fn form_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        let hex = bytes.get(index + 1..index + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match (*byte, hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(value)) => {
                decoded.push(value);
                index += 2;
            }
            (b'+', _) => decoded.push(b' '),
            (other, _) => decoded.push(other),
        }
        index += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_with_its_escapes() {
        let request =
            Request::decode(None, b"Action=Publish&Message=a+b%26%7B%22%C3%A9%22%7D&Odd=%zz").unwrap();
        assert_eq!(request.action(), "sns:Publish");
        assert_eq!(request.body, json!({ "Message": "a b&{\"\u{e9}\"}", "Odd": "%zz" }));
    }

    #[test]
    fn a_target_of_no_known_service_is_an_unknown_operation() {
        let answer = Request::decode(Some("AmazonEC2.RunInstances"), b"{}").unwrap_err();
        assert_eq!(answer.error_code(), Some("UnknownOperationException"));
    }

    #[test]
    fn a_body_that_is_no_object_is_refused() {
        let answer = Request::decode(Some("AmazonSSM.SendCommand"), b"[1]").unwrap_err();
        assert_eq!(answer.error_code(), Some("SerializationException"));
    }

    #[test]
    fn an_error_of_sqs_keeps_its_earlier_name_beside_the_new_one() {
        let answer = Answer::error(400, "com.amazonaws.sqs#QueueDoesNotExist", "gone");
        let earlier = answer.query_error(Service::Sqs);
        assert_eq!(earlier.as_deref(), Some("AWS.SimpleQueueService.NonExistentQueue;Sender"));
        assert_eq!(
            (answer.query_error(Service::Ssm), answer.error_code()),
            (None, Some("QueueDoesNotExist"))
        );
    }

    #[test]
    fn an_error_over_the_query_protocol_is_xml() {
        let (media, bytes) = Answer::error(404, "NotFound", "no <topic>").encode(Service::Sns, "Publish");
        assert_eq!(media, "text/xml");
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("<Code>NotFound</Code><Message>no &lt;topic&gt;</Message>"), "{text}");
    }
}
