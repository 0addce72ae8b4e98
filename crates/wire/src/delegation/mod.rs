//! Door 3, the calls of a customer's backend: what is in their envelopes.

pub mod error;
