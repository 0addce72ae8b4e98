//! Where the master key is: in a file, in the output of a command, or in the environment. Never in the configuration file.

use std::{fmt, path::PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use super::http::unsafe_setting;
use crate::error::Failure;

/// `[secrets]`
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsConfig {
    /// A file that only the server may read. Default: `master.key` in the data directory.
    pub master_key_file: Option<PathBuf>,
    /// A command that prints the key.
    pub master_key_command: Option<String>,
    /// The key itself, from the environment only: `COUNTERSIGN_SECRETS__MASTER_KEY`.
    pub master_key: Option<String>,
}

impl fmt::Debug for SecretsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretsConfig")
    }
}

/// Configuration files are copied, diffed and checked in.
pub(super) fn refuse_in_file(table: &Table) -> Result<(), Failure> {
    for (section, key, what) in
        [("secrets", "master_key", "key"), ("mail", "password", "password"), ("sms", "secret", "secret")]
    {
        let is_there = table.get(section).and_then(Value::as_table).is_some_and(|it| it.contains_key(key));
        if is_there {
            return unsafe_setting(&format!(
                "{section}.{key} stands in the configuration file: put the {what} into a file of its own ({section}.{key}_file) \
                 or into COUNTERSIGN_{}__{}",
                section.to_ascii_uppercase(),
                key.to_ascii_uppercase(),
            ));
        }
    }
    Ok(())
}
