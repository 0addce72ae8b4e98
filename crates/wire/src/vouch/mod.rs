//! Door 1: a backend vouches for its users.

pub mod attributes;
pub mod code;
pub mod error;
pub mod profile;
pub mod refresh;
pub mod sessions;
pub mod sign_in;
pub mod sign_out;
pub mod sign_up;
pub mod tokens;
