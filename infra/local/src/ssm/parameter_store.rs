//! Parameter Store, as far as runbooks read it: GetParameters.

use super::Ssm;
use super::validate::{Violations, request};
use fleetwright_wire::{GetParametersRequest, GetParametersResult, ServiceError, StoredParameter};
use serde_json::Value;
use std::collections::BTreeSet;

/// Names of one call (SSM API reference, GetParameters.Names).
const NAMES_MAX: usize = 10;

/// What is stored under a name.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    kind: String,
    value: String,
}

impl Ssm {
    /// Stores a parameter: `kind` is `String`, `StringList` or `SecureString`.
    pub fn put_parameter(&mut self, name: &str, kind: &str, value: &str) {
        self.parameters.insert(name.to_owned(), Stored { kind: kind.to_owned(), value: value.to_owned() });
    }

    pub(super) fn get_parameters(&mut self, body: &Value) -> Result<GetParametersResult, ServiceError> {
        let request: GetParametersRequest = request(body)?;
        let names = request.names.unwrap_or_default();
        let mut violations = Violations::default();
        violations.count("names", Some(&names), 1, NAMES_MAX);
        violations.finish()?;
        let mut result =
            GetParametersResult { parameters: Some(Vec::new()), invalid_parameters: Some(Vec::new()) };
        for name in names.into_iter().collect::<BTreeSet<_>>() {
            match self.parameters.get(&name) {
                Some(stored) => result.parameters.get_or_insert_default().push(StoredParameter {
                    r#type: Some(stored.kind.clone()),
                    // Encrypted, it says nothing.
                    value: Some(if stored.kind == "SecureString" {
                        "AQIC".to_owned()
                    } else {
                        stored.value.clone()
                    }),
                    version: Some(1),
                    name: Some(name),
                }),
                None => result.invalid_parameters.get_or_insert_default().push(name),
            }
        }
        Ok(result)
    }
}
