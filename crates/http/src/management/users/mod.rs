//! Users, for a backend that manages them.

pub(crate) mod phone;
