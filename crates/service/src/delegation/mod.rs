//! What a customer's backend does for its users by calls that it seals and signs.

pub mod devices;
pub mod request;
pub mod status;
pub mod subject;
pub mod update;
