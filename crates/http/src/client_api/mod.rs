//! Door 2, and everything under `/v1`.

pub(crate) mod explain;
pub(crate) mod me;
pub(crate) mod sessions;
pub(crate) mod tickets;
pub(crate) mod users;
pub(crate) mod verify;
