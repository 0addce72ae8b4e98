//! Users, as operators see to them.

pub(crate) mod arrival;
pub mod create;
pub mod delete;
pub mod export;
pub(crate) mod first_sight;
pub mod list;
pub mod merge;
mod notice;
pub mod revoke;
pub mod set;
pub mod state;
