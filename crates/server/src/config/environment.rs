//! Settings from the environment.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::error::Failure;

const PREFIX: &str = "COUNTERSIGN_";

/// Writes every `COUNTERSIGN_SECTION__KEY` into its section. Variables without the two underscores are none of the configuration's.
pub(super) fn apply(table: &mut Table, environment: &BTreeMap<String, String>) -> Result<(), Failure> {
    for (name, text) in environment {
        let Some((section, key)) = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once("__")) else {
            continue;
        };
        let (section, key) = (section.to_ascii_lowercase(), key.to_ascii_lowercase());
        let entry = table.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(entry) = entry else {
            return Err(Failure::Usage(format!("{name}: `{section}` is a setting, not a section")));
        };
        entry.insert(key, value(text));
    }
    Ok(())
}

/// A number, a boolean or a list as TOML writes it; anything else is a text as it stands.
fn value(text: &str) -> Value {
    let is_literal = text.starts_with('[') || text == "true" || text == "false" || text.parse::<i64>().is_ok();
    let literal = is_literal.then(|| format!("value = {text}").parse::<Table>().ok()).flatten();
    literal.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}
