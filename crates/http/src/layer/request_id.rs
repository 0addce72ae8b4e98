//! Names for requests: what the log, the audit trail and the answer call them.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use countersign_crypto::entropy::Entropy;
use ipnet::IpNet;

use crate::{app::Peer, extract::forwarded};

/// The header that has it.
pub(crate) const HEADER: &str = "x-request-id";

/// The name of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Gives out names: random for each process, counted within it.
pub(crate) struct RequestNames {
    process: u64,
    next: AtomicU64,
}

impl RequestNames {
    pub(crate) fn new(entropy: &Entropy) -> Self {
        Self { process: u64::from_be_bytes(entropy.bytes()), next: AtomicU64::new(0) }
    }

    /// A trusted proxy may have named the request already; nobody else's names are taken into the log.
    pub(crate) fn name(&self, request: &Request, trusted_proxies: &[IpNet]) -> RequestId {
        let peer = request.extensions().get::<Peer>();
        let given = peer.and_then(|peer| forwarded::request_id(peer.0, request.headers(), trusted_proxies));
        let number = || self.next.fetch_add(1, Ordering::Relaxed);
        RequestId(given.map_or_else(|| format!("{:016x}-{:x}", self.process, number()), str::to_owned))
    }
}
