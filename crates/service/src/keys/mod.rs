//! Keys: the secret ones that backends show, those of the client API, those of delegated calls, the ones that sign, the ones under which refresh
//! tokens are authentic.

pub mod client_api;
pub mod create;
pub mod delegation;
pub mod list;
pub mod mac;
pub mod revoke;
pub mod rotate;
pub mod set;
pub mod signing;
