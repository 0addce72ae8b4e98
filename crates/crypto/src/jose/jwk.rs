//! The public halves of signing keys, as a JWK Set has them.

use serde::Serialize;

use crate::encoding;

/// A public key for signatures: EC (RFC 7518 §6.2.1), OKP (RFC 8037 §2) or RSA (RFC 7518 §6.3.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicJwk {
    /// Key type.
    pub kty: &'static str,
    /// Curve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crv: Option<&'static str>,
    /// First coordinate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Second coordinate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// Modulus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// Exponent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// The key's name in JWS headers.
    pub kid: String,
    /// The algorithm it is used with.
    pub alg: &'static str,
    /// What it is used for.
    #[serde(rename = "use")]
    pub usage: &'static str,
}

impl PublicJwk {
    pub(super) fn on_curve(crv: &'static str, x: &[u8], y: Option<&[u8]>, kid: String, alg: &'static str) -> Self {
        let kty = if y.is_some() { "EC" } else { "OKP" };
        let (x, y) = (Some(encoding::encode(x)), y.map(encoding::encode));
        Self { kty, crv: Some(crv), x, y, n: None, e: None, kid, alg, usage: "sig" }
    }

    pub(super) fn rsa(n: &[u8], e: &[u8], kid: String, alg: &'static str) -> Self {
        let (n, e) = (Some(encoding::encode(n)), Some(encoding::encode(e)));
        Self { kty: "RSA", crv: None, x: None, y: None, n, e, kid, alg, usage: "sig" }
    }
}

/// A JWK Set (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// Its keys.
    pub keys: Vec<PublicJwk>,
}
