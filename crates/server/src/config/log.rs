//! What the server says.

use serde::Deserialize;
use tracing::Level;

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// `error`, `warn`, `info`, `debug` or `trace`. At `debug`, every request leaves a line. Default: `info`.
    #[serde(deserialize_with = "level")]
    pub level: Level,
    /// `json` or `text`. Default: `json`.
    pub format: LogFormat,
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For machines.
    Json,
    /// For people.
    Text,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: Level::INFO, format: LogFormat::Json }
    }
}

fn level<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Level, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| serde::de::Error::custom("must be `error`, `warn`, `info`, `debug` or `trace`"))
}
