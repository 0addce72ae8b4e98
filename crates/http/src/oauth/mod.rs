//! The OpenID provider, but for what a user sees.

pub(crate) mod authorize_challenge;
pub(crate) mod discovery;
pub(crate) mod introspect;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod userinfo;
