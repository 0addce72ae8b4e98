//! Clients, as operators see to them.

pub mod create;
pub mod list;
mod pin;
pub mod secrets;
pub mod set;
pub mod state;
