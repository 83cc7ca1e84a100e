//! GetParameters.

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
    }
}
