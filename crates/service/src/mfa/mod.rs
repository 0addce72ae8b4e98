//! Second factors of users: what they have, what they wish, and the codes that take a factor's place.

pub mod change;
pub mod manage;
mod seed;
