//! Nouns and rules of Countersign.
//!
//! Nothing here reads a clock, rolls dice, waits, or touches the world: time and randomness come in as arguments, so each rule can be
//! read, and tested, as a function.

pub mod activation;
pub mod audit;
pub mod browser_session;
pub mod challenge;
pub mod client;
pub mod client_api_key;
pub mod clock;
pub mod delegation_key;
pub mod gateway;
pub mod generations;
pub mod http_uri;
pub mod id;
pub mod identity;
pub mod identity_join;
pub mod key;
pub mod locale;
pub mod message;
pub mod mfa;
pub mod oauth;
pub mod page_look;
pub mod passkey;
mod phone_lengths;
pub mod policy;
pub mod project;
pub mod proof;
pub mod refresh;
pub mod risk;
pub mod session;
pub mod sign_in;
pub mod signing_algorithm;
pub mod text;
pub mod thumbprint;
pub mod user;
