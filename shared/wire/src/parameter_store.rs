//! GetParameters, GetParameter, PutParameter.

use crate::{EpochSeconds, Tag};

structures! {
    /// SSM API reference, GetParameters.
    GetParametersRequest {
        /// 1 to 10 names. Required.
        names: Vec<String>,
        /// Whether secure strings are decrypted.
        with_decryption: bool,
    }

    /// SSM API reference, GetParameters' result.
    GetParametersResult {
        /// Those that exist, in no particular order.
        parameters: Vec<StoredParameter>,
        /// The names of those that do not.
        invalid_parameters: Vec<String>,
    }

    /// A parameter of Parameter Store. SSM API reference, Parameter.
    StoredParameter {
        /// Its name.
        name: String,
        /// `String`, `StringList` or `SecureString`.
        r#type: String,
        /// Its value; the items of a list with commas between them.
        value: String,
        /// Which version of it.
        version: i64,
        /// The version or label it was asked for by.
        selector: String,
        /// What another service answered, for parameters of that.
        source_result: String,
        /// When this version was made.
        last_modified_date: EpochSeconds,
        /// Its ARN.
        #[serde(rename = "ARN")]
        arn: String,
        /// `text`, `aws:ec2:image`, …
        data_type: String,
    }

    /// SSM API reference, GetParameter.
    GetParameterRequest {
        /// The name. Required.
        name: String,
        /// Whether a secure string is decrypted.
        with_decryption: bool,
    }

    /// SSM API reference, GetParameter's result.
    GetParameterResult {
        /// The parameter.
        parameter: StoredParameter,
    }

    /// SSM API reference, PutParameter.
    PutParameterRequest {
        /// The name. Required.
        name: String,
        /// What it is for.
        description: String,
        /// The value. Required.
        value: String,
        /// `String`, `StringList` or `SecureString`. Required of a new one.
        r#type: String,
        /// The key a secure string is encrypted with.
        key_id: String,
        /// Whether one that exists gets a new version.
        overwrite: bool,
        /// A pattern its values must fit.
        allowed_pattern: String,
        /// Its tags.
        tags: Vec<Tag>,
        /// `Standard`, `Advanced`, `Intelligent-Tiering`.
        tier: String,
        /// When it expires, and who is told; JSON.
        policies: String,
        /// `text` if absent.
        data_type: String,
    }

    /// SSM API reference, PutParameter's result.
    PutParameterResult {
        /// Its version from now on.
        version: i64,
        /// Its tier.
        tier: String,
    }
}
