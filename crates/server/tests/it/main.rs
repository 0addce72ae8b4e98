//! The program, through its public surface: HTTP and command line.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "what goes wrong here is a failed test")]

mod assistant;
mod bad_input;
mod client_api;
mod codes;
mod delegation;
mod delivery;
mod dpop;
mod explain;
mod forward_auth;
mod gateway;
mod guides;
mod oauth;
mod operation;
mod pages;
mod passkeys;
mod refresh;
mod session;
mod verdicts;
mod vouch;
