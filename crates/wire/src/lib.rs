//! The JSON of each door: what comes in is read strictly, what goes out is a struct with its OpenAPI schema. One noun a file.

pub mod client_api;
pub mod delegation;
pub mod oauth;
pub mod object;
pub mod outbox;
pub mod vouch;
