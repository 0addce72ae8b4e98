//! What the use cases must know of the deployment.

use countersign_domain::id::ProjectId;

use crate::deliver::carrier::Delivery;

/// The deployment, as the roof configured it.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the server is reached from outside: scheme, host, port; no slash at the end.
    pub public_url: String,
    /// The project that the root serves; none: every call must name its project.
    pub default_project: Option<ProjectId>,
    /// How many verified access tokens are remembered.
    pub verified_tokens: usize,
    /// Of how many users the names are remembered.
    pub known_users: usize,
    /// How many assertions for the APIs behind us are used again.
    pub assertions: usize,
    /// How many callers are counted at once for limits.
    pub counted_callers: usize,
    /// How many proofs of possession are remembered, so that none is taken twice.
    pub seen_proofs: usize,
    /// Where messages to users go.
    pub delivery: Delivery,
}

impl Config {
    /// The same server by another host name.
    pub(crate) fn url_at(&self, host: &str) -> String {
        let (scheme, authority) = self.public_url.split_once("://").unwrap_or(("https", ""));
        match authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())) {
            Some((_, port)) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }
    }

    /// A deployment at `public_url` with the usual amounts of memory.
    pub fn at(public_url: &str) -> Self {
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            default_project: None,
            verified_tokens: 100_000,
            known_users: 100_000,
            assertions: 30_000,
            counted_callers: 100_000,
            seen_proofs: 100_000,
            delivery: Delivery::NOWHERE,
        }
    }
}
