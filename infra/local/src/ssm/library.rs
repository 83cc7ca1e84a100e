//! Documents one at a time: GetDocument, DescribeDocument, CreateDocument, UpdateDocument,
//! UpdateDocumentDefaultVersion, DeleteDocument.

use super::Ssm;
use super::document::{Document, Labels, parse};
use super::shelf::Shelf;
use super::time::epoch;
use super::validate::{Violations, request};
use crate::fleet::Platform;
use fleetwright_wire as wire;
use fleetwright_wire::{
    CreateDocumentRequest, CreateDocumentResult, DeleteDocumentRequest, DeleteDocumentResult,
    DescribeDocumentRequest, DescribeDocumentResult, DocumentDefaultVersionDescription, GetDocumentRequest,
    GetDocumentResult, ServiceError, UpdateDocumentDefaultVersionRequest, UpdateDocumentDefaultVersionResult,
    UpdateDocumentRequest, UpdateDocumentResult,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

const KINDS: [&str; 17] = [
    "Command",
    "Policy",
    "Automation",
    "Session",
    "Package",
    "ApplicationConfiguration",
    "ApplicationConfigurationSchema",
    "DeploymentStrategy",
    "ChangeCalendar",
    "Automation.ChangeTemplate",
    "ProblemAnalysis",
    "ProblemAnalysisTemplate",
    "CloudFormation",
    "ConformancePackTemplate",
    "QuickSetup",
    "ManualApprovalPolicy",
    "AutoApprovalPolicy",
];
const FORMATS: [&str; 3] = ["YAML", "JSON", "TEXT"];
/// Versions of one document (Systems Manager quotas).
const VERSIONS_MAX: usize = 1000;

impl Ssm {
    /// SSM API reference, GetDocument. Without a format the text is told as it was written.
    pub(super) fn get_document(&self, body: &serde_json::Value) -> Result<GetDocumentResult, ServiceError> {
        let request: GetDocumentRequest = request(body)?;
        let mut violations = Violations::default();
        violations.required("name", request.name.as_ref());
        violations.document_name("name", request.name.as_ref());
        violations.document_version(request.document_version.as_ref());
        violations.one_of("documentFormat", request.document_format.as_ref(), &FORMATS);
        version_name(&mut violations, request.version_name.as_ref());
        violations.finish()?;
        let name = request.name.as_deref().unwrap_or_default();
        let (version, version_name) = (request.document_version.as_deref(), request.version_name.as_deref());
        let document = self.library.find_named(name, version, version_name)?;
        let labels = document.labels.clone();
        let format = request.document_format.unwrap_or_else(|| document.format.clone());
        let content = match (document.format.as_str(), format.as_str()) {
            ("YAML", "JSON") => {
                let value = parse(&document.content, "YAML")?;
                serde_json::to_string_pretty(&value).unwrap_or_else(|_| document.content.clone())
            }
            // JSON is YAML.
            _ => document.content.clone(),
        };
        Ok(GetDocumentResult {
            name: Some(document.name.to_string()),
            created_date: Some(epoch(document.created_at)),
            display_name: labels.display_name,
            version_name: labels.version_name,
            requires: labels.requires,
            document_version: Some(document.version.to_string()),
            status: Some("Active".to_owned()),
            content: Some(content),
            document_type: Some(document.kind.clone()),
            document_format: Some(format),
            attachments_content: Some(Vec::new()),
            ..GetDocumentResult::default()
        })
    }

    /// SSM API reference, CreateDocument.
    pub(super) fn create_document(
        &mut self,
        body: &serde_json::Value,
    ) -> Result<CreateDocumentResult, ServiceError> {
        let request: CreateDocumentRequest = request(body)?;
        let mut violations = Violations::default();
        violations.required("content", request.content.as_ref());
        violations.length("content", request.content.as_ref(), 1, usize::MAX);
        own_name(&mut violations, request.name.as_ref());
        violations.one_of("documentType", request.document_type.as_ref(), &KINDS);
        violations.one_of("documentFormat", request.document_format.as_ref(), &FORMATS);
        version_name(&mut violations, request.version_name.as_ref());
        violations.length("displayName", request.display_name.as_ref(), 0, 1024);
        violations.length("targetType", request.target_type.as_ref(), 0, 200);
        violations.finish()?;
        let name = request.name.unwrap_or_default();
        if self.library.contains(&name) {
            return Err(ServiceError::document_already_exists(format!(
                "Document with name {name} already exists."
            )));
        }
        let content = request.content.unwrap_or_default();
        let kind = request.document_type.unwrap_or_else(|| "Command".to_owned());
        let format = request.document_format.unwrap_or_else(|| "JSON".to_owned());
        let mut document = readable(&name, &content, &kind, &format, self.now)?;
        document.labels = Labels {
            version_name: request.version_name,
            display_name: request.display_name,
            target_type: request.target_type,
            requires: request.requires,
        };
        self.library.add(document, true);
        self.library.own(&name)?.tags = request.tags;
        let description = self.describe(&name, None, None)?;
        Ok(CreateDocumentResult { document_description: Some(description) })
    }

    /// SSM API reference, UpdateDocument: a new version beside the others, which does not become the default.
    pub(super) fn update_document(
        &mut self,
        body: &serde_json::Value,
    ) -> Result<UpdateDocumentResult, ServiceError> {
        let request: UpdateDocumentRequest = request(body)?;
        let mut violations = Violations::default();
        violations.required("content", request.content.as_ref());
        violations.length("content", request.content.as_ref(), 1, usize::MAX);
        own_name(&mut violations, request.name.as_ref());
        violations.document_version(request.document_version.as_ref());
        violations.one_of("documentFormat", request.document_format.as_ref(), &FORMATS);
        version_name(&mut violations, request.version_name.as_ref());
        violations.length("displayName", request.display_name.as_ref(), 0, 1024);
        violations.length("targetType", request.target_type.as_ref(), 0, 200);
        violations.finish()?;
        let name = request.name.unwrap_or_default();
        let now = self.now;
        let shelf = self.library.own(&name)?;
        let latest = updatable(shelf, request.document_version.as_deref())?;
        if request.version_name.is_some()
            && shelf.versions.values().any(|other| other.labels.version_name == request.version_name)
        {
            return Err(ServiceError::duplicate_document_version_name(format!(
                "Document {name} has a version of this name already."
            )));
        }
        let content = request.content.unwrap_or_default();
        if latest.content == content {
            return Err(ServiceError::duplicate_document_content(format!(
                "The content is that of version {} of document {name}.",
                latest.version
            )));
        }
        let format = request.document_format.unwrap_or_else(|| "JSON".to_owned());
        let mut document = readable(&name, &content, &latest.kind, &format, now)?;
        document.labels = Labels {
            version_name: request.version_name,
            display_name: request.display_name.or_else(|| latest.labels.display_name.clone()),
            target_type: request.target_type.or_else(|| latest.labels.target_type.clone()),
            requires: latest.labels.requires.clone(),
        };
        self.library.add(document, false);
        let description = self.describe(&name, Some("$LATEST"), None)?;
        Ok(UpdateDocumentResult { document_description: Some(description) })
    }

    /// SSM API reference, UpdateDocumentDefaultVersion.
    pub(super) fn update_document_default_version(
        &mut self,
        body: &serde_json::Value,
    ) -> Result<UpdateDocumentDefaultVersionResult, ServiceError> {
        let request: UpdateDocumentDefaultVersionRequest = request(body)?;
        let mut violations = Violations::default();
        own_name(&mut violations, request.name.as_ref());
        violations.required("documentVersion", request.document_version.as_ref());
        violations.pattern("documentVersion", request.document_version.as_ref(), "(^[1-9][0-9]*$)", |text| {
            !text.is_empty() && !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
        });
        violations.finish()?;
        let name = request.name.unwrap_or_default();
        self.library.own(&name)?;
        let document = Arc::clone(self.library.find(&name, request.document_version.as_deref())?);
        self.library.own(&name)?.default = document.version;
        Ok(UpdateDocumentDefaultVersionResult {
            description: Some(DocumentDefaultVersionDescription {
                name: Some(name),
                default_version: Some(document.version.to_string()),
                default_version_name: document.labels.version_name.clone(),
            }),
        })
    }

    /// SSM API reference, DescribeDocument.
    pub(super) fn describe_document(
        &self,
        body: &serde_json::Value,
    ) -> Result<DescribeDocumentResult, ServiceError> {
        let request: DescribeDocumentRequest = request(body)?;
        let mut violations = Violations::default();
        violations.required("name", request.name.as_ref());
        violations.document_name("name", request.name.as_ref());
        violations.document_version(request.document_version.as_ref());
        version_name(&mut violations, request.version_name.as_ref());
        violations.finish()?;
        let name = request.name.as_deref().unwrap_or_default();
        let (version, version_name) = (request.document_version.as_deref(), request.version_name.as_deref());
        Ok(DescribeDocumentResult { document: Some(self.describe(name, version, version_name)?) })
    }

    /// SSM API reference, DeleteDocument: all versions, or one that is not the default.
    pub(super) fn delete_document(
        &mut self,
        body: &serde_json::Value,
    ) -> Result<DeleteDocumentResult, ServiceError> {
        let request: DeleteDocumentRequest = request(body)?;
        let mut violations = Violations::default();
        own_name(&mut violations, request.name.as_ref());
        violations.document_version(request.document_version.as_ref());
        version_name(&mut violations, request.version_name.as_ref());
        violations.finish()?;
        let name = request.name.unwrap_or_default();
        let (version, version_name) = (request.document_version.as_deref(), request.version_name.as_deref());
        let number = self.library.find_named(&name, version, version_name)?.version;
        let shelf = self.library.own(&name)?;
        if version.is_none() && version_name.is_none() {
            self.library.remove(&name);
        } else if number == shelf.default {
            return Err(ServiceError::invalid_document_operation(format!(
                "Version {number} is the default version of document {name} and cannot be deleted."
            )));
        } else {
            shelf.versions.remove(&number);
        }
        Ok(DeleteDocumentResult {})
    }

    /// A version as DescribeDocument tells it.
    fn describe(
        &self,
        name: &str,
        version: Option<&str>,
        version_name: Option<&str>,
    ) -> Result<wire::DocumentDescription, ServiceError> {
        let document = self.library.find_named(name, version, version_name)?;
        Ok(description(document, self.library.shelf(name)?, &self.options.account))
    }
}

/// A name that the model allows for documents of one's own.
fn own_name(violations: &mut Violations, name: Option<&String>) {
    violations.required("name", name);
    violations.pattern("name", name, r"^[a-zA-Z0-9_\-.]{3,128}$", |name| {
        (3..=128).contains(&name.len()) && fits(name)
    });
}

fn version_name(violations: &mut Violations, name: Option<&String>) {
    violations.pattern("versionName", name, r"^[a-zA-Z0-9_\-.]{1,128}$", |name| {
        (1..=128).contains(&name.len()) && fits(name)
    });
}

fn fits(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

/// Reads a document, with what SSM checks of those it is given.
fn readable(name: &str, content: &str, kind: &str, format: &str, now: i64) -> Result<Document, ServiceError> {
    let document = Document::read(name, content, kind, format, now)?;
    if kind == "Automation" && (parse(content, format)?.is_null() || document.schema_version != "0.3") {
        return Err(ServiceError::invalid_document_schema_version(format!(
            "Automation documents have the schema version 0.3, not '{}'.",
            document.schema_version
        )));
    }
    Ok(document)
}

/// The version that an update names, which must be the latest.
fn updatable(shelf: &Shelf, version: Option<&str>) -> Result<Arc<Document>, ServiceError> {
    if shelf.versions.len() >= VERSIONS_MAX {
        let message = format!("A document has at most {VERSIONS_MAX} versions.");
        return Err(ServiceError::new("DocumentVersionLimitExceeded", message));
    }
    let latest = shelf.latest();
    let named = match version {
        None | Some("$LATEST") => latest,
        Some("$DEFAULT") => shelf.default,
        Some(number) => number.parse().unwrap_or_default(),
    };
    shelf.versions.get(&named).filter(|_| named == latest).cloned().ok_or_else(|| {
        ServiceError::invalid_document_version(format!(
            "Only the latest version of a document can be updated, which is {latest}."
        ))
    })
}

fn description(document: &Document, shelf: &Shelf, account: &str) -> wire::DocumentDescription {
    let parameters = document.parameters.iter().map(|(name, declared)| wire::DocumentParameter {
        name: Some(name.clone()),
        kind: Some(if declared.kind == "StringList" { "StringList" } else { "String" }.to_owned()),
        description: Some(declared.description.clone()),
        default_value: declared.default.as_ref().map(|values| match declared.kind.as_str() {
            "StringList" => serde_json::to_string(values).unwrap_or_default(),
            _ => values.join(","),
        }),
    });
    let Labels { version_name, display_name, target_type, requires } = document.labels.clone();
    wire::DocumentDescription {
        hash: Some(Sha256::digest(&document.content).iter().map(|byte| format!("{byte:02x}")).collect()),
        hash_type: Some("Sha256".to_owned()),
        name: Some(document.name.to_string()),
        display_name,
        version_name,
        owner: Some(owner(shelf, account)),
        created_date: Some(epoch(document.created_at)),
        status: Some("Active".to_owned()),
        document_version: Some(document.version.to_string()),
        description: Some(document.description.clone()),
        parameters: Some(parameters.collect()),
        platform_types: Some(platforms(document)),
        document_type: Some(document.kind.clone()),
        schema_version: Some(document.schema_version.clone()),
        latest_version: Some(shelf.latest().to_string()),
        default_version: Some(shelf.default.to_string()),
        document_format: Some(document.format.clone()),
        target_type,
        tags: shelf.tags.clone(),
        requires,
        ..wire::DocumentDescription::default()
    }
}

/// Who owns a document, as SSM names it.
pub(super) fn owner(shelf: &Shelf, account: &str) -> String {
    if shelf.amazon { "Amazon".to_owned() } else { account.to_owned() }
}

/// Platforms a document supports.
pub(super) fn platforms(document: &Document) -> Vec<String> {
    let platforms = [Platform::Windows, Platform::Linux].into_iter();
    let supported = platforms.filter(|platform| document.kind != "Command" || document.supports(*platform));
    supported.map(|platform| platform.name().to_owned()).collect()
}
