//! Parameter Store, as far as runbooks read it: GetParameters, GetParameter, and PutParameter to fill it.

use super::Ssm;
use super::time::epoch;
use super::validate::{Violations, request};
use fleetwright_wire::{
    GetParameterRequest, GetParameterResult, GetParametersRequest, GetParametersResult, PutParameterRequest,
    PutParameterResult, ServiceError, StoredParameter,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Names of one call (SSM API reference, GetParameters.Names).
const NAMES_MAX: usize = 10;
/// Bytes of a standard parameter's value (SSM API reference, PutParameter.Value).
const VALUE_BYTES_MAX: usize = 4096;
const KINDS: [&str; 3] = ["String", "StringList", "SecureString"];

/// What is stored under a name.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    kind: String,
    value: String,
    version: i64,
    modified_at: i64,
    data_type: String,
}

impl Ssm {
    /// Stores a parameter: `kind` is `String`, `StringList` or `SecureString`.
    pub fn put_parameter(&mut self, name: &str, kind: &str, value: &str) {
        let version = self.parameters.get(name).map_or(1, |stored| stored.version + 1);
        let stored = Stored {
            kind: kind.to_owned(),
            value: value.to_owned(),
            version,
            modified_at: self.now.max(0),
            data_type: "text".to_owned(),
        };
        self.parameters.insert(name.to_owned(), stored);
    }

    /// SSM API reference, PutParameter. Policies, tags and patterns are not kept.
    pub(super) fn put_parameter_for_client(
        &mut self,
        body: &Value,
    ) -> Result<PutParameterResult, ServiceError> {
        let request: PutParameterRequest = request(body)?;
        let mut violations = Violations::default();
        violations.required("name", request.name.as_ref());
        violations.length("name", request.name.as_ref(), 1, 2048);
        violations.required("value", request.value.as_ref());
        violations.one_of("type", request.r#type.as_ref(), &KINDS);
        violations.one_of("tier", request.tier.as_ref(), &["Standard", "Advanced", "Intelligent-Tiering"]);
        violations.finish()?;
        let (name, value) = (request.name.unwrap_or_default(), request.value.unwrap_or_default());
        if value.is_empty() || value.len() > VALUE_BYTES_MAX {
            return Err(ServiceError::validation(format!(
                "The value must have 1 to {VALUE_BYTES_MAX} bytes."
            )));
        }
        let before = self.parameters.get(&name);
        if before.is_some() && request.overwrite != Some(true) {
            return Err(ServiceError::parameter_already_exists(
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
            ));
        }
        let kind = request.r#type.or_else(|| before.map(|stored| stored.kind.clone()));
        let kind = kind.ok_or_else(|| {
            ServiceError::validation("A parameter type is required when you create a parameter.")
        })?;
        self.put_parameter(&name, &kind, &value);
        if let (Some(stored), Some(data_type)) = (self.parameters.get_mut(&name), request.data_type) {
            stored.data_type = data_type;
        }
        Ok(PutParameterResult {
            version: self.parameters.get(&name).map(|stored| stored.version),
            tier: Some("Standard".to_owned()),
        })
    }

    /// SSM API reference, GetParameter.
    pub(super) fn get_parameter(&self, body: &Value) -> Result<GetParameterResult, ServiceError> {
        let request: GetParameterRequest = request(body)?;
        let mut violations = Violations::default();
        violations.required("name", request.name.as_ref());
        violations.length("name", request.name.as_ref(), 1, 2048);
        violations.finish()?;
        let name = request.name.unwrap_or_default();
        let found = self.stored(&name, request.with_decryption == Some(true));
        let absent = || ServiceError::parameter_not_found(format!("Parameter {name} not found."));
        Ok(GetParameterResult { parameter: Some(found.ok_or_else(absent)?) })
    }

    pub(super) fn get_parameters(&mut self, body: &Value) -> Result<GetParametersResult, ServiceError> {
        let request: GetParametersRequest = request(body)?;
        let mut violations = Violations::default();
        violations.required("names", request.names.as_ref());
        violations.count("names", request.names.as_deref(), 1, NAMES_MAX);
        violations.finish()?;
        let decrypted = request.with_decryption == Some(true);
        let mut result =
            GetParametersResult { parameters: Some(Vec::new()), invalid_parameters: Some(Vec::new()) };
        for name in request.names.into_iter().flatten().collect::<BTreeSet<_>>() {
            match self.stored(&name, decrypted) {
                Some(stored) => result.parameters.get_or_insert_default().push(stored),
                None => result.invalid_parameters.get_or_insert_default().push(name),
            }
        }
        Ok(result)
    }

    fn stored(&self, name: &str, decrypted: bool) -> Option<StoredParameter> {
        let stored = self.parameters.get(name)?;
        // Encrypted, it says nothing.
        let hidden = stored.kind == "SecureString" && !decrypted;
        let path = name.strip_prefix('/').unwrap_or(name);
        Some(StoredParameter {
            name: Some(name.to_owned()),
            r#type: Some(stored.kind.clone()),
            value: Some(if hidden { "AQIC".to_owned() } else { stored.value.clone() }),
            version: Some(stored.version),
            last_modified_date: Some(epoch(stored.modified_at)),
            arn: Some(format!(
                "arn:aws:ssm:{}:{}:parameter/{path}",
                self.options.region, self.options.account
            )),
            data_type: Some(stored.data_type.clone()),
            ..StoredParameter::default()
        })
    }
}
