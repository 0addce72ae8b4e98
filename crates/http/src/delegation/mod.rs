//! Door 3, the calls of a customer's backend, sealed and signed.

pub(crate) mod get_creds;
pub(crate) mod get_suggested_mfa;
pub(crate) mod initiate;
pub(crate) mod set_suggest_mfa;
pub(crate) mod verify;
