//! Where the data is.

use serde::Deserialize;

/// `[database]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:PATH` or `postgres://…`. Default: a SQLite file in the data directory.
    pub url: Option<String>,
    /// Connections at most. Default: 16; on SQLite 4, all of which read.
    pub max_connections: Option<u32>,
}
