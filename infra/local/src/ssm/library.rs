//! GetDocument and CreateDocument.

use super::Ssm;
use super::document::{Document, parse};
use super::time::epoch;
use super::validate::{Violations, request};
use crate::fleet::Platform;
use fleetwright_wire as wire;
use fleetwright_wire::{
    CreateDocumentRequest, CreateDocumentResult, GetDocumentRequest, GetDocumentResult, ServiceError,
};

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

impl Ssm {
    /// SSM API reference, GetDocument. Without a format the text is told as it was written.
    pub(super) fn get_document(&self, body: &serde_json::Value) -> Result<GetDocumentResult, ServiceError> {
        let request: GetDocumentRequest = request(body)?;
        let mut violations = Violations::default();
        violations.required("name", request.name.as_ref());
        violations.document_name("name", request.name.as_ref());
        violations.document_version(request.document_version.as_ref());
        violations.one_of("documentFormat", request.document_format.as_ref(), &FORMATS);
        violations.finish()?;
        let name = request.name.as_deref().unwrap_or_default();
        let document = self.library.find(name, request.document_version.as_deref())?;
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
        violations.required("name", request.name.as_ref());
        violations.document_name("name", request.name.as_ref());
        violations.one_of("documentType", request.document_type.as_ref(), &KINDS);
        violations.one_of("documentFormat", request.document_format.as_ref(), &FORMATS);
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
        let document = Document::read(&name, &content, &kind, &format, self.now)?;
        if kind == "Automation" && (parse(&content, &format)?.is_null() || document.schema_version != "0.3") {
            return Err(ServiceError::invalid_document_schema_version(format!(
                "Automation documents have the schema version 0.3, not '{}'.",
                document.schema_version
            )));
        }
        let description = description(&self.library.add(document), &self.options.account);
        Ok(CreateDocumentResult {
            document_description: Some(wire::DocumentDescription { tags: request.tags, ..description }),
        })
    }
}

fn description(document: &Document, owner: &str) -> wire::DocumentDescription {
    let parameters = document.parameters.iter().map(|(name, declared)| wire::DocumentParameter {
        name: Some(name.clone()),
        kind: Some(if declared.kind == "StringList" { "StringList" } else { "String" }.to_owned()),
        description: Some(declared.description.clone()),
        default_value: declared.default.as_ref().map(|values| match declared.kind.as_str() {
            "StringList" => serde_json::to_string(values).unwrap_or_default(),
            _ => values.join(","),
        }),
    });
    let platforms = [Platform::Windows, Platform::Linux].into_iter();
    let supported = platforms.filter(|platform| document.kind != "Command" || document.supports(*platform));
    wire::DocumentDescription {
        name: Some(document.name.to_string()),
        owner: Some(owner.to_owned()),
        created_date: Some(epoch(document.created_at)),
        status: Some("Active".to_owned()),
        document_version: Some(document.version.to_string()),
        description: Some(document.description.clone()),
        parameters: Some(parameters.collect()),
        platform_types: Some(supported.map(|platform| platform.name().to_owned()).collect()),
        document_type: Some(document.kind.clone()),
        schema_version: Some(document.schema_version.clone()),
        latest_version: Some(document.version.to_string()),
        default_version: Some(document.version.to_string()),
        document_format: Some(document.format.clone()),
        ..wire::DocumentDescription::default()
    }
}
