//! Users, for themselves and for the customer's backend.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod list;
pub(crate) mod set;
pub(crate) mod show;
