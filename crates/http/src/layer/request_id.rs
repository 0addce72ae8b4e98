//! Names for requests: what the log, the audit trail and the answer call them.

use std::{
    fmt::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{extract::Request, http::HeaderValue};
use countersign_crypto::entropy::Entropy;
use ipnet::IpNet;

use crate::{app::Peer, extract::forwarded};

/// The header that has it.
pub(crate) const HEADER: &str = "x-request-id";

/// Of names that we give; two hexadecimal numbers and what is between them.
const LONGEST: usize = 33;

/// The name of a request. Spelled out only where somebody reads it: every request has one.
#[derive(Debug, Clone)]
pub(crate) enum RequestId {
    /// By a trusted proxy.
    Given(Arc<str>),
    /// By us.
    Counted { process: u64, number: u64 },
}

impl RequestId {
    /// As a header has it.
    pub(crate) fn to_header(&self) -> Option<HeaderValue> {
        let mut text = String::with_capacity(LONGEST);
        write!(text, "{self}").ok()?;
        HeaderValue::try_from(text).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(name) => f.write_str(name),
            Self::Counted { process, number } => write!(f, "{process:016x}-{number:x}"),
        }
    }
}

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
        match peer.and_then(|peer| forwarded::request_id(peer.0, request.headers(), trusted_proxies)) {
            Some(given) => RequestId::Given(given.into()),
            None => RequestId::Counted { process: self.process, number: self.next.fetch_add(1, Ordering::Relaxed) },
        }
    }
}
