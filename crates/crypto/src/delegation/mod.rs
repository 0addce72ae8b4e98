//! Calls between a customer's backend (the service provider) and us (the identity provider): sealed to whom they go, and signed by whom they
//! come from. Requests and answers have one form. `docs/reference/delegation-envelope.md` is the profile, `sdk/vectors/delegation.json` its examples.

pub mod credential;
pub mod envelope;
pub mod keys;
mod pem;
pub mod signature;

/// What seals: X25519 and AES-256-GCM. The value of `enc` and of `X-Enc-Alg`; there is no other.
pub const SUITE: &str = "x25519-aesgcm";

/// What signs. The value of `X-Signature-Alg`; there is no other.
pub const SIGNATURE: &str = "ed25519";
