//! The doors over HTTP. [`router`] is the whole API on one page; each handler extracts, calls one use case, and shapes the answer. What a
//! caller may is said by the type of an extractor.

pub mod app;
mod client_api;
mod delegation;
mod dev;
mod dpop_nonce;
mod error;
pub mod extract;
mod gateway;
mod identity_headers;
mod layer;
mod oauth;
pub mod openapi;
mod ops;
mod pages;
pub mod router;
mod vouch;

pub use ops::metrics::response as metrics_response;
