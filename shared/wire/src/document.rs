//! Documents: GetDocument, CreateDocument, UpdateDocument, DescribeDocument, ListDocuments, ListDocumentVersions,
//! UpdateDocumentDefaultVersion, DeleteDocument.

use crate::EpochSeconds;
use serde::{Deserialize, Serialize};

structures! {
    /// SSM API reference, GetDocument.
    GetDocumentRequest {
        /// Name or ARN. Required.
        name: String,
        /// A version by its name.
        version_name: String,
        /// `$DEFAULT`, `$LATEST` or a number.
        document_version: String,
        /// `JSON` or `YAML`.
        document_format: String,
    }

    /// SSM API reference, GetDocument's result.
    GetDocumentResult {
        /// The document's name.
        name: String,
        /// When this version was made.
        created_date: EpochSeconds,
        /// The name people see.
        display_name: String,
        /// This version's name.
        version_name: String,
        /// This version's number.
        document_version: String,
        /// `Creating`, `Active`, `Updating`, `Deleting`, `Failed`.
        status: String,
        /// Why, if it failed.
        status_information: String,
        /// The text.
        content: String,
        /// `Command`, `Automation`, …
        document_type: String,
        /// `JSON`, `YAML` or `TEXT`.
        document_format: String,
        /// Documents this one needs.
        requires: Vec<DocumentRequires>,
        /// Its attachments.
        attachments_content: Vec<AttachmentContent>,
        /// `APPROVED`, `NOT_REVIEWED`, `PENDING`, `REJECTED`.
        review_status: String,
    }

    /// SSM API reference, DocumentRequires.
    DocumentRequires {
        /// The other document's name or ARN. Required.
        name: String,
        /// Its version.
        version: String,
        /// What it is needed for.
        require_type: String,
        /// Its version's name.
        version_name: String,
    }

    /// SSM API reference, AttachmentContent.
    AttachmentContent {
        /// The attachment's name.
        name: String,
        /// Bytes.
        size: i64,
        /// Digest.
        hash: String,
        /// `Sha256`.
        hash_type: String,
        /// Where it can be read.
        url: String,
    }

    /// SSM API reference, CreateDocument.
    CreateDocumentRequest {
        /// The text, at most 64 KB. Required.
        content: String,
        /// Documents this one needs.
        requires: Vec<DocumentRequires>,
        /// Where attachments come from.
        attachments: Vec<AttachmentsSource>,
        /// The name. Required.
        name: String,
        /// The name people see.
        display_name: String,
        /// The version's name.
        version_name: String,
        /// `Command` if absent.
        document_type: String,
        /// `JSON` if absent.
        document_format: String,
        /// Kind of resource it can run on, such as `/AWS::EC2::Instance`.
        target_type: String,
        /// Tags of the document.
        tags: Vec<Tag>,
    }

    /// SSM API reference, AttachmentsSource.
    AttachmentsSource {
        /// `SourceUrl`, `S3FileUrl`, `AttachmentReference`.
        key: String,
        /// The one place.
        values: Vec<String>,
        /// The attachment's name.
        name: String,
    }

    /// SSM API reference, Tag.
    Tag {
        /// Required.
        key: String,
        /// Required.
        value: String,
    }

    /// SSM API reference, CreateDocument's result.
    CreateDocumentResult {
        /// What was made.
        document_description: DocumentDescription,
    }

    /// SSM API reference, DocumentDescription.
    DocumentDescription {
        /// Deprecated digest.
        sha1: String,
        /// Digest of the content.
        hash: String,
        /// `Sha256` or `Sha1`.
        hash_type: String,
        /// The name.
        name: String,
        /// The name people see.
        display_name: String,
        /// The version's name.
        version_name: String,
        /// Account that owns it, or `Amazon`.
        owner: String,
        /// When this version was made.
        created_date: EpochSeconds,
        /// `Creating`, `Active`, `Updating`, `Deleting`, `Failed`.
        status: String,
        /// Why, if it failed.
        status_information: String,
        /// This version's number.
        document_version: String,
        /// The document's own description.
        description: String,
        /// The parameters it declares.
        parameters: Vec<DocumentParameter>,
        /// `Windows`, `Linux`, `MacOS`.
        platform_types: Vec<String>,
        /// `Command`, `Automation`, …
        document_type: String,
        /// The schema it is written in, such as `2.2`.
        schema_version: String,
        /// Highest version number.
        latest_version: String,
        /// Version that `$DEFAULT` means.
        default_version: String,
        /// `JSON`, `YAML` or `TEXT`.
        document_format: String,
        /// Kind of resource it can run on.
        target_type: String,
        /// Tags of the document.
        tags: Vec<Tag>,
        /// Its attachments.
        attachments_information: Vec<AttachmentInformation>,
        /// Documents this one needs.
        requires: Vec<DocumentRequires>,
        /// Who wrote it.
        author: String,
        /// Its reviews.
        review_information: Vec<ReviewInformation>,
        /// Version that is approved.
        approved_version: String,
        /// Version that waits for a review.
        pending_review_version: String,
        /// `APPROVED`, `NOT_REVIEWED`, `PENDING`, `REJECTED`.
        review_status: String,
        /// Its categories.
        category: Vec<String>,
        /// Its categories as values.
        category_enum: Vec<String>,
    }

    /// SSM API reference, DocumentParameter.
    DocumentParameter {
        /// The parameter's name.
        name: String,
        /// `String` or `StringList`.
        #[serde(rename = "Type")]
        kind: String,
        /// What it is for.
        description: String,
        /// As text; absent if the parameter is required.
        default_value: String,
    }

    /// SSM API reference, AttachmentInformation.
    AttachmentInformation {
        /// The attachment's name.
        name: String,
    }

    /// SSM API reference, ReviewInformation.
    ReviewInformation {
        /// When.
        reviewed_time: EpochSeconds,
        /// `APPROVED`, `NOT_REVIEWED`, `PENDING`, `REJECTED`.
        status: String,
        /// Who.
        reviewer: String,
    }

    /// SSM API reference, UpdateDocument.
    UpdateDocumentRequest {
        /// The new text, at most 64 KB. Required.
        content: String,
        /// Where attachments come from.
        attachments: Vec<AttachmentsSource>,
        /// The name. Required.
        name: String,
        /// The name people see.
        display_name: String,
        /// The new version's name.
        version_name: String,
        /// The version that is updated: the latest, by number or as `$LATEST`.
        document_version: String,
        /// `JSON` if absent.
        document_format: String,
        /// Kind of resource it can run on.
        target_type: String,
    }

    /// SSM API reference, UpdateDocument's result.
    UpdateDocumentResult {
        /// The new version.
        document_description: DocumentDescription,
    }

    /// SSM API reference, UpdateDocumentDefaultVersion.
    UpdateDocumentDefaultVersionRequest {
        /// The name. Required.
        name: String,
        /// The number of the version that `$DEFAULT` means from now on. Required.
        document_version: String,
    }

    /// SSM API reference, UpdateDocumentDefaultVersion's result.
    UpdateDocumentDefaultVersionResult {
        /// The document and its default.
        description: DocumentDefaultVersionDescription,
    }

    /// SSM API reference, DocumentDefaultVersionDescription.
    DocumentDefaultVersionDescription {
        /// The name.
        name: String,
        /// The default version's number.
        default_version: String,
        /// The default version's name.
        default_version_name: String,
    }

    /// SSM API reference, DescribeDocument.
    DescribeDocumentRequest {
        /// Name or ARN. Required.
        name: String,
        /// `$DEFAULT`, `$LATEST` or a number.
        document_version: String,
        /// A version by its name.
        version_name: String,
    }

    /// SSM API reference, DescribeDocument's result.
    DescribeDocumentResult {
        /// The version.
        document: DocumentDescription,
    }

    /// SSM API reference, DeleteDocument.
    DeleteDocumentRequest {
        /// The name. Required.
        name: String,
        /// One version; all if absent.
        document_version: String,
        /// One version by its name.
        version_name: String,
        /// Whether documents of some types are deleted although they are in use.
        force: bool,
    }

    /// SSM API reference, DeleteDocument's result: empty.
    DeleteDocumentResult {}

    /// SSM API reference, ListDocuments.
    ListDocumentsRequest {
        /// The filters of earlier days; or `filters`.
        document_filter_list: Vec<DocumentFilter>,
        /// At most 6, all of which a document must match.
        filters: Vec<DocumentKeyValuesFilter>,
        /// 1 to 50 per page.
        max_results: i64,
        /// Where the last page ended.
        next_token: String,
    }

    /// SSM API reference, DocumentKeyValuesFilter.
    DocumentKeyValuesFilter {
        /// `Name`, `Owner`, `PlatformTypes`, `DocumentType`, `TargetType`, `SearchKeyword`, `tag:<key>`.
        key: String,
        /// The values, any of which matches.
        values: Vec<String>,
    }

    /// SSM API reference, ListDocuments' result.
    ListDocumentsResult {
        /// The default version of each.
        document_identifiers: Vec<DocumentIdentifier>,
        /// Absent on the last page.
        next_token: String,
    }

    /// SSM API reference, DocumentIdentifier.
    DocumentIdentifier {
        /// The name.
        name: String,
        /// When this version was made.
        created_date: EpochSeconds,
        /// The name people see.
        display_name: String,
        /// Account that owns it, or `Amazon`.
        owner: String,
        /// The version's name.
        version_name: String,
        /// `Windows`, `Linux`, `MacOS`.
        platform_types: Vec<String>,
        /// The version's number.
        document_version: String,
        /// `Command`, `Automation`, …
        document_type: String,
        /// The schema it is written in, such as `2.2`.
        schema_version: String,
        /// `JSON`, `YAML` or `TEXT`.
        document_format: String,
        /// Kind of resource it can run on.
        target_type: String,
        /// Tags of the document.
        tags: Vec<Tag>,
        /// Documents this one needs.
        requires: Vec<DocumentRequires>,
        /// `APPROVED`, `NOT_REVIEWED`, `PENDING`, `REJECTED`.
        review_status: String,
        /// Who wrote it.
        author: String,
    }

    /// SSM API reference, ListDocumentVersions.
    ListDocumentVersionsRequest {
        /// Name or ARN. Required.
        name: String,
        /// 1 to 50 per page.
        max_results: i64,
        /// Where the last page ended.
        next_token: String,
    }

    /// SSM API reference, ListDocumentVersions' result.
    ListDocumentVersionsResult {
        /// Newest first.
        document_versions: Vec<DocumentVersionInfo>,
        /// Absent on the last page.
        next_token: String,
    }

    /// SSM API reference, DocumentVersionInfo.
    DocumentVersionInfo {
        /// The document's name.
        name: String,
        /// The name people see.
        display_name: String,
        /// The version's number.
        document_version: String,
        /// The version's name.
        version_name: String,
        /// When it was made.
        created_date: EpochSeconds,
        /// Whether `$DEFAULT` means it.
        is_default_version: bool,
        /// `JSON`, `YAML` or `TEXT`.
        document_format: String,
        /// `Creating`, `Active`, `Updating`, `Deleting`, `Failed`.
        status: String,
        /// Why, if it failed.
        status_information: String,
        /// `APPROVED`, `NOT_REVIEWED`, `PENDING`, `REJECTED`.
        review_status: String,
    }
}

/// SSM API reference, DocumentFilter: its members are in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DocumentFilter {
    /// `Name`, `Owner`, `PlatformTypes`, `DocumentType`. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The value. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}
