//! Starting an execution.

use crate::error::{Known, known, words};
use crate::planted::{Bug, is_planted};
use crate::{Allowance, Error, Operation, Orchestrator};
use aws_sdk_ssm::types::{DocumentType, ParameterType};
use fleetwright_engine::{Document, ExecutionId, Rejection, Start, start, stored_names};
use fleetwright_runbook::{Diagnostic, Global, ParameterDefault, Reference, Runbook};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use uuid::Uuid;

/// SSM API reference, StartAutomationExecution.
#[derive(Debug, Clone, Default)]
pub struct StartRequest {
    /// Name or ARN.
    pub document_name: String,
    /// Version; SSM's default if absent.
    pub document_version: Option<String>,
    /// Parameters, each a list of text.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// Makes the same start twice one execution.
    pub client_token: Option<String>,
    /// The tags of the execution, by key.
    pub tags: BTreeMap<String, String>,
    /// The caller.
    pub executed_by: String,
}

/// Names of one GetParameters (SSM API reference).
const NAMES_MAX: usize = 10;
/// Problems of a runbook that one error message names.
const DIAGNOSTICS_SHOWN: usize = 5;

impl Orchestrator {
    /// Starts an execution and does all that can be done at once. A request that is refused leaves no trace.
    ///
    /// # Errors
    /// [`Error::Refused`] with SSM's error name: unknown or unreadable runbook, wrong parameters, a client token used
    /// with another request.
    pub async fn start(&self, request: &StartRequest, turn: Allowance) -> Result<ExecutionId, Error> {
        let id = self.identify(request);
        let digest = request_digest(request);
        // Before anything is written: a token used for something else must leave no trace of the new request.
        if request.client_token.is_some()
            && let Some(existing) = self.table.request_of(&id).await?
        {
            same_request(&existing, &digest)?;
            self.advance_started(&id, turn).await;
            return Ok(id);
        }
        let (document, text) = self.read_document(request).await?;
        let runbook = fleetwright_runbook::parse(&text).map_err(|wrong| unreadable(request, &wrong))?;
        let role = self.role(&runbook, request)?;
        let listed = || Error::Ours("a role that was found a moment ago".to_owned());
        let actor = self.acting_as(role.as_deref()).ok_or_else(listed)?;
        let stored = actor.stored(&runbook, &request.parameters).await?;
        let now = self.now();
        let mut execution = start(
            Start {
                id: id.clone(),
                document,
                place: self.config.place.clone(),
                parameters: request.parameters.clone(),
                stored,
                answered: self.config.answered.clone(),
                executed_by: request.executed_by.clone(),
                announced: self.config.people_topic_arn.is_some() || self.config.event_bus.is_some(),
            },
            &runbook,
            now,
        )
        .map_err(refused)?;
        execution.role = role;
        execution.tags.clone_from(&request.tags);
        execution.check().map_err(|wrong| Error::Refused {
            code: "ValidationException".to_owned(),
            message: format!("the request is too large: {wrong}"),
        })?;
        self.table.keep_document(&execution.document.sha256, &text, now).await?;
        self.remember(&execution.document.sha256, runbook);
        if let Some(existing) = self.table.create(&execution, &digest, now).await? {
            same_request(&existing, &digest)?;
        }
        tracing::info!(execution = %id, document = %request.document_name, "started");
        self.advance_started(&id, turn).await;
        Ok(id)
    }

    /// It is started, and due: whatever keeps it from going on at once, reconcile goes on.
    async fn advance_started(&self, id: &ExecutionId, turn: Allowance) {
        if let Err(error) = self.advance(id, turn).await {
            tracing::warn!(execution = %id, %error, "started, not advanced");
        }
    }

    fn identify(&self, request: &StartRequest) -> ExecutionId {
        match request.client_token.as_ref().filter(|_| !is_planted(Bug::ClientTokenIgnored)) {
            None => ExecutionId::new(self.entropy.uuid()),
            // Case-insensitive by the API, and the caller's own.
            Some(token) => {
                let name = format!("start/{}/{}", request.executed_by, token.to_lowercase());
                ExecutionId::new(Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string())
            }
        }
    }

    async fn read_document(&self, request: &StartRequest) -> Result<(Document, String), Error> {
        let name = &request.document_name;
        let answer = self
            .ssm()
            .get_document()
            .name(name)
            .set_document_version(request.document_version.clone())
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(not_found(request, &error)),
        };
        if answer.document_type.as_ref().is_some_and(|kind| *kind != DocumentType::Automation) {
            return Err(Error::Refused {
                code: "AutomationDefinitionNotFoundException".to_owned(),
                message: format!("{name} is not an Automation document"),
            });
        }
        let text = answer.content.unwrap_or_default();
        let document = Document {
            name: name.clone(),
            version: answer.document_version.unwrap_or_else(|| "1".to_owned()),
            sha256: hex(&Sha256::digest(text.as_bytes())),
        };
        Ok((document, text))
    }

    /// What Parameter Store holds for `{{ssm:name}}` defaults (User Guide, automation-variables: String and StringList
    /// only). A name that does not exist there is the start's to refuse.
    async fn stored(
        &self,
        runbook: &Runbook,
        given: &BTreeMap<String, Vec<String>>,
    ) -> Result<BTreeMap<String, String>, Error> {
        let names: Vec<String> = stored_names(runbook, given).into_iter().collect();
        let mut stored = BTreeMap::new();
        for names in names.chunks(NAMES_MAX) {
            let answer = self
                .patiently(async || {
                    let answer = self.ssm().get_parameters().set_names(Some(names.to_vec())).send().await;
                    answer.map_err(|error| Error::of(Operation::GetParameters, &error))
                })
                .await?;
            for parameter in answer.parameters.unwrap_or_default() {
                let name = parameter.name.unwrap_or_default() + &parameter.selector.unwrap_or_default();
                if parameter.r#type == Some(ParameterType::SecureString) {
                    return Err(Error::Refused {
                        code: "InvalidAutomationExecutionParametersException".to_owned(),
                        message: format!("{{{{ssm:{name}}}}} is a SecureString, which cannot be a default"),
                    });
                }
                stored.insert(name, parameter.value.unwrap_or_default());
            }
        }
        Ok(stored)
    }

    /// Empty means the deployment's own role; any other is one the deployment lists, or the start is refused.
    /// Known before anything is read in it: from what is given, and from defaults that are written down.
    fn role(&self, runbook: &Runbook, request: &StartRequest) -> Result<Option<String>, Error> {
        let Some(template) = &runbook.assume_role else { return Ok(None) };
        let look_up = |reference: &Reference| match reference {
            Reference::Parameter(name) => {
                let given = request.parameters.get(name.as_str()).and_then(|texts| texts.first());
                let default =
                    runbook.parameter(name.as_str()).and_then(|parameter| parameter.default.as_ref());
                match (given, default) {
                    (Some(given), _) => Ok(json!(given)),
                    (None, Some(ParameterDefault::Value(value))) => Ok(value.clone()),
                    (None, Some(ParameterDefault::Store { .. })) => Err(()),
                    // Required: that it is missing is said when parameters are bound.
                    (None, None) => Ok(json!("")),
                }
            }
            Reference::Global(Global::AccountId) => Ok(json!(self.config.place.account_id)),
            Reference::Global(Global::Region) => Ok(json!(self.config.place.region)),
            Reference::Global(Global::AwsPartition) => Ok(json!(self.config.place.partition)),
            Reference::Global(Global::Date | Global::DateTime)
            | Reference::ExecutionId
            | Reference::ResourceId
            | Reference::StepOutput { .. }
            | Reference::Variable(_) => Err(()),
        };
        let named = template.references().next().map_or_else(|| "assumeRole".to_owned(), ToString::to_string);
        let refused = |message: &str| Error::Refused {
            code: "InvalidAutomationExecutionParametersException".to_owned(),
            message: format!("{named}: {message}"),
        };
        let role =
            template.resolve(&look_up).map_err(|()| refused("it is not known when the execution starts"))?;
        let role = role.as_str().map_or_else(|| role.to_string(), |text| text.trim().to_owned());
        if role.is_empty() {
            return Ok(None);
        }
        if self.acting_as(Some(&role)).is_none() {
            return Err(refused(
                "this deployment does not list that role; leave it empty for the deployment's own",
            ));
        }
        Ok(Some(role))
    }
}

fn not_found<E>(
    request: &StartRequest,
    error: &aws_sdk_ssm::error::SdkError<E, aws_smithy_runtime_api::client::orchestrator::HttpResponse>,
) -> Error
where
    E: aws_sdk_ssm::error::ProvideErrorMetadata,
{
    let name = &request.document_name;
    let refused = |code: &str, message: String| Error::Refused { code: code.to_owned(), message };
    match (known(error), words(error).0.as_str()) {
        (Known::Rejected, "InvalidDocument") => {
            refused("AutomationDefinitionNotFoundException", format!("there is no document {name}"))
        }
        (Known::Rejected, "InvalidDocumentVersion") => refused(
            "AutomationDefinitionVersionNotFoundException",
            format!("{name} has no version {}", request.document_version.as_deref().unwrap_or("$DEFAULT")),
        ),
        (Known::Rejected, "ValidationException") => refused("ValidationException", words(error).1),
        _ => Error::of(Operation::GetDocument, error),
    }
}

/// Each problem with its place in the document's text.
fn unreadable(request: &StartRequest, wrong: &[Diagnostic]) -> Error {
    let shown: Vec<String> =
        wrong.iter().take(DIAGNOSTICS_SHOWN).map(|d| format!("{}: {}", d.position, d.message)).collect();
    let more = wrong.len().saturating_sub(DIAGNOSTICS_SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Error::Refused {
        code: "ValidationException".to_owned(),
        message: format!("{} is not a valid runbook: {}{more}", request.document_name, shown.join("; ")),
    }
}

fn refused(rejection: Rejection) -> Error {
    match rejection {
        Rejection::Refused { code, message } => Error::Refused { code: code.to_owned(), message },
        other @ (Rejection::Needs(_) | Rejection::Stale(_) | Rejection::Illegal(_)) => {
            Error::Ours(other.to_string())
        }
    }
}

/// A client token stands for one request.
fn same_request(existing: &str, digest: &str) -> Result<(), Error> {
    if existing == digest {
        return Ok(());
    }
    Err(Error::Refused {
        code: "IdempotentParameterMismatch".to_owned(),
        message: "ClientToken was used with another request".to_owned(),
    })
}

fn request_digest(request: &StartRequest) -> String {
    let mut text =
        json!([request.document_name, request.document_version, request.parameters, request.executed_by]);
    // Left out where there are none: starts without tags keep the digest they always had.
    if let (Some(members), false) = (text.as_array_mut(), request.tags.is_empty()) {
        members.push(json!(request.tags));
    }
    hex(&Sha256::digest(text.to_string().as_bytes()))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
