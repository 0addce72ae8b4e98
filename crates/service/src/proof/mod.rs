//! Proofs come in, actors go on: each kind of credential is proved here, once, for all doors.

pub mod access_token;
pub mod actor;
pub mod client_call;
pub mod delegation;
pub mod possession;
pub mod refresh_token;
pub mod secret_key;
pub(crate) mod seen;
pub mod ticket;
