//! The OpenID provider: what goes out as JSON (RFC 6749 §5, OpenID Connect Core §5.3, RFC 7662 §2.2), and what comes in as a form.

pub mod authorization;
pub mod challenge;
pub mod error;
pub mod introspection;
pub mod token;
pub mod userinfo;
