//! Signed tokens: JWS (RFC 7515), JWK (RFC 7517), JWT access tokens (RFC 9068), and the public keys that callers send along.

pub mod access_token;
pub mod assertion;
pub mod client_key;
pub mod jwk;
pub mod jws;
pub mod public_key;
pub mod signing_key;
pub(crate) mod unambiguous;
