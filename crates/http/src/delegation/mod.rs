//! Door 3, the calls of a customer's backend, sealed and signed.

pub(crate) mod delete_device;
mod device_change;
pub(crate) mod device_revoke;
pub(crate) mod devices;
pub(crate) mod get_creds;
pub(crate) mod get_suggested_mfa;
pub(crate) mod initiate;
pub(crate) mod mfa_get;
pub(crate) mod mfa_update;
pub(crate) mod revoke_device;
pub(crate) mod set_suggest_mfa;
pub(crate) mod unrevoke_device;
pub(crate) mod verify;
