//! Signed tokens: JWS (RFC 7515), JWK (RFC 7517), JWT access tokens (RFC 9068), id_tokens, and the public keys and assertions of clients.

pub mod access_token;
pub mod assertion;
pub mod client_assertion;
pub mod client_jwks;
pub mod client_key;
pub mod client_token;
pub mod id_token;
pub mod jwk;
pub mod jws;
pub mod public_key;
mod rsa_public_key;
pub mod signing_key;
pub(crate) mod unambiguous;
