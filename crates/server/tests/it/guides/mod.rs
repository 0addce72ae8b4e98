//! The integration guides' listings, run as they stand but for the mends that are listed here.
//!
//! What stands on the guides' texts is in `guide` and `in_…`; the rest needs no text but our own.

#![expect(clippy::expect_used, clippy::panic, reason = "what goes wrong here is a failed test")]

mod dev;
mod dev_env;
pub(crate) mod endpoint;
mod flow;
mod guide;
mod in_curl;
pub(crate) mod in_go;
mod in_node;
pub(crate) mod in_python;
mod mend;
mod own_backend;
mod tokens;
pub(crate) mod tools;
