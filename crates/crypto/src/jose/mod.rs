//! Signed tokens: JWS (RFC 7515), JWK (RFC 7517), JWT access tokens (RFC 9068).

pub mod access_token;
pub mod assertion;
pub mod jwk;
pub mod jws;
pub mod signing_key;
