//! What clients of the OpenID provider register, and the rules that follow from it.

pub mod code;
pub mod form;
pub mod redirect_uri;
pub mod registration;
pub mod scope;
