//! Users, for a backend that manages them.

pub(crate) mod mfa_enforcement;
pub(crate) mod phone;
