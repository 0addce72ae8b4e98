//! Settings from the environment.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::Config;
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
        let value = value(&section, &key, text);
        entry.insert(key, value);
    }
    Ok(())
}

/// A text as it stands, where the setting takes it; else a number, a boolean or a list as TOML writes it. Not the other way round: there are
/// projects called `42`.
fn value(section: &str, key: &str, text: &str) -> Value {
    let as_it_stands = Value::String(text.to_owned());
    let alone = Table::from_iter([(key.to_owned(), as_it_stands.clone())]);
    if Table::from_iter([(section.to_owned(), Value::Table(alone))]).try_into::<Config>().is_ok() {
        return as_it_stands;
    }
    let is_literal = text.starts_with('[') || text == "true" || text == "false" || text.parse::<i64>().is_ok();
    let literal = is_literal.then(|| format!("value = {text}").parse::<Table>().ok()).flatten();
    literal.and_then(|mut table| table.remove("value")).unwrap_or(as_it_stands)
}
