//! Names for requests: what the log, the audit trail and the answer call them.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::{extract::Request, http::HeaderMap};
use countersign_crypto::entropy::Entropy;
use ipnet::IpNet;

use crate::app::Peer;

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
        let is_trusted = !trusted_proxies.is_empty()
            && request
                .extensions()
                .get::<Peer>()
                .is_some_and(|peer| trusted_proxies.iter().any(|network| network.contains(&peer.0.to_canonical())));
        let given = is_trusted.then(|| given(request.headers())).flatten();
        let number = || self.next.fetch_add(1, Ordering::Relaxed);
        RequestId(given.unwrap_or_else(|| format!("{:016x}-{:x}", self.process, number())))
    }
}

fn given(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(HEADER)?.to_str().ok()?;
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    ((1..=64).contains(&text.len()) && text.bytes().all(is_plain)).then(|| text.to_owned())
}
