//! For machines that look after this one.

pub(crate) mod document;
pub(crate) mod health;
pub(crate) mod jwks;
pub(crate) mod metrics;
