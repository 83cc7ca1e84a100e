//! Nodes and groups as CSV or JSON Lines: the service's own pages, one after the other.

use crate::client::Client;
use crate::failure::Failure;
use crate::resource::Resource;
use std::io::{Write, stdout};

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// With a header.
    Csv,
    /// A JSON object per line.
    JsonLines,
}

impl Rows {
    /// As the service names it.
    const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

/// Prints all pages of a list.
pub(super) fn pass_through(client: &Client, list: &Resource, rows: Rows) -> Result<(), Failure> {
    let list = list.clone().with("format", rows.name());
    let mut out = stdout().lock();
    let mut header: Option<String> = None;
    let mut next: Option<String> = None;
    loop {
        let page = client.page(&list.clone().with_some("next", next.as_ref()))?;
        let mut text = page.text.as_str();
        if let Some(header) = &header {
            text = text.strip_prefix(header.as_str()).unwrap_or(text);
        } else if rows == Rows::Csv {
            // Each page is a table: only the first one's header is passed on. No column's name has a line break.
            header = text.split_inclusive('\n').next().map(str::to_owned);
        }
        out.write_all(text.as_bytes())?;
        next = page.next_token;
        if next.is_none() {
            return Ok(out.flush()?);
        }
    }
}
