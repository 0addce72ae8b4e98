//! Sessions, once they are open.

pub mod end;
pub mod list;
pub mod refresh;
pub mod sign_out;
