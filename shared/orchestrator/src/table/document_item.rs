//! Runbook items: an execution runs the text it was started with (guarantee G9).

use super::Table;
use super::attributes::{Reader, text};
use super::schema::{EXPIRES, keys};
use super::update::{Update, expiry};
use crate::Error;
use jiff::Timestamp;

const TEXT: &str = "text";

impl Table {
    /// Keeps a runbook's text under its digest; each start lets it live longer.
    pub(crate) async fn keep_document(
        &self,
        sha256: &str,
        content: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let update = Update::of(&keys::document(sha256), keys::DOCUMENT)
            .set(TEXT, text(content))
            .set(EXPIRES, expiry(self.retention_days, now));
        update.apply(self).await.map(|_| ())
    }

    /// The text of a runbook.
    pub(crate) async fn document(&self, sha256: &str) -> Result<String, Error> {
        let missing = || Error::Unreadable(format!("runbook {sha256}: it is not in the table"));
        let item = self.get(&keys::document(sha256), keys::DOCUMENT).await?.ok_or_else(missing)?;
        Ok(Reader(&item).text(TEXT)?.to_owned())
    }
}
