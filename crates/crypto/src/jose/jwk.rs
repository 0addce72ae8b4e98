//! The public halves of signing keys, as a JWK Set has them.

use serde::Serialize;

/// A public EC key of curve P-256 for ES256 (RFC 7518 §6.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    /// Key type.
    pub kty: &'static str,
    /// Curve.
    pub crv: &'static str,
    /// First coordinate.
    pub x: String,
    /// Second coordinate.
    pub y: String,
    /// The key's name in JWS headers.
    pub kid: String,
    /// The algorithm it is used with.
    pub alg: &'static str,
    /// What it is used for.
    #[serde(rename = "use")]
    pub usage: &'static str,
}

/// A JWK Set (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// Its keys.
    pub keys: Vec<PublicJwk>,
}
