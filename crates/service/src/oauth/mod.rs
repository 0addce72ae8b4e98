//! The OpenID provider, but for whatever a user must do: what a client may ask, what it gets for a code, and what it can learn and revoke.

pub mod authorization;
pub mod code;
pub mod introspect;
pub mod metadata;
mod redemption;
pub mod response;
pub mod revoke;
pub mod token;
pub mod userinfo;
