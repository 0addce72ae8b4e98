//! `examples/assistant`: an API behind the gateway, a backend that proves its users, and a page that talks to the API.

#![expect(clippy::expect_used, reason = "what goes wrong here is a failed test")]

mod copy;
mod in_browser;
mod in_node;
mod started;
