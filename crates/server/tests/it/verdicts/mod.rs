//! What proofs are worth, and to whom.

mod access_token;
mod misaddressed;
mod secret_key;
