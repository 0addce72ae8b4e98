//! Door 1: a backend vouches for its users.

mod sign_in;
