//! Second factors of users.

pub mod change;
pub mod manage;
mod seed;
