//! Second factors of users.

pub mod change;
mod seed;
