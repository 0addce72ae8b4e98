//! Where the data is.

use std::fmt;

use serde::Deserialize;

/// `[database]`
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite:PATH` or `postgres://…`. Default: a SQLite file in the data directory.
    pub url: Option<String>,
    /// Connections at most. Default: 16; on SQLite 4, all of which read.
    pub max_connections: Option<u32>,
}

/// Without the URL, in which a password may stand.
impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig").field("max_connections", &self.max_connections).finish_non_exhaustive()
    }
}
