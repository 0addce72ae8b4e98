//! Calls that a customer's backend seals and signs.

mod devices;
mod envelope;
mod in_python;
mod keys;
mod mfa_change;
mod processes;
mod replay;
mod request;
mod sign_in;
mod status;

/// A row that changes something.
pub(crate) const SET: &str = "/hc_auth/v5/update/set-suggest-mfa";
/// A row that reads.
pub(crate) const GET: &str = "/hc_auth/v5/update/get-suggested-mfa";
pub(crate) const CREDS: &str = "/hc_auth/v5/update/get-creds";

/// What is said of a call that isn't proved.
pub(crate) const NOT_PROVED: &str = "The call is not proved: see docs/reference/delegation-envelope.md.";
pub(crate) const STALE: &str = "The call was signed at another time, by more than 300 seconds: compare the clocks.";
pub(crate) const CANT_OPEN: &str = "The envelope can't be opened.";
pub(crate) const REPLAYED: &str = "This envelope was used before: seal another one for each call.";
