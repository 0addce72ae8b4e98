//! All SQL of Countersign: one text for SQLite and PostgreSQL, one file for each noun.
//!
//! Functions take a [`Conn`] and do one thing; whoever calls decides in which transaction, by [`Db::reader`](db::Db::reader) or
//! [`Db::write`](db::Db::write). Whatever the engines do differently is in `engine.rs`, `db.rs` and `writer.rs`.

pub mod activation_codes;
pub mod audit;
pub mod authorization_codes;
pub mod browser_sessions;
pub mod challenges;
pub mod changes;
mod checkpointer;
pub mod client_api_keys;
pub mod client_secrets;
pub mod clients;
pub mod conn;
pub mod consents;
pub mod contact_changes;
pub mod counters;
mod database_file;
pub mod db;
pub mod delegation_keys;
pub mod deployment;
pub mod device_sessions;
pub mod engine;
pub mod error;
pub mod hot;
pub mod identities;
pub mod idp_keys;
pub mod mac_keys;
pub mod maintenance;
mod making;
pub mod messages;
pub mod mfa_changes;
pub mod mfa_preferences;
pub mod migrate;
mod packed;
pub mod passkeys;
pub mod projects;
pub mod recovery_codes;
mod row;
pub mod second_factors;
pub mod secret_keys;
pub mod sessions;
pub mod sign_in_places;
pub mod sign_ins;
pub mod signing_keys;
pub mod spent;
mod sql;
pub mod step_ups;
pub mod users;
pub mod writer;

pub use conn::Conn;
