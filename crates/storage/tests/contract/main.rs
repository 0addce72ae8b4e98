//! Every storage function, on both engines.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what goes wrong here is a failed test")]

mod activation_codes;
mod audit;
mod browsers;
mod challenges;
mod changes;
mod clients;
mod corrupt;
mod delegation;
mod given;
mod hot;
mod identities;
mod keys;
mod maintenance;
mod messages;
mod migrate;
mod passkeys;
mod places;
mod projects;
mod provider;
mod redemptions;
mod second_factors;
mod sessions;
mod sign_ins;
mod spent;
mod users;
mod writer;
