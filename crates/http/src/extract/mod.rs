//! What handlers take: who calls, where to, what with. A handler whose argument is a proof can't be reached without it.

pub(crate) mod actor;
pub mod address;
pub(crate) mod backend;
pub mod bearer;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod client;
pub(crate) mod delegated;
pub mod forwarded;
pub(crate) mod locale;
pub(crate) mod possession;
pub mod ticket;
pub mod written;
