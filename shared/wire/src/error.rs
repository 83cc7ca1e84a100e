//! Errors as SSM answers them.

use serde_json::{Value, json};

/// An error of the service: the name clients match on, and a message for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    /// The shape's name, such as `InvalidInstanceId`.
    pub code: String,
    /// What is wrong, naming the thing. Empty where SSM says nothing but the name.
    pub message: String,
}

/// How SSM spells the message of an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelling {
    /// Shapes of SSM's own model: `Message`.
    Modelled,
    /// Shapes common to all services, and SSM's shapes without members: `message`, left out when empty.
    Common,
}

macro_rules! constructors {
    ($( $(#[$meta:meta])* $function:ident = $code:literal $spelling:ident, )*) => {
        impl ServiceError {
            $( $(#[$meta])* pub fn $function(message: impl Into<String>) -> Self { Self::new($code, message) } )*
        }

        fn spelling(code: &str) -> Spelling {
            match code { $( $code => Spelling::$spelling, )* _ => Spelling::Common }
        }
    };
}

constructors! {
    /// The document of an automation does not exist.
    automation_definition_not_found = "AutomationDefinitionNotFoundException" Modelled,
    /// The version of an automation's document does not exist.
    automation_definition_version_not_found = "AutomationDefinitionVersionNotFoundException" Modelled,
    /// Too many automations run at the same time.
    automation_execution_limit_exceeded = "AutomationExecutionLimitExceededException" Modelled,
    /// There is no automation execution with this id.
    automation_execution_not_found = "AutomationExecutionNotFoundException" Modelled,
    /// The signal names a step that does not exist.
    automation_step_not_found = "AutomationStepNotFoundException" Modelled,
    /// A document of this name exists already.
    document_already_exists = "DocumentAlreadyExists" Modelled,
    /// The account has as many documents as it may have.
    document_limit_exceeded = "DocumentLimitExceeded" Modelled,
    /// The new text of a document is the text it has.
    duplicate_document_content = "DuplicateDocumentContent" Modelled,
    /// Another version of the document has this name.
    duplicate_document_version_name = "DuplicateDocumentVersionName" Modelled,
    /// The same node id twice in one request. SSM's shape has no message.
    duplicate_instance_id = "DuplicateInstanceId" Common,
    /// A client token was used before with other parameters.
    idempotent_parameter_mismatch = "IdempotentParameterMismatch" Modelled,
    /// Something failed on the service's side; whether the call took effect is unknown.
    internal_server_error = "InternalServerError" Modelled,
    /// A signal that this execution, in this state, does not take.
    invalid_automation_signal = "InvalidAutomationSignalException" Modelled,
    /// Parameters do not fit the automation's document.
    invalid_automation_execution_parameters = "InvalidAutomationExecutionParametersException" Modelled,
    /// The execution has ended, or is not in a state that can be stopped.
    invalid_automation_status_update = "InvalidAutomationStatusUpdateException" Modelled,
    /// There is no command with this id, or it is not visible yet. SSM's shape has no message.
    invalid_command_id = "InvalidCommandId" Common,
    /// The document does not exist or is not shared with the caller.
    invalid_document = "InvalidDocument" Modelled,
    /// The text of a document cannot be read or breaks a rule.
    invalid_document_content = "InvalidDocumentContent" Modelled,
    /// Something that cannot be done to this document or version.
    invalid_document_operation = "InvalidDocumentOperation" Modelled,
    /// The document's schema version is not one SSM knows.
    invalid_document_schema_version = "InvalidDocumentSchemaVersion" Modelled,
    /// The document has no such version.
    invalid_document_version = "InvalidDocumentVersion" Modelled,
    /// The filter's key is not one the operation knows. SSM's shape has no message.
    invalid_filter_key = "InvalidFilterKey" Common,
    /// The filter's value is not one its key knows.
    invalid_filter_value = "InvalidFilterValue" Modelled,
    /// A node that does not exist, is not managed, or is not in a state to run commands.
    invalid_instance_id = "InvalidInstanceId" Modelled,
    /// A filter of nodes has a value that its key doesn't know.
    invalid_instance_information_filter_value = "InvalidInstanceInformationFilterValue" Common,
    /// A token that this service did not issue for this request.
    invalid_next_token = "InvalidNextToken" Modelled,
    /// A notification configuration SSM cannot use.
    invalid_notification_config = "InvalidNotificationConfig" Modelled,
    /// The bucket for outputs does not exist. SSM's shape has no message.
    invalid_output_folder = "InvalidOutputFolder" Common,
    /// A required parameter is missing, or one is not declared in the document.
    invalid_parameters = "InvalidParameters" Modelled,
    /// The document has no such step. SSM's shape has no message.
    invalid_plugin_name = "InvalidPluginName" Common,
    /// The role for notifications cannot be used.
    invalid_role = "InvalidRole" Modelled,
    /// The targets of an automation cannot be used.
    invalid_target = "InvalidTarget" Modelled,
    /// The command has no invocation on this node, or it is not visible yet. SSM's shape has no message.
    invocation_does_not_exist = "InvocationDoesNotExist" Common,
    /// The document, or the document and the parameters for it, exceed 64 KB.
    max_document_size_exceeded = "MaxDocumentSizeExceeded" Modelled,
    /// A parameter of this name exists, and was not to be overwritten.
    parameter_already_exists = "ParameterAlreadyExists" Common,
    /// There is no parameter of this name.
    parameter_not_found = "ParameterNotFound" Common,
    /// The document does not support the platform of a node.
    unsupported_platform_type = "UnsupportedPlatformType" Modelled,
    /// The caller may not do this.
    access_denied = "AccessDeniedException" Common,
    /// The request body cannot be read as the operation's request.
    serialization = "SerializationException" Common,
    /// Too many requests; this one was not executed.
    throttling = "ThrottlingException" Common,
    /// The service has no such operation.
    unknown_operation = "UnknownOperationException" Common,
    /// A member of the request breaks a constraint of the model.
    validation = "ValidationException" Common,
}

impl ServiceError {
    /// An error of any name.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }

    /// The HTTP status it is answered with: 500 where the service failed, 400 where the caller did.
    pub fn http_status(&self) -> u16 {
        match self.code.as_str() {
            "InternalServerError" | "InternalFailure" => 500,
            "ServiceUnavailableException" | "ServiceUnavailable" => 503,
            _ => 400,
        }
    }

    /// The response body.
    pub fn body(&self) -> Value {
        match spelling(&self.code) {
            Spelling::Modelled => json!({"__type": self.code, "Message": self.message}),
            Spelling::Common if self.message.is_empty() => json!({"__type": self.code}),
            Spelling::Common => json!({"__type": self.code, "message": self.message}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_body_and_status() {
        let error = ServiceError::invalid_instance_id("i-1 is not registered");
        assert_eq!(error.body(), json!({"__type": "InvalidInstanceId", "Message": "i-1 is not registered"}));
        assert_eq!(error.http_status(), 400);
        assert_eq!(ServiceError::invalid_command_id("").body(), json!({"__type": "InvalidCommandId"}));
        assert_eq!(
            ServiceError::throttling("Rate exceeded").body(),
            json!({"__type": "ThrottlingException", "message": "Rate exceeded"})
        );
        assert_eq!(ServiceError::internal_server_error("").http_status(), 500);
    }
}
