//! Door 1: a backend vouches for its users.

mod fields;
mod identities;
mod islands;
mod keys;
mod limits;
mod mounts;
mod sessions;
mod sign_in;
mod sign_up;
mod unauthorized;
