//! Every use case, one a file. Whoever asks, through whichever door, ends up here: a proof comes in and becomes an actor, the actor does
//! something, and what is handed out is issued in one place.

pub mod activation_codes;
pub mod address;
pub mod admin;
mod assertion;
pub mod audit_log;
pub mod browser;
pub mod caller;
pub mod client_auth;
pub mod client_users;
pub mod clients;
pub mod code_sign_in;
pub mod config;
pub mod consents;
pub mod context;
pub mod delegation;
pub mod deliver;
pub mod devices;
pub mod directory;
pub mod error;
pub mod explain;
mod feed;
mod guesses;
pub mod keys;
mod known_users;
mod limits;
pub mod maintenance;
pub mod me;
pub mod mfa;
pub mod oauth;
pub mod passkeys;
pub mod project_counts;
pub mod project_report;
pub mod projects;
pub mod proof;
mod revocations;
pub mod session;
pub mod sign_in;
mod tally;
pub mod time;
pub mod token;
pub mod users;
mod verdicts;
pub mod vouch;

pub use context::Service;
