//! Where the server is watched.

use std::net::SocketAddr;

use serde::Deserialize;

use super::http::{HttpConfig, unsafe_setting};
use crate::error::Failure;

/// `[metrics]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// Where to serve `/metrics`, apart from the doors. Default: nowhere.
    pub listen: Option<SocketAddr>,
    /// Serve them among the doors: for development.
    #[serde(skip)]
    pub beside_doors: bool,
}

impl MetricsConfig {
    pub(super) fn check(&self, http: &HttpConfig) -> Result<(), Failure> {
        let same = |address: &SocketAddr| address.port() != 0 && http.listen.contains(address);
        if self.listen.as_ref().is_some_and(same) {
            return unsafe_setting("metrics.listen is one of http.listen: metrics are not for callers");
        }
        Ok(())
    }
}
