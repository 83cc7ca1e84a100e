//! Rows as JSON, CSV and JSON Lines.

use super::{JSON, NEXT_TOKEN_HEADER, parameters, text};
use crate::response::Answer;
use csv::{Terminator, WriterBuilder};
use fleetwright_wire::ServiceError;
use fleetwright_wire::results::{Group, GroupList, NodeList, NodeResult};
use serde::Serialize;
use serde_json::Value;

const CSV: &str = "text/csv";
const JSON_LINES: &str = "application/x-ndjson";

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Csv,
    JsonLines,
}

impl Format {
    /// What the query asks for, else the first of the accepted types that there is; JSON otherwise.
    pub(super) fn of(query: Option<&str>, accept: &str) -> Result<Self, ServiceError> {
        match query {
            Some("json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some("jsonl") => Ok(Self::JsonLines),
            Some(other) => Err(parameters::wrong("format", other, "one of json, csv, jsonl")),
            None => {
                let types = accept.split(',').filter_map(|kind| kind.split(';').next());
                let known = types.filter_map(|kind| match kind.trim().to_ascii_lowercase().as_str() {
                    JSON => Some(Self::Json),
                    CSV => Some(Self::Csv),
                    JSON_LINES => Some(Self::JsonLines),
                    _ => None,
                });
                Ok(known.into_iter().next().unwrap_or(Self::Json))
            }
        }
    }
}

/// A page of rows.
pub(super) trait Table: Serialize {
    type Row: Serialize;
    /// The members of a row, in the order of the columns.
    const COLUMNS: &'static [&'static str];
    fn rows(&self) -> &[Self::Row];
    fn next_token(&self) -> Option<&str>;
}

impl Table for NodeList {
    type Row = NodeResult;
    const COLUMNS: &'static [&'static str] = &[
        "StepName",
        "Ordinal",
        "InstanceId",
        "Outcome",
        "StatusDetails",
        "ResponseCode",
        "CommandId",
        "PluginName",
        "StartedAt",
        "EndedAt",
        "DurationS",
        "Output",
        "OutputShortened",
        "StandardOutputUrl",
        "StandardErrorUrl",
    ];
    fn rows(&self) -> &[NodeResult] {
        &self.nodes
    }
    fn next_token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }
}

impl Table for GroupList {
    type Row = Group;
    const COLUMNS: &'static [&'static str] = &[
        "StepName",
        "Ordinal",
        "Outcome",
        "StatusDetails",
        "ResponseCode",
        "Count",
        "InstanceIds",
        "SampleInstanceId",
        "SampleOutput",
    ];
    fn rows(&self) -> &[Group] {
        &self.groups
    }
    fn next_token(&self) -> Option<&str> {
        self.next_token.as_deref()
    }
}

pub(super) fn answer<T: Table>(format: Format, table: &T) -> Result<Answer, ServiceError> {
    let (content_type, body) = match format {
        Format::Json => (JSON, text(table)?),
        Format::Csv => (CSV, csv(table)?),
        Format::JsonLines => (JSON_LINES, lines(table)?),
    };
    let answer = Answer::of(200, content_type, body);
    Ok(match table.next_token() {
        Some(token) => answer.with_header(NEXT_TOKEN_HEADER, token.to_owned()),
        None => answer,
    })
}

fn lines<T: Table>(table: &T) -> Result<String, ServiceError> {
    table.rows().iter().map(|row| Ok(text(row)? + "\n")).collect()
}

/// RFC 4180, with a header line; lists are joined by blanks, and what is absent is empty. A text that a spreadsheet would
/// take for a formula has an apostrophe in front.
fn csv<T: Table>(table: &T) -> Result<String, ServiceError> {
    let ours = |error: &dyn std::fmt::Display| ServiceError::internal_server_error(error.to_string());
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(T::COLUMNS).map_err(|error| ours(&error))?;
    for row in table.rows() {
        let row = serde_json::to_value(row).map_err(|error| ours(&error))?;
        writer.write_record(T::COLUMNS.iter().map(|name| cell(&row[*name]))).map_err(|error| ours(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| ours(&error))?;
    String::from_utf8(bytes).map_err(|error| ours(&error))
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        // A spreadsheet would run what begins so, and nodes write what they like.
        Value::String(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(" "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        for formula in ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(cell(&json!(formula)), format!("'{formula}"));
        }
        assert_eq!((cell(&json!(-1)), cell(&json!("a=1"))), ("-1".to_owned(), "a=1".to_owned()));
    }

    #[test]
    fn the_query_goes_before_the_header_and_json_is_what_is_not_asked_for() {
        let table = [
            (None, "", Format::Json),
            (None, "*/*", Format::Json),
            (None, "text/html, text/csv;q=0.9", Format::Csv),
            (None, "Application/X-NDJSON", Format::JsonLines),
            (None, "application/json, text/csv", Format::Json),
            (Some("jsonl"), "text/csv", Format::JsonLines),
            (Some("csv"), "", Format::Csv),
            (Some("json"), "text/csv", Format::Json),
        ];
        for (query, accept, format) in table {
            assert_eq!(Format::of(query, accept).expect("a format"), format, "{query:?}, {accept}");
        }
        let error = Format::of(Some("xml"), "").expect_err("there is none");
        assert_eq!(error.message, "format: \"xml\" is not one of json, csv, jsonl");
    }
}
