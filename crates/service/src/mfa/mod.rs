//! Second factors of users.

mod seed;
