//! What a key in a client's hands is known by.

/// The SHA-256 thumbprint of a public key (RFC 7638). No secret: it stands in tokens and rows, and whoever knows it can do nothing with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Thumbprint(pub [u8; 32]);
