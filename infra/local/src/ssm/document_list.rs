//! ListDocuments and ListDocumentVersions.

use super::Ssm;
use super::document::Document;
use super::library::{owner, platforms};
use super::page::Cursor;
use super::shelf::Shelf;
use super::time::epoch;
use super::validate::{Violations, request};
use fleetwright_wire::{
    DocumentIdentifier, DocumentVersionInfo, ListDocumentVersionsRequest, ListDocumentVersionsResult,
    ListDocumentsRequest, ListDocumentsResult, ServiceError,
};
use serde_json::Value;
use std::sync::Arc;

/// SSM API reference, MaxResults: at most 50; what SSM takes if it is absent is not documented.
const PAGE: i64 = 50;

/// What a document must be: any of the values (SSM API reference, DocumentKeyValuesFilter).
#[derive(Debug)]
struct Filter {
    key: Key,
    values: Vec<String>,
}

#[derive(Debug)]
enum Key {
    Name,
    Owner,
    PlatformTypes,
    DocumentType,
    TargetType,
    SearchKeyword,
    Tag(String),
}

impl Filter {
    fn read(key: &str, values: Vec<String>) -> Result<Self, ServiceError> {
        let key = match key {
            "Name" => Key::Name,
            "Owner" => Key::Owner,
            "PlatformTypes" => Key::PlatformTypes,
            "DocumentType" => Key::DocumentType,
            "TargetType" => Key::TargetType,
            "SearchKeyword" => Key::SearchKeyword,
            other => match other.strip_prefix("tag:") {
                Some(tag) if !tag.is_empty() => Key::Tag(tag.to_owned()),
                Some(_) | None => return Err(ServiceError::invalid_filter_key("")),
            },
        };
        Ok(Self { key, values })
    }

    fn matches(&self, shelf: &Shelf, document: &Document) -> bool {
        let is = |text: &str| self.values.iter().any(|value| value == text);
        match &self.key {
            Key::Name => self.values.iter().any(|prefix| document.name.starts_with(prefix.as_str())),
            Key::Owner if shelf.amazon => is("Amazon") || is("Public") || is("All"),
            Key::Owner => is("Self") || is("Private") || is("All"),
            Key::PlatformTypes => platforms(document).iter().any(|platform| is(platform)),
            Key::DocumentType => is(&document.kind),
            Key::TargetType => document.labels.target_type.as_deref().is_some_and(is),
            Key::SearchKeyword => self.values.iter().all(|word| document.name.contains(word.as_str())),
            Key::Tag(key) => shelf
                .tags
                .iter()
                .flatten()
                .any(|tag| tag.key.as_ref() == Some(key) && is(tag.value.as_deref().unwrap_or_default())),
        }
    }
}

impl Ssm {
    /// SSM API reference, ListDocuments: the default version of each document, in the order they were made.
    pub(super) fn list_documents(&self, body: &Value) -> Result<ListDocumentsResult, ServiceError> {
        let request: ListDocumentsRequest = request(body)?;
        let filters = filters(&request)?;
        let scope = format!("ListDocuments {filters:?}");
        let after = self.cursor(request.next_token.as_deref(), &scope)?.map(|cursor| cursor.first);
        let mut shelves: Vec<(&Shelf, &Arc<Document>)> = self
            .library
            .shelves()
            .filter(|shelf| after.is_none_or(|after| shelf.number > after))
            .filter_map(|shelf| Some((shelf, shelf.default_version()?)))
            .filter(|(shelf, document)| filters.iter().all(|filter| filter.matches(shelf, document)))
            .collect();
        shelves.sort_by_key(|(shelf, _)| shelf.number);
        let next = cut(&mut shelves, request.max_results)
            .map(|(shelf, _)| self.token(Cursor { first: shelf.number, second: 0 }, &scope));
        let found = shelves.into_iter().map(|(shelf, document)| self.identifier(shelf, document));
        Ok(ListDocumentsResult { document_identifiers: Some(found.collect()), next_token: next })
    }

    fn identifier(&self, shelf: &Shelf, document: &Document) -> DocumentIdentifier {
        let labels = document.labels.clone();
        DocumentIdentifier {
            name: Some(document.name.to_string()),
            created_date: Some(epoch(document.created_at)),
            display_name: labels.display_name,
            owner: Some(owner(shelf, &self.options.account)),
            version_name: labels.version_name,
            platform_types: Some(platforms(document)),
            document_version: Some(document.version.to_string()),
            document_type: Some(document.kind.clone()),
            schema_version: Some(document.schema_version.clone()),
            document_format: Some(document.format.clone()),
            target_type: labels.target_type,
            tags: Some(shelf.tags.clone().unwrap_or_default()),
            requires: labels.requires,
            ..DocumentIdentifier::default()
        }
    }

    /// SSM API reference, ListDocumentVersions: newest first.
    pub(super) fn list_document_versions(
        &self,
        body: &Value,
    ) -> Result<ListDocumentVersionsResult, ServiceError> {
        let request: ListDocumentVersionsRequest = request(body)?;
        let mut violations = Violations::default();
        violations.required("name", request.name.as_ref());
        violations.document_name("name", request.name.as_ref());
        violations.range("maxResults", request.max_results, 1, PAGE);
        violations.finish()?;
        let name = request.name.as_deref().unwrap_or_default();
        let shelf = self.library.shelf(name)?;
        let scope = format!("ListDocumentVersions {name}");
        let below = self.cursor(request.next_token.as_deref(), &scope)?.map(|cursor| cursor.first);
        let is_left = |number: u32| below.is_none_or(|below| (number as usize) < below);
        let mut versions: Vec<_> =
            shelf.versions.iter().rev().filter(|(number, _)| is_left(**number)).collect();
        let next = cut(&mut versions, request.max_results)
            .map(|(number, _)| self.token(Cursor { first: *number as usize, second: 0 }, &scope));
        let found = versions.into_iter().map(|(number, document)| DocumentVersionInfo {
            name: Some(document.name.to_string()),
            display_name: document.labels.display_name.clone(),
            document_version: Some(number.to_string()),
            version_name: document.labels.version_name.clone(),
            created_date: Some(epoch(document.created_at)),
            is_default_version: Some(*number == shelf.default),
            document_format: Some(document.format.clone()),
            status: Some("Active".to_owned()),
            ..DocumentVersionInfo::default()
        });
        Ok(ListDocumentVersionsResult { document_versions: Some(found.collect()), next_token: next })
    }
}

/// The filters of a request, of either kind.
fn filters(request: &ListDocumentsRequest) -> Result<Vec<Filter>, ServiceError> {
    let mut violations = Violations::default();
    violations.range("maxResults", request.max_results, 1, PAGE);
    let mut read = Vec::new();
    for (index, filter) in request.document_filter_list.iter().flatten().enumerate() {
        let path = format!("documentFilterList.{}.member", index + 1);
        violations.required(&format!("{path}.key"), filter.key.as_ref());
        violations.one_of(
            &format!("{path}.key"),
            filter.key.as_ref(),
            &["Name", "Owner", "PlatformTypes", "DocumentType"],
        );
        violations.required(&format!("{path}.value"), filter.value.as_ref());
        violations.length(&format!("{path}.value"), filter.value.as_ref(), 1, usize::MAX);
        read.push((filter.key.clone(), filter.value.iter().cloned().collect()));
    }
    let keys: Vec<String> =
        request.filters.iter().flatten().map(|filter| filter.key.clone().unwrap_or_default()).collect();
    violations.count("filters", Some(&keys), 0, 6);
    for (index, filter) in request.filters.iter().flatten().enumerate() {
        let path = format!("filters.{}.member", index + 1);
        violations.length(&format!("{path}.key"), filter.key.as_ref(), 1, 128);
        for value in filter.values.iter().flatten() {
            violations.length(&format!("{path}.values"), Some(value), 1, 256);
        }
        read.push((filter.key.clone(), filter.values.clone().unwrap_or_default()));
    }
    violations.finish()?;
    read.into_iter().map(|(key, values)| Filter::read(&key.unwrap_or_default(), values)).collect()
}

/// Items of a page.
pub(super) fn size(asked: Option<i64>) -> usize {
    usize::try_from(asked.unwrap_or(PAGE)).unwrap_or(1)
}

/// Cuts a list to a page; its last item if more follow.
pub(super) fn cut<T: Copy>(items: &mut Vec<T>, asked: Option<i64>) -> Option<T> {
    let more = items.len() > size(asked);
    items.truncate(size(asked));
    items.last().copied().filter(|_| more)
}
