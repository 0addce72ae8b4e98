//! Configuration: a TOML file, and over it the environment, `COUNTERSIGN_SECTION__KEY`. Unknown settings are refused by name: a misspelt
//! safety is none.

pub mod database;
mod environment;
pub mod http;
mod invalid;
pub mod log;
pub mod mail;
pub mod memory;
pub mod metrics;
mod secret_file;
pub mod secrets;
pub mod sms;

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use toml::Table;

use crate::error::Failure;
use database::DatabaseConfig;
use http::HttpConfig;
use log::LogConfig;
use mail::MailConfig;
use memory::MemoryConfig;
use metrics::MetricsConfig;
use secrets::SecretsConfig;
use sms::SmsConfig;

/// All of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How callers reach the server.
    pub http: HttpConfig,
    /// Where its data is.
    pub database: DatabaseConfig,
    /// Where the master key is.
    pub secrets: SecretsConfig,
    /// Where it is watched.
    pub metrics: MetricsConfig,
    /// What it says.
    pub log: LogConfig,
    /// How much it remembers.
    pub memory: MemoryConfig,
    /// How mail leaves.
    pub mail: MailConfig,
    /// How text messages leave.
    pub sms: SmsConfig,
}

impl Config {
    /// Reads the file, if one is named, and the environment over it.
    pub fn read(file: Option<&Path>, environment: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let Some(path) = file else {
            return Self::parse("", environment);
        };
        let unreadable = |problem: std::io::Error| Failure::Usage(format!("{}: {problem}", path.display()));
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        Self::parse_named(&path.display().to_string(), &text, environment)
    }

    /// Reads the text of a file, and the environment over it.
    pub fn parse(text: &str, environment: &BTreeMap<String, String>) -> Result<Self, Failure> {
        Self::parse_named("configuration", text, environment)
    }

    fn parse_named(name: &str, text: &str, environment: &BTreeMap<String, String>) -> Result<Self, Failure> {
        let mut table: Table = text.parse().map_err(|problem| invalid::file(name, text, &problem))?;
        refuse_what_is_no_section(&table)?;
        secrets::refuse_in_file(&table)?;
        environment::apply(&mut table, environment)?;
        table.try_into().map_err(|problem| invalid::setting(&problem))
    }

    /// What production must not start with, and what it must not start without.
    pub fn check(&self) -> Result<(), Failure> {
        self.http.check()?;
        self.metrics.check(&self.http)?;
        self.check_channels()
    }

    /// What no message could leave by.
    pub fn check_channels(&self) -> Result<(), Failure> {
        self.mail.check()?;
        self.sms.check()
    }
}

/// A struct reads from a list as well, value by value: as a list, a section could hold what its names would forbid.
fn refuse_what_is_no_section(file: &Table) -> Result<(), Failure> {
    match file.iter().find(|(_, value)| !value.is_table()) {
        Some((name, _)) => Err(Failure::Usage(format!("configuration: `{name}` must be a section, `[{name}]`"))),
        None => Ok(()),
    }
}

/// A time like `10s` or `15m`.
fn span<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<std::time::Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map_err(|_| serde::de::Error::custom("must be a time like `10s` or `15m`"))
}

/// A text that means something.
fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests;
