//! Door 2, and everything under `/v1`.

pub mod error;
pub mod explain;
pub mod me;
pub mod session;
pub mod user;
