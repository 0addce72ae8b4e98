//! Printing: one value, as JSON for scripts, as lines or columns for people.

use std::io::Write;

use countersign_domain::clock::Timestamp;
use serde_json::Value;

use crate::error::Failure;

/// How to print.
pub(super) struct Output {
    pub(super) json: bool,
}

impl Output {
    /// Prints a value.
    pub(super) fn print(&self, value: &Value) -> Result<(), Failure> {
        let text = if self.json { format!("{value:#}") } else { for_people(value) };
        line(&text)
    }
}

/// Prints the OpenAPI document, which is JSON in any case.
pub(super) fn document() -> Result<(), Failure> {
    let json = countersign_http::openapi::document().to_pretty_json();
    line(&json.map_err(|problem| Failure::failed("openapi", problem))?)
}

/// Prints a line to standard output.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written = writeln!(out, "{text}").and_then(|()| out.flush());
    written.map_err(|problem| Failure::failed("can't print", problem))
}

/// A moment as RFC 3339 has it.
pub(super) fn time(at: Timestamp) -> Value {
    Value::String(at.rfc3339())
}

/// The same, of what may not have happened.
pub(super) fn optional_time(at: Option<Timestamp>) -> Value {
    at.map_or(Value::Null, time)
}

fn for_people(value: &Value) -> String {
    match value {
        Value::Array(rows) if rows.is_empty() => "none".to_owned(),
        Value::Array(rows) => table(rows),
        Value::Object(members) => {
            let width = members.keys().map(|name| name.chars().count()).max().unwrap_or(0);
            let lines = members.iter().map(|(name, value)| match value {
                Value::Object(_) | Value::Array(_) => format!("{name}:\n{}", indented(&for_people(value))),
                other => format!("{name:width$}  {}", cell(other)),
            });
            lines.collect::<Vec<_>>().join("\n")
        }
        other => cell(other),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn table(rows: &[Value]) -> String {
    let Some(Value::Object(first)) = rows.first() else {
        return rows.iter().map(cell).collect::<Vec<_>>().join("\n");
    };
    let names: Vec<&String> = first.keys().collect();
    let mut lines = vec![names.iter().map(|name| (*name).clone()).collect::<Vec<_>>()];
    lines.extend(rows.iter().map(|row| names.iter().map(|name| cell(&row[name.as_str()])).collect()));
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..names.len()).map(width).collect();
    let pad = |line: &Vec<String>| {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(pad).collect::<Vec<_>>().join("\n")
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        Value::Object(_) => value.to_string(),
        other => other.to_string(),
    }
}
