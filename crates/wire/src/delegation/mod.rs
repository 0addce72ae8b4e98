//! Door 3, the calls of a customer's backend: what is in their envelopes.

pub mod device;
pub mod envelope;
pub mod error;
pub mod mfa_change;
pub mod request;
pub mod status;
