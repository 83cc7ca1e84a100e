//! Constraints of SSM's model on the operations that only the simulated service has; `fleetwright_wire` holds the others
//! against the model itself.

use crate::fleet::is_node_id;
use fleetwright_wire::ServiceError;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads a request.
pub(super) fn request<T: DeserializeOwned>(body: &Value) -> Result<T, ServiceError> {
    match body {
        Value::Null => T::deserialize(Value::Object(serde_json::Map::new())),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            T::deserialize(body)
        }
    }
    .map_err(|error| ServiceError::serialization(error.to_string()))
}

/// Collects what a request breaks.
#[derive(Default)]
pub(super) struct Violations(Vec<String>);

impl Violations {
    fn add(&mut self, value: &str, path: &str, constraint: &str) {
        self.0.push(format!("Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"));
    }

    /// The error, if there is any.
    pub(super) fn finish(self) -> Result<(), ServiceError> {
        let (count, s) = (self.0.len(), if self.0.len() == 1 { "" } else { "s" });
        if count == 0 {
            return Ok(());
        }
        Err(ServiceError::validation(format!("{count} validation error{s} detected: {}", self.0.join("; "))))
    }

    /// A member that must be there.
    pub(super) fn required<T>(&mut self, path: &str, value: Option<&T>) {
        if value.is_none() {
            self.add("null", path, "Member must not be null");
        }
    }

    /// A text of at least and at most so many characters.
    pub(super) fn length(&mut self, path: &str, value: Option<&String>, min: usize, max: usize) {
        let Some(value) = value else { return };
        let length = value.chars().count();
        if length < min {
            self.add(value, path, &format!("Member must have length greater than or equal to {min}"));
        } else if length > max {
            self.add(value, path, &format!("Member must have length less than or equal to {max}"));
        }
    }

    /// A list of at least and at most so many.
    pub(super) fn count<T: ToString>(&mut self, path: &str, values: Option<&[T]>, min: usize, max: usize) {
        let Some(values) = values else { return };
        let list = || format!("[{}]", values.iter().map(T::to_string).collect::<Vec<_>>().join(", "));
        if values.len() < min {
            self.add(&list(), path, &format!("Member must have length greater than or equal to {min}"));
        } else if values.len() > max {
            self.add(&list(), path, &format!("Member must have length less than or equal to {max}"));
        }
    }

    /// A number between two others.
    pub(super) fn range(&mut self, path: &str, value: Option<i64>, min: i64, max: i64) {
        let Some(value) = value else { return };
        if value < min {
            self.add(
                &value.to_string(),
                path,
                &format!("Member must have value greater than or equal to {min}"),
            );
        } else if value > max {
            self.add(
                &value.to_string(),
                path,
                &format!("Member must have value less than or equal to {max}"),
            );
        }
    }

    /// A text that must fit a pattern.
    pub(super) fn pattern(
        &mut self,
        path: &str,
        value: Option<&String>,
        pattern: &str,
        fits: impl Fn(&str) -> bool,
    ) {
        if let Some(value) = value.filter(|value| !fits(value)) {
            self.add(value, path, &format!("Member must satisfy regular expression pattern: {pattern}"));
        }
    }

    /// A text that must be one of some.
    pub(super) fn one_of(&mut self, path: &str, value: Option<&String>, allowed: &[&str]) {
        if let Some(value) = value.filter(|value| !allowed.contains(&value.as_str())) {
            self.add(value, path, &format!("Member must satisfy enum value set: [{}]", allowed.join(", ")));
        }
    }

    /// One node id.
    fn node_id(&mut self, path: &str, value: Option<&String>) {
        self.pattern(path, value, r"(^i-(\w{8}|\w{17})$)|(^mi-\w{17}$)", is_node_id);
    }

    /// At most 50 node ids.
    pub(super) fn node_ids(&mut self, values: Option<&Vec<String>>) {
        self.count("instanceIds", values.map(Vec::as_slice), 0, 50);
        for (index, id) in values.into_iter().flatten().enumerate() {
            self.node_id(&format!("instanceIds.{}.member", index + 1), Some(id));
        }
    }

    /// A document's name or ARN.
    pub(super) fn document_name(&mut self, path: &str, value: Option<&String>) {
        self.pattern(path, value, r"^[a-zA-Z0-9_\-.:/]{3,128}$", |name| {
            (3..=128).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte))
        });
    }

    /// A document's version.
    pub(super) fn document_version(&mut self, value: Option<&String>) {
        self.pattern("documentVersion", value, r"([$]LATEST|[$]DEFAULT|^[1-9][0-9]*$)", |version| {
            let number = !version.starts_with('0') && version.bytes().all(|byte| byte.is_ascii_digit());
            version == "$LATEST" || version == "$DEFAULT" || (number && !version.is_empty())
        });
    }
}
