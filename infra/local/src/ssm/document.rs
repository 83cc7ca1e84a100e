//! Documents: what they declare.

use super::time::seconds;
use crate::fleet::Platform;
use fleetwright_wire::{DocumentRequires, Parameters, ServiceError};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// SSM API reference, quotas: 64 KB, runtime parameters included.
pub(super) const MAX_SIZE: usize = 64 * 1024;

/// What executionTimeout is where a document doesn't say (AWS-RunShellScript's default).
const EXECUTION_TIMEOUT: i64 = 3600;

/// One version of a document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) name: Arc<str>,
    pub(super) version: u32,
    /// `Command`, `Automation`, …
    pub(super) kind: String,
    /// `JSON`, `YAML` or `TEXT`.
    pub(super) format: String,
    pub(super) content: String,
    pub(super) created_at: i64,
    pub(super) labels: Labels,
    pub(super) description: String,
    pub(super) schema_version: String,
    pub(super) parameters: BTreeMap<String, Declared>,
    /// Steps of a Command document.
    pub(super) steps: Vec<Step>,
    timeout: Option<String>,
}

/// What a version is called besides, and what it needs: kept as it was given.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels {
    pub(super) version_name: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) target_type: Option<String>,
    pub(super) requires: Option<Vec<DocumentRequires>>,
}

/// A parameter as a document declares it.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    pub(super) kind: String,
    pub(super) description: String,
    /// Absent: the parameter is required.
    pub(super) default: Option<Vec<String>>,
    pub(super) allowed: Vec<String>,
}

/// A step of a Command document.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) name: String,
    /// Where it runs; anywhere if absent.
    pub(super) platform: Option<Platform>,
}

impl Step {
    /// Whether it does anything on this platform.
    pub(super) fn runs_on(&self, platform: Platform) -> bool {
        self.platform.is_none_or(|only| only == platform)
    }
}

impl Document {
    /// Reads a document. The text of other kinds than Command is kept as it is.
    pub(super) fn read(
        name: &str,
        content: &str,
        kind: &str,
        format: &str,
        created_at: i64,
    ) -> Result<Self, ServiceError> {
        if content.len() > MAX_SIZE {
            return Err(ServiceError::max_document_size_exceeded(format!(
                "The document {name} has {} bytes, more than {MAX_SIZE}.",
                content.len()
            )));
        }
        let mut document = Self {
            name: name.into(),
            version: 1,
            kind: kind.to_owned(),
            format: format.to_owned(),
            content: content.to_owned(),
            created_at,
            labels: Labels::default(),
            description: String::new(),
            schema_version: String::new(),
            parameters: BTreeMap::new(),
            steps: Vec::new(),
            timeout: None,
        };
        if kind == "Command" {
            document.describe(&parse(content, format)?);
            if document.steps.is_empty() {
                return Err(ServiceError::invalid_document_content(format!(
                    "The document {name} has no steps."
                )));
            }
        } else if let Ok(value) = parse(content, format) {
            document.describe(&value);
        }
        Ok(document)
    }

    /// Takes over what the content declares.
    fn describe(&mut self, content: &Value) {
        self.description = text(content.get("description"));
        self.schema_version = text(content.get("schemaVersion"));
        for (name, declared) in content.get("parameters").and_then(Value::as_object).into_iter().flatten() {
            self.parameters.insert(name.clone(), Declared::read(declared));
        }
        for step in content.get("mainSteps").and_then(Value::as_array).into_iter().flatten() {
            let action = text(step.get("action"));
            self.steps.push(Step { name: text(step.get("name")), platform: platform(step, &action) });
            self.take_timeout(step.get("inputs"));
        }
        for (action, config) in content.get("runtimeConfig").and_then(Value::as_object).into_iter().flatten()
        {
            self.steps.push(Step { name: action.clone(), platform: platform(config, action) });
            self.take_timeout(config.get("properties").and_then(|all| all.get(0).or(Some(all))));
        }
    }

    fn take_timeout(&mut self, inputs: Option<&Value>) {
        let given = inputs.and_then(|inputs| inputs.get("timeoutSeconds")).map(|value| text(Some(value)));
        self.timeout = self.timeout.take().or(given);
    }

    /// Whether any step does anything on this platform.
    pub(super) fn supports(&self, platform: Platform) -> bool {
        self.steps.iter().any(|step| step.runs_on(platform))
    }

    /// A parameter's value, given or by default.
    pub(super) fn value<'a>(&'a self, parameters: &'a Parameters, name: &str) -> Option<&'a str> {
        let given = parameters.get(name).or_else(|| self.parameters.get(name)?.default.as_ref())?;
        given.first().map(String::as_str)
    }

    /// Milliseconds a run may take: the steps' timeoutSeconds, which usually is `{{ executionTimeout }}`.
    pub(super) fn execution_timeout(&self, parameters: &Parameters) -> i64 {
        let written = self.timeout.as_deref().unwrap_or_default().trim();
        let value = match written.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
            Some(name) => self.value(parameters, name.trim()).unwrap_or_default(),
            None => written,
        };
        seconds(value.trim().parse().unwrap_or(EXECUTION_TIMEOUT).clamp(1, 172_800))
    }

    /// Whether these parameters fit (SSM API reference, InvalidParameters).
    pub(super) fn check(&self, parameters: &Parameters) -> Result<(), ServiceError> {
        let wrong = |message: String| Err(ServiceError::invalid_parameters(message));
        for (name, values) in parameters {
            let Some(declared) = self.parameters.get(name) else {
                return wrong(format!("The parameter {name} is not defined in the document {}.", self.name));
            };
            if declared.kind == "String" && values.len() != 1 {
                return wrong(format!(
                    "The parameter {name} is a String and takes one value, not {}.",
                    values.len()
                ));
            }
            let refused =
                values.iter().find(|value| !declared.allowed.is_empty() && !declared.allowed.contains(value));
            if let Some(value) = refused {
                let allowed = declared.allowed.join(", ");
                return wrong(format!("The parameter {name} has the value {value}; allowed are: {allowed}."));
            }
        }
        let missing = |(name, declared): &(&String, &Declared)| {
            declared.default.is_none() && !parameters.contains_key(name.as_str())
        };
        match self.parameters.iter().find(missing) {
            Some((name, _)) => wrong(format!("The document {} requires the parameter {name}.", self.name)),
            None => Ok(()),
        }
    }
}

impl Declared {
    fn read(declared: &Value) -> Self {
        let values = |value: &Value| match value {
            Value::Array(all) => all.iter().map(|one| text(Some(one))).collect(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                vec![text(Some(value))]
            }
        };
        Self {
            kind: text(declared.get("type")),
            description: text(declared.get("description")),
            default: declared.get("default").map(values),
            allowed: declared.get("allowedValues").map(values).unwrap_or_default(),
        }
    }
}

/// The platform of a step: its precondition's, or its action's.
fn platform(step: &Value, action: &str) -> Option<Platform> {
    let equals = step.pointer("/precondition/StringEquals").and_then(Value::as_array);
    let named = |name: &str| equals.is_some_and(|words| words.iter().any(|word| word == name));
    if named("Linux") || action == "aws:runShellScript" {
        return Some(Platform::Linux);
    }
    let windows = ["aws:applications", "aws:domainJoin", "aws:psModule", "aws:updateWindowsAgent"];
    (named("Windows") || windows.contains(&action)).then_some(Platform::Windows)
}

/// A scalar as text; nothing for nothing; anything else as JSON.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            other.to_string()
        }
    }
}

/// Reads the text of a document.
pub(super) fn parse(content: &str, format: &str) -> Result<Value, ServiceError> {
    let invalid = |error: String| {
        ServiceError::invalid_document_content(format!("The content is no {format}: {error}"))
    };
    let value: Value = match format {
        "JSON" => serde_json::from_str(content).map_err(|error| invalid(error.to_string()))?,
        _ => serde_saphyr::from_str(content).map_err(|error| invalid(error.to_string()))?,
    };
    if value.is_object() { Ok(value) } else { Err(invalid("it is not a mapping".to_owned())) }
}
