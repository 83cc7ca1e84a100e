//! All documents of the account: their versions, and which of them is the default.

use super::document::Document;
use fleetwright_wire::{ServiceError, Tag};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One document with its versions; there is always one.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Counts documents in the order they were made.
    pub(super) number: usize,
    /// Whether it is Amazon's, not the account's.
    pub(super) amazon: bool,
    pub(super) tags: Option<Vec<Tag>>,
    pub(super) versions: BTreeMap<u32, Arc<Document>>,
    /// The version that `$DEFAULT` means.
    pub(super) default: u32,
    /// The highest number any version has had: none is given twice.
    last: u32,
}

impl Shelf {
    /// The newest version's number.
    pub(super) fn latest(&self) -> u32 {
        self.versions.keys().next_back().copied().unwrap_or_default()
    }

    /// The version that `$DEFAULT` means.
    pub(super) fn default_version(&self) -> Option<&Arc<Document>> {
        self.versions.get(&self.default)
    }
}

/// All documents, by name.
#[derive(Debug, Default)]
pub(super) struct Library {
    shelves: BTreeMap<Arc<str>, Shelf>,
    next: usize,
}

impl Library {
    /// Adds a version of a document, which becomes its default if `becomes_default` or if it is the first.
    pub(super) fn add(&mut self, mut document: Document, becomes_default: bool) -> Arc<Document> {
        let number = self.next;
        let shelf = self.shelves.entry(Arc::clone(&document.name)).or_insert_with(|| {
            self.next += 1;
            Shelf { number, amazon: false, tags: None, versions: BTreeMap::new(), default: 1, last: 0 }
        });
        shelf.last += 1;
        document.version = shelf.last;
        if becomes_default {
            shelf.default = shelf.last;
        }
        let document = Arc::new(document);
        shelf.versions.insert(shelf.last, Arc::clone(&document));
        document
    }

    /// Adds a document of Amazon's.
    pub(super) fn add_amazons(&mut self, document: Document) {
        let name = Arc::clone(&document.name);
        self.add(document, true);
        if let Some(shelf) = self.shelves.get_mut(&name) {
            shelf.amazon = true;
        }
    }

    /// Whether there is a document of this name.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.shelves.contains_key(name)
    }

    /// All documents, by name.
    pub(super) fn shelves(&self) -> impl Iterator<Item = &Shelf> {
        self.shelves.values()
    }

    /// A document by name or ARN.
    pub(super) fn shelf(&self, name: &str) -> Result<&Shelf, ServiceError> {
        self.shelves.get(bare(name)).ok_or_else(|| absent(name))
    }

    /// A document of the account's own, to change it.
    pub(super) fn own(&mut self, name: &str) -> Result<&mut Shelf, ServiceError> {
        match self.shelves.get_mut(bare(name)) {
            Some(shelf) if shelf.amazon => {
                Err(ServiceError::access_denied(format!("The document {name} belongs to Amazon.")))
            }
            Some(shelf) => Ok(shelf),
            None => Err(absent(name)),
        }
    }

    /// Takes a document away with all its versions.
    pub(super) fn remove(&mut self, name: &str) {
        self.shelves.remove(bare(name));
    }

    /// Finds a version (`$DEFAULT`, `$LATEST` or a number) of a document, by name or ARN.
    pub(super) fn find(&self, name: &str, version: Option<&str>) -> Result<&Arc<Document>, ServiceError> {
        let shelf = self.shelf(name)?;
        let found = match version.filter(|version| !version.is_empty()) {
            None | Some("$DEFAULT") => shelf.default_version(),
            Some("$LATEST") => shelf.versions.get(&shelf.latest()),
            Some(number) => number.parse().ok().and_then(|number: u32| shelf.versions.get(&number)),
        };
        found.ok_or_else(|| {
            let version = version.unwrap_or_default();
            ServiceError::invalid_document_version(format!(
                "Document {} has no version {version}.",
                bare(name)
            ))
        })
    }

    /// Finds a version by its own name where one is given, else as [`Library::find`] does.
    pub(super) fn find_named(
        &self,
        name: &str,
        version: Option<&str>,
        version_name: Option<&str>,
    ) -> Result<&Arc<Document>, ServiceError> {
        let Some(wanted) = version_name else { return self.find(name, version) };
        let named = |document: &&Arc<Document>| document.labels.version_name.as_deref() == Some(wanted);
        self.shelf(name)?.versions.values().find(named).ok_or_else(|| {
            ServiceError::invalid_document_version(format!("Document {name} has no version called {wanted}."))
        })
    }
}

/// The name in an ARN.
fn bare(name: &str) -> &str {
    name.split_once(":document/").map_or(name, |(_, bare)| bare)
}

fn absent(name: &str) -> ServiceError {
    ServiceError::invalid_document(format!("Document with name {name} does not exist."))
}
