//! Sessions: opening them, and what comes after.

pub(crate) mod draft;
pub mod end;
pub mod list;
pub mod open;
pub mod refresh;
pub(crate) mod room;
pub mod sign_out;
pub mod upgrade;
pub(crate) mod write;
