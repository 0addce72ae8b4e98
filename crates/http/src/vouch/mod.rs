//! Door 1.

pub(crate) mod profile;
pub(crate) mod refresh;
pub(crate) mod sessions;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod sign_up;
mod translate;
