//! Door 1.

pub(crate) mod attributes;
pub(crate) mod code_sign_in;
pub(crate) mod code_sign_up;
pub(crate) mod profile;
pub(crate) mod refresh;
pub(crate) mod send_code;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod sign_up;
mod translate;
