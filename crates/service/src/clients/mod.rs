//! Clients, as operators see to them.

pub mod create;
pub mod list;
pub mod secrets;
pub mod set;
pub mod state;
