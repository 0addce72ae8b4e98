//! Signed tokens: JWS (RFC 7515), JWK (RFC 7517), JWT access tokens (RFC 9068), id_tokens and other tokens of ours, and the public keys and assertions of clients.

pub mod access_token;
pub mod assertion;
pub mod bootstrap_token;
pub mod client_assertion;
pub mod client_jwks;
pub mod client_key;
pub mod client_token;
pub mod id_token;
pub mod jwk;
pub mod jws;
pub mod public_key;
pub mod response_signature;
mod rsa_public_key;
pub mod signing_key;
pub mod step_up_token;
pub(crate) mod unambiguous;
